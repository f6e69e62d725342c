"""docs/style.md is run: every rule remarks upon its negative examples and passes its positive ones."""

import re
from pathlib import Path

import pytest

from app.examples.style import RULES, Draft, Habit, Remark
from app.examples.style.sheet import BY_NAME
from app.sources.rulesets import parameters

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "style.md"
EXAMPLE = re.compile(r"^(`{3,})text\n(.*?)\n\1$", re.MULTILINE | re.DOTALL)


def sections() -> dict[str, str]:
    parts = re.split(r"^## ([a-z_]+)$", DOCUMENT.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def examples(kind: str) -> list[tuple[str, str]]:
    """(rule, example) of everything that stands below `kind`."""
    found = []
    for rule, words in sections().items():
        remarked, _, passed = words.partition("\nPassed:\n")
        found += [(rule, text) for _, text in EXAMPLE.findall(remarked if kind == "remarked" else passed)]
    return found


def remarks(rule: str, example: str) -> list[Remark]:
    prompt, language, habit = "", None, None
    lines = example.split("\n")
    while lines and (found := re.match(r"(>>>|language:|habit:) (.*)", lines[0])):
        if found[1] == ">>>":
            prompt = found[2]
        elif found[1] == "language:":
            language = found[2]
        else:
            habit = Habit(*map(int, found[2].split()))
        del lines[0]
    draft = Draft("\n".join(lines), "assistant", prompt, language, habit)
    return list(BY_NAME[rule]().remarks(draft))


def test_every_rule_has_both_kinds_of_examples_in_the_order_of_the_rules():
    assert list(sections()) == [kind.name for kind in RULES]
    for kind in ("remarked", "passed"):
        assert {rule for rule, _ in examples(kind)} == set(BY_NAME)


@pytest.mark.parametrize(("rule", "example"), examples("remarked"))
def test_a_negative_example_is_remarked_upon(rule, example):
    assert remarks(rule, example)


@pytest.mark.parametrize(("rule", "example"), examples("passed"))
def test_a_positive_example_passes(rule, example):
    assert remarks(rule, example) == []


@pytest.mark.parametrize("kind", RULES, ids=lambda kind: kind.name)
def test_the_document_names_every_setting_with_its_default(kind):
    for one in parameters(kind):
        assert f"`{one.name}`" in sections()[kind.name], one.name
        if one.kind in {"int", "choice"}:
            assert str(one.value) in sections()[kind.name]
