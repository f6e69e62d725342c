"""Looking held against what is known of real data sets; skipped where they are not beside the checkout."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from app.duplicates.normal import normal_form
from app.duplicates.operations import WORDING
from app.duplicates.wording import wording_pairs

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def methods(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(FOLDER))
    path = [*sys.path]
    yield importlib.import_module("methods")
    sys.path[:] = path
    sys.modules.pop("methods", None)


def test_all_exact_copies_between_real_sets_are_found(methods, shared_data):
    found = methods.measured_copies(shared_data)
    # What SOURCE.md of the three sets counts.
    assert (found["self_instruct"], found["vicuna"], found["both"]) == (252, 80, 332)


def test_edits_are_found_by_wording_alone_as_the_page_says(methods, shared_data):
    plain = list({normal_form(text): text for some in methods.prompts(shared_data).values() for text in some}.values())
    made, kinds = methods.planted(plain)
    found = {(int(left), int(right)) for left, right, _ in wording_pairs(made, WORDING)}
    assert len(kinds) == 326
    assert len(set(kinds) & found) / len(kinds) >= 0.95
    between_edits_and_others = {pair for pair in found - set(kinds) if pair[1] >= len(plain) > pair[0]}
    template = {at for at, text in enumerate(plain) if "host guests" in text or "step-by-step" in text}
    assert {left for left, _ in between_edits_and_others} <= template


def test_every_kind_of_edit_changes_the_words(methods):
    text = "How do plants drink water. Explain it to a child of ten years, and name three plants."
    for kind, edit in methods.EDITS.items():
        assert normal_form(edit(text, methods.random.Random(1))) != normal_form(text), kind
