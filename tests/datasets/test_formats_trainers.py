"""The configurations for other trainers: keys that their documentation knows, files and columns that are there.

The schemas are ours, written from Axolotl's configuration reference and LLaMA-Factory's data/README.md and arguments.
"""

import json
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field

from app.datasets.exports import write_folder
from app.datasets.formats import Format
from app.datasets.trainers import configurations
from tests.datasets.large import frozen, items
from training.spec import RECIPES

LIMA = RECIPES["lima"]
Row = dict[str, Any]


class Strict(BaseModel):
    """No key that is not in the documentation, no value of another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Schedule(Strict):
    """What transformers' polynomial schedule takes."""

    lr_end: float
    power: float


class Mappings(Strict):
    """Axolotl's names of a message's parts, and what they are called in the file."""

    role: str
    content: str


class AxolotlData(Strict):
    """An entry of `datasets`."""

    path: str
    ds_type: Literal["json", "arrow", "parquet", "text", "csv"]
    split: str
    type: Literal["chat_template"]
    field_messages: str = "messages"
    message_property_mappings: Mappings = Mappings(role="role", content="content")
    roles_to_train: list[str]
    train_on_eos: Literal["all", "turn", "last"]


class Common(Strict):
    """What both hand on to transformers."""

    gradient_accumulation_steps: int
    adam_beta1: float
    adam_beta2: float
    weight_decay: float
    max_grad_norm: float
    learning_rate: float
    lr_scheduler_kwargs: Schedule
    warmup_steps: int
    gradient_checkpointing: bool
    save_only_model: bool
    logging_steps: int
    seed: int
    output_dir: str


class Axolotl(Common):
    """axolotl.yml."""

    base_model: str
    chat_template: str = Field(pattern="^tokenizer_default(_fallback_(chatml|llama3|gemma|alpaca))?$")
    datasets: list[AxolotlData]
    test_datasets: list[AxolotlData] = []
    sequence_len: int
    excess_length_strategy: Literal["drop", "truncate", "raise"]
    sample_packing: bool
    train_on_inputs: bool
    num_epochs: int
    micro_batch_size: int
    optimizer: Literal["adamw_torch", "adamw_torch_fused"]
    lr_scheduler: Literal["linear", "cosine", "polynomial", "constant"]
    bf16: Literal["auto", True, False]
    saves_per_epoch: int
    evals_per_epoch: int | None = None


class Columns(Strict):
    """Of a description in dataset_info.json; a missing one is None, whatever its default is elsewhere."""

    messages: str | None = None
    prompt: str | None = None
    query: str | None = None
    response: str | None = None
    system: str | None = None
    history: str | None = None


class Tags(Strict):
    """Likewise: those that are left out where there are any are None."""

    role_tag: str
    content_tag: str
    user_tag: str
    assistant_tag: str
    system_tag: str


SHAREGPT = Tags(role_tag="from", content_tag="value", user_tag="human", assistant_tag="gpt", system_tag="system")


class Description(Strict):
    """A data set in dataset_info.json."""

    file_name: str
    formatting: Literal["alpaca", "sharegpt"]
    columns: Columns
    tags: Tags = SHAREGPT


class LlamaFactory(Common):
    """train.yaml."""

    model_name_or_path: str
    stage: Literal["pt", "sft", "rm", "ppo", "dpo", "kto"]
    do_train: bool
    finetuning_type: Literal["full", "freeze", "lora"]
    dataset_dir: str
    dataset: str = Field(pattern="^[^, ]+$")
    eval_dataset: str | None = Field(None, pattern="^[^, ]+$")
    template: Literal["default", "alpaca", "vicuna", "chatml", "llama3", "qwen"]
    cutoff_len: int
    packing: bool
    train_on_prompt: bool
    mask_history: bool
    num_train_epochs: int
    per_device_train_batch_size: int
    per_device_eval_batch_size: int | None = None
    optim: Literal["adamw_torch", "adamw_torch_fused"]
    lr_scheduler_type: Literal["linear", "cosine", "polynomial", "constant"]
    bf16: bool
    save_strategy: Literal["no", "steps", "epoch"]
    eval_strategy: Literal["no", "steps", "epoch"] | None = None
    report_to: str


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[Format, Path]:
    folder = tmp_path_factory.mktemp("exports")
    manifest, lines = frozen(items())
    for form in Format:
        write_folder(manifest, lines, form, folder / form.value)
    return {form: folder / form.value for form in Format}


def rows_in(path: Path) -> list[Row]:
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        return list(pq.read_table(path).to_pylist())
    return [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]


def lines_of(out: Path, split: str) -> list[list[Row]]:
    return [row["messages"] for row in rows_in(out / "examples.jsonl") if row["split"] == split]


AXOLOTL = [form for form in Format if form.layout.axolotl is not None]
LLAMAFACTORY = [form for form in Format if form.layout.llamafactory is not None]


def test_formats_that_a_trainer_reads_whole_have_its_configuration() -> None:
    assert AXOLOTL == [Format.MESSAGES, Format.SHAREGPT, Format.PARQUET, Format.HF]
    assert LLAMAFACTORY == [Format.MESSAGES, Format.SHAREGPT, Format.ALPACA, Format.PARQUET, Format.HF]


def require_recipe(found: Common, micro_batch: int, epochs: int) -> None:
    assert micro_batch * found.gradient_accumulation_steps == LIMA.batch_size
    assert (epochs, found.warmup_steps, found.max_grad_norm) == (LIMA.epochs, 0, LIMA.clip)
    assert (found.learning_rate, found.lr_scheduler_kwargs.lr_end) == (LIMA.peak_lr, LIMA.floor_lr)
    assert found.lr_scheduler_kwargs.power == 1.0
    assert (found.adam_beta1, found.adam_beta2, found.weight_decay) == (LIMA.beta1, LIMA.beta2, LIMA.weight_decay)


@pytest.mark.parametrize("form", AXOLOTL)
def test_axolotl_s_configuration_fits_its_files(exports: dict[Format, Path], form: Format) -> None:
    out = exports[form]
    found = Axolotl.model_validate(yaml.safe_load((out / "axolotl.yml").read_text("utf-8")))
    require_recipe(found, found.micro_batch_size, found.num_epochs)
    assert (found.sequence_len, found.excess_length_strategy, found.lr_scheduler) == (2048, "truncate", "polynomial")
    read_from = [data.path for data in found.datasets + found.test_datasets]
    assert read_from == [form.path_of("train"), form.path_of("dev")]
    for data, split in ((found.datasets[0], "train"), (found.test_datasets[0], "dev")):
        assert data.ds_type == {"jsonl": "json", "parquet": "parquet"}[form.suffix]
        assert data.roles_to_train == ["assistant"]
        role, content = data.message_property_mappings.role, data.message_property_mappings.content
        # Axolotl's own names for who speaks.
        roles = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}
        read = [
            [{"role": roles[turn[role]], "content": turn[content]} for turn in row[data.field_messages]]
            for row in rows_in(out / data.path)
        ]
        assert read == lines_of(out, split)
        assert all(messages[-1]["role"] == "assistant" for messages in read)


def as_llamafactory_reads(about: Description, row: Row) -> list[Row]:
    """What data/README.md says becomes of a row."""
    columns, tags = about.columns, about.tags
    if about.formatting == "sharegpt":
        assert columns.messages is not None
        roles = {tags.user_tag: "user", tags.assistant_tag: "assistant", tags.system_tag: "system"}
        return [
            {"role": roles[turn[tags.role_tag]], "content": turn[tags.content_tag]} for turn in row[columns.messages]
        ]
    names = [columns.prompt, columns.query, columns.response, columns.system, columns.history]
    prompt, query, response, system, history = (row[name] for name in names if name is not None)
    asked = "\n".join(part for part in (prompt, query) if part)
    said = [("system", system)] if system else []
    said += [pair for old in history for pair in (("user", old[0]), ("assistant", old[1]))]
    return [{"role": role, "content": text} for role, text in [*said, ("user", asked), ("assistant", response)]]


@pytest.mark.parametrize("form", LLAMAFACTORY)
def test_llamafactory_s_configuration_fits_its_files(exports: dict[Format, Path], form: Format) -> None:
    out = exports[form]
    found = LlamaFactory.model_validate(yaml.safe_load((out / "llamafactory/train.yaml").read_text("utf-8")))
    require_recipe(found, found.per_device_train_batch_size, found.num_train_epochs)
    assert (found.cutoff_len, found.lr_scheduler_type, found.packing) == (2048, "polynomial", False)
    listed = json.loads((out / found.dataset_dir / "dataset_info.json").read_text("utf-8"))
    assert list(listed) == [found.dataset, found.eval_dataset]
    for name, split in ((found.dataset, "train"), (found.eval_dataset, "dev")):
        about = Description.model_validate(listed[name])
        path = out / found.dataset_dir / about.file_name
        assert path.resolve() == (out / form.path_of(split)).resolve()
        assert [as_llamafactory_reads(about, row) for row in rows_in(path)] == lines_of(out, split)


@pytest.mark.parametrize("form", [Format.MESSAGES, Format.ALPACA])
def test_transformers_knows_what_is_handed_on_to_it(exports: dict[Format, Path], form: Format) -> None:
    """LLaMA-Factory's arguments are its own and those of transformers' trainer, which is here to ask."""
    from transformers import SchedulerType, TrainingArguments
    from transformers.training_args import OptimizerNames

    settings = yaml.safe_load((exports[form] / "llamafactory/train.yaml").read_text("utf-8"))
    own = {"model_name_or_path", "stage", "finetuning_type", "dataset_dir", "dataset", "eval_dataset", "template"}
    own |= {"cutoff_len", "packing", "train_on_prompt", "mask_history"}
    assert settings.keys() - own <= {field.name for field in fields(TrainingArguments)}
    assert SchedulerType(settings["lr_scheduler_type"]) is SchedulerType.POLYNOMIAL
    assert OptimizerNames(settings["optim"]) is OptimizerNames.ADAMW_TORCH


def test_a_dev_split_without_responses_is_not_measured() -> None:
    """As LIMA's is: its fifty prompts have no reference answers."""
    found = [replace(one, messages=one.messages[:-1]) if one.split == "dev" else one for one in items()]
    texts = configurations(frozen(found)[0], Format.MESSAGES)
    assert Axolotl.model_validate(yaml.safe_load(texts["axolotl.yml"])).test_datasets == []
    trained = LlamaFactory.model_validate(yaml.safe_load(texts["llamafactory/train.yaml"]))
    assert (trained.eval_dataset, trained.eval_strategy) == (None, None)
    assert list(json.loads(texts["llamafactory/dataset_info.json"])) == [trained.dataset]
    for name in ("axolotl.yml", "llamafactory/train.yaml"):
        assert re.search(r"# No loss is taken on dev: it has [0-9]+ prompts without a response\.\n", texts[name])


def test_an_empty_dev_split_is_named_so() -> None:
    texts = configurations(frozen([one for one in items() if one.split != "dev"])[0], Format.MESSAGES)
    for name in ("axolotl.yml", "llamafactory/train.yaml"):
        assert "# No loss is taken on dev: it is empty.\n" in texts[name]


def test_a_version_without_train_rows_trains_nobody() -> None:
    assert configurations(frozen([one for one in items() if one.split != "train"])[0], Format.MESSAGES) == {}


@pytest.mark.parametrize("slug", ["no", "on", "1e5", "null", "a-b"])
def test_no_name_is_taken_for_something_else(slug: str) -> None:
    """YAML takes some words for truth values and numbers."""
    manifest, _ = frozen(items())
    texts = configurations(manifest | {"project": {"slug": slug, "name": "x"}}, Format.MESSAGES)
    assert yaml.safe_load(texts["llamafactory/train.yaml"])["dataset"] == f"{slug}-v1-train"
