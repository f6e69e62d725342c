"""A folder as data sets lie on the Hugging Face Hub: Parquet below data/, named in the head of the card."""

from app.datasets.formats.parquet import Parquet


class HuggingFace(Parquet):
    """The same tables, under the Hub's names for them."""

    title = "Hugging Face folder"
    holds = "the same table as Parquet, one shard a split below `data/`; the card's head names files and columns"
    read_by = "`datasets.load_dataset(FOLDER)`, the Hub and its viewer, TRL, Axolotl, LLaMA-Factory"

    @classmethod
    def path_of(cls, split: str) -> str:
        """Where in an export the file of a split stands."""
        return f"data/{split}-00000-of-00001.parquet"


LAYOUT = HuggingFace
