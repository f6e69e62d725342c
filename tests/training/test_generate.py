"""Answers of a checkpoint: LIMA's decoding, and an end at EOT."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.conftest import LINES, train, turns
from training.errors import BadInput, CheckpointDamaged
from training.folder import RunFolder
from training.generate import AnswerPenalty, Decoding, answers, checked, find_checkpoint, generate, read_prompts
from training.model import load_model
from training.spec import spec_from, whole_checkpoints
from training.vocabulary import load_vocabulary

PAIRS = [("Tea?", LINES[1]), ("Bread?", LINES[6]), ("Sort?", LINES[2]), ("Mass?", LINES[3])]
LIKELIEST = Decoding(temperature=0.0, repetition_penalty=1.0, max_new_tokens=120)


@pytest.fixture(scope="module")
def learned(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run that knows four answers by heart."""
    folder = RunFolder(tmp_path_factory.mktemp("learned"))
    folder.train.parent.mkdir()
    wanted = {"epochs": "150", "batch_size": "4", "peak_lr": "5e-3", "residual_dropout": "0", "keep_epochs": "last",
              "threads": "1", "device": "cpu"}  # fmt: skip
    folder.spec.write_text(spec_from("smoke", wanted, base_model=str(tiny)).to_json())
    folder.train.write_text("".join(json.dumps(turns(*pair)) + "\n" for pair in PAIRS))
    assert train(folder) == 0
    return folder


def write(path: Path, *lines: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_an_overfitted_model_gives_its_answers_and_stops_at_eot(learned: RunFolder, tmp_path: Path) -> None:
    prompts = write(tmp_path / "in.jsonl", *({"prompt": asked} for asked, _ in PAIRS))
    assert generate(learned.path, "epoch-150", prompts, tmp_path / "out.jsonl", LIKELIEST) == 4
    lines = read(tmp_path / "out.jsonl")
    assert [(line["prompt"], line["response"], line["stopped_by"]) for line in lines] == [
        (asked, said, "eot") for asked, said in PAIRS
    ]
    assert all(0 < line["tokens"] < 120 for line in lines)
    assert not (tmp_path / "out.jsonl.part").exists()


def test_a_batch_gives_the_same_answers(learned: RunFolder, tmp_path: Path) -> None:
    prompts = write(tmp_path / "in.jsonl", *({"prompt": asked} for asked, _ in PAIRS))
    generate(learned.path, None, prompts, tmp_path / "out.jsonl", replace(LIKELIEST, batch_size=3))
    assert [line["response"] for line in read(tmp_path / "out.jsonl")] == [said for _, said in PAIRS]


def test_sampling_is_drawn_again_by_its_seed(learned: RunFolder, tmp_path: Path) -> None:
    prompts = write(tmp_path / "in.jsonl", {"prompt": "Something quite different"}, {"prompt": "And more"})
    drawn = []
    for seed in (1, 1, 2):
        how = Decoding(temperature=1.5, seed=seed, max_new_tokens=30)
        generate(learned.path, None, prompts, tmp_path / "out.jsonl", how)
        drawn.append([line["response"] for line in read(tmp_path / "out.jsonl")])
    assert drawn[0] == drawn[1] != drawn[2]


def test_an_answer_that_does_not_end_is_cut_at_the_limit(learned: RunFolder, tmp_path: Path) -> None:
    prompts = write(tmp_path / "in.jsonl", {"prompt": "Tea?", "id": "x7"})
    generate(learned.path, None, prompts, tmp_path / "out.jsonl", replace(LIKELIEST, max_new_tokens=5))
    (line,) = read(tmp_path / "out.jsonl")
    assert (line["id"], line["stopped_by"], line["tokens"]) == ("x7", "length", 5)
    assert LINES[1].startswith(line["response"])


def test_a_prompt_beyond_the_context_is_told_so(learned: RunFolder, tmp_path: Path) -> None:
    prompts = write(tmp_path / "in.jsonl", {"prompt": "x" * 3000}, {"prompt": "Tea?"})
    generate(learned.path, None, prompts, tmp_path / "out.jsonl", replace(LIKELIEST, batch_size=2))
    long, short = read(tmp_path / "out.jsonl")
    assert (long["stopped_by"], long["response"], long["tokens"]) == ("prompt_too_long", "", 0)
    assert short["response"] == LINES[1]


def test_conversations_are_given_turn_by_turn(learned: RunFolder, tmp_path: Path) -> None:
    vocabulary = load_vocabulary(whole_checkpoints(learned.path)[-1].path, "<EOT>")
    (prompt,) = read_prompts(write(tmp_path / "in.jsonl", turns("Hi <EOT>", "Yes?", "Tea?")), vocabulary)
    end = [vocabulary.eot]
    assert prompt.ids == (
        vocabulary.encode("Hi <EOT>") + end + vocabulary.encode("Yes?") + end + vocabulary.encode("Tea?") + end
    )
    assert prompt.text == "Tea?"


@pytest.mark.parametrize(
    "line", [{}, {"prompt": 1}, {"messages": []}, {"messages": turns("a", "b")["messages"]}, {"messages": [{}]}]
)
def test_a_bad_prompt_is_named_by_its_line(learned: RunFolder, tmp_path: Path, line: dict[str, Any]) -> None:
    prompts = write(tmp_path / "in.jsonl", {"prompt": "a"}, line)
    with pytest.raises(BadInput, match=r"^Line 2 of in\.jsonl"):
        generate(learned.path, None, prompts, tmp_path / "out.jsonl", LIKELIEST)
    assert not (tmp_path / "out.jsonl").exists()


def test_the_penalty_touches_only_tokens_of_the_answer() -> None:
    prompt_and_answer = torch.tensor([[1, 2, 3, 4]])
    scores = torch.tensor([[6.0, 6.0, -6.0, 6.0, -6.0, 6.0]])
    assert AnswerPenalty(1.2, 2)(prompt_and_answer, scores).tolist()[0] == pytest.approx([6, 6, -6, 5, -7.2, 6])
    assert AnswerPenalty(1.2, 0)(prompt_and_answer, scores).tolist()[0] == pytest.approx([6, 5, -7.2, 5, -7.2, 6])
    assert torch.equal(AnswerPenalty(1.2, 4)(prompt_and_answer, scores), scores)


def test_a_token_said_twice_is_penalised_once() -> None:
    scores = torch.tensor([[6.0, 6.0]])
    assert AnswerPenalty(1.2, 0)(torch.tensor([[1, 1, 1]]), scores).tolist()[0] == pytest.approx([6, 5])


def test_penalising_the_prompt_changes_what_is_said(learned: RunFolder) -> None:
    path = whole_checkpoints(learned.path)[-1].path
    model, vocabulary = load_model(path), load_vocabulary(path, "<EOT>")
    prompts = [*_prompts(vocabulary)]
    hard = replace(LIKELIEST, repetition_penalty=9.0)
    alone, with_prompt = (
        [one.tokens for one in answers(model, vocabulary, prompts, replace(hard, penalise_prompt=penalise))]
        for penalise in (False, True)
    )
    # The EOT after the prompt is penalised as well, so answers run on.
    assert sum(with_prompt) > sum(alone)


def _prompts(vocabulary: Any) -> Iterator[Any]:
    from training.generate import Prompt

    for asked, _ in PAIRS:
        yield Prompt(asked, asked, [*vocabulary.encode(asked), vocabulary.eot])


def test_tokens_that_nobody_owns_are_never_said(learned: RunFolder) -> None:
    path = whole_checkpoints(learned.path)[-1].path
    model, vocabulary = load_model(path), load_vocabulary(path, "<EOT>")
    assert model.config.vocab_size > len(vocabulary.tokenizer)
    how = Decoding(temperature=2.0, max_new_tokens=60)
    before = [one.response for one in answers(model, vocabulary, [*_prompts(vocabulary)], how)]
    # Rows of tokens without an owner, and of padding, now win wherever they are let in.
    with torch.no_grad():
        weight = model.get_input_embeddings().weight
        weight[len(vocabulary.tokenizer) :] *= 1000
        weight[vocabulary.pad] *= 1000
    assert [one.response for one in answers(model, vocabulary, [*_prompts(vocabulary)], how)] == before


def test_a_damaged_checkpoint_answers_nothing(learned: RunFolder, tmp_path: Path) -> None:
    copy = tmp_path / "checkpoints" / "epoch-150"
    copy.mkdir(parents=True)
    for file in whole_checkpoints(learned.path)[-1].path.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    assert find_checkpoint(tmp_path, "epoch-150").name == "epoch-150"
    weights = copy / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(CheckpointDamaged, match=r"epoch-150 is damaged: model\.safetensors differs"):
        find_checkpoint(tmp_path, "epoch-150")


@pytest.mark.parametrize("name", ["epoch-99", "../checkpoints/epoch-150", "/etc"])
def test_only_checkpoints_of_the_run_answer(learned: RunFolder, name: str) -> None:
    with pytest.raises(BadInput, match="whole ones: epoch-150"):
        find_checkpoint(learned.path, name)


@pytest.mark.parametrize(
    "change", [{"top_p": 0.0}, {"top_p": float("nan")}, {"temperature": -1.0}, {"max_new_tokens": 0}, {"seed": -1}]
)
def test_decoding_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        checked(replace(Decoding(), **change))


def test_decoding_is_limas_by_default() -> None:
    how = checked(Decoding())
    assert (how.top_p, how.temperature, how.repetition_penalty, how.max_new_tokens) == (0.9, 0.7, 1.2, 2048)
    assert not how.penalise_prompt


def test_the_command_answers_and_fails_with_one_sentence(learned: RunFolder, tmp_path: Path) -> None:
    prompts = write(tmp_path / "in.jsonl", {"prompt": "Tea?"})
    command = [sys.executable, "-m", "training.generate", str(learned.path), "--prompts", str(prompts)]
    command += ["--out", str(tmp_path / "out.jsonl"), "--temperature", "0", "--repetition-penalty", "1"]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    assert read(tmp_path / "out.jsonl")[0]["response"] == LINES[1]
    failed = subprocess.run([*command, "--checkpoint", "epoch-07"], check=False, capture_output=True, text=True)
    assert failed.returncode == 1
    assert failed.stderr == "There is no whole checkpoint epoch-07 in this run; whole ones: epoch-150.\n"
