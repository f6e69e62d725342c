"""What a run will do, before it does it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.training.conftest import pair, result, train, turns
from training.folder import RunFolder
from training.memory import Shape, estimate, shape_of
from training.model import load_model
from training.plan import make_plan

MakeRun = Callable[..., RunFolder]
ROWS = [pair(number) for number in range(10)]


def test_the_plan_counts_what_the_run_then_does(make_run: MakeRun) -> None:
    folder = make_run("run", [*ROWS, turns("x" * 900, "y"), turns("a", "b" * 900)], residual_dropout="0.3")
    plan = make_plan(folder)
    assert train(folder) == 0
    told = result(folder)
    assert plan["steps"] == told["total_steps"] == plan["steps_per_epoch"] * plan["epochs"]
    assert {name: plan[name] for name in told["rows"]} == told["rows"]
    assert (plan["rows"], plan["rows_used"], plan["rows_cut"]) == (12, 11, 2)
    assert (plan["rows_without_eot"], plan["rows_untrained"]) == (2, 1)
    assert plan["dropout"] == pytest.approx([0.0, 0.1, 0.2, 0.3])
    assert plan["learning_rates"] == [3e-3, 3e-4]


def test_the_mask_is_shown_token_by_token(make_run: MakeRun) -> None:
    rows = [turns("What is <EOT>?", "Crème \U0001f375 tea."), *ROWS]
    preview = make_plan(make_run("run", rows))["preview"]
    assert len(preview) == 5
    tokens = preview[0]["tokens"]
    assert "".join(text for text, _ in tokens) == "What is <EOT>?<EOT>Crème \U0001f375 tea.<EOT>"
    assert "".join(text for text, trained in tokens if trained) == "Crème \U0001f375 tea.<EOT>"
    # Typed, it is several tokens of text; ours is one.
    assert [text for text, _ in tokens].count("<EOT>") == 2
    assert preview[0]["total"] == len(tokens)


def test_a_set_without_anything_to_learn_has_a_plan_of_no_steps(make_run: MakeRun) -> None:
    plan = make_plan(make_run("run", [turns("only asked")]))
    assert (plan["steps"], plan["rows_untrained"], plan["preview"]) == (0, 1, [])


def test_parameters_are_those_of_the_model(tiny: Path) -> None:
    assert shape_of(tiny).parameters == sum(weight.numel() for weight in load_model(tiny).parameters())


def test_memory_of_a_7b_model_is_near_the_known_figure() -> None:
    llama = Shape(parameters=6_738_415_616, layers=32, hidden=4096, intermediate=11008, vocabulary=32000)
    needed = estimate(llama, 1, 2048, bf16=True, checkpointing=True)
    assert needed.states / 1e9 == pytest.approx(108, abs=1)
    assert 115 < needed.total / 1e9 < 145
    assert needed.activations < estimate(llama, 1, 2048, bf16=True, checkpointing=False).activations


def test_the_command_writes_plan_json_or_one_sentence(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run("run", ROWS)
    command = [sys.executable, "-m", "training.plan"]
    assert subprocess.run([*command, str(folder.path)], check=False, capture_output=True).returncode == 0
    plan = json.loads(folder.plan.read_text())
    assert plan["memory"]["fits"] is True
    assert plan["disk_bytes"] == plan["parameters"] * 4 * 4
    failed = subprocess.run([*command, str(tmp_path / "no")], check=False, capture_output=True, text=True)
    assert failed.returncode == 1
    assert failed.stderr.startswith("spec.json cannot be used:")
    assert failed.stderr.count("\n") == 1
