"""Markdown and punctuation never let a leak pass, and an operator still makes another exercise of a short prompt."""

import random

import pytest

from app.datasets.gates.rewording import alike
from app.datasets.gates.wording import words
from app.datasets.operations import GatesBlock, freeze_version
from app.datasets.splits import operations as splits
from app.datasets.splits.splitting import Asked
from app.projects.models import Project, Split
from tests.datasets.gating import put, rewordings
from tests.datasets.test_gates_leakage import OTHERS, held_out, trained

SAME = [
    ("Explain **gravity** to a child", "Explain gravity to a child"),
    ("# How do plants drink water", "How do plants drink water"),
    ("> Who was the first king of Norway?", "Who was the first king of Norway?"),
    ("* Give a recipe for onion soup", "Give a recipe for onion soup"),
    ("1. Give a recipe for onion soup", "- [x] Give a recipe for onion soup"),
    ("What is the difference between cats / dogs", "What is the difference between cats, dogs"),
    ("Compare butter & margarine for baking cakes", "Compare butter, margarine for baking cakes"),
    ("Compare plan A & B", "Compare plan A, B"),
    ("Describe autumn in Vermont!!! =)", "Describe autumn in Vermont"),
    ("~~Explain~~ *gravity*", "> Explain <b>gravity</b>"),
    ("Gra\u00advity\u200b now", "gravity now"),
    ("Name cats | dogs", "Name cats & dogs"),
    ("Explain A/B testing", "Explain A-B testing"),
    ("What happened in 1914–1918?", "What happened in 1914 - 1918"),
    ("What is **2** + **3**?", "What is $2 + 3$"),
    ("What is 2 \\* 3?", "What is 2 × 3"),
    ("Add 2 & 3", "Add 2, 3"),
    ("[Explain gravity to a child](https://example.org/a_b?c=d)", "Explain gravity to a child"),
    ('Explain ![gravity to a child](picture.png "A fall")', "Explain gravity to a child"),
    ("Compare butter &amp; margarine for baking", "Compare butter & margarine for baking"),
    ("Why don&#39;t cats&nbsp;like water", "Why don't cats like water"),
    ("Explain gra&shy;vity &#x6E;ow", "Explain gravity now"),
    ("&lt;b&gt;Explain gravity&lt;/b&gt;", "Explain gravity"),
]  # fmt: skip
DIFFERENT = [
    ("2 + 3 = ?", "2 - 3 = ?"),
    ("**What is 2 * 3?**", "> What is 2 / 3?"),
    ("a * b", "a / b"),
    ("Compute `a * b`", "Compute `a / b`"),
    ("Compute $a * b$", "Compute $a / b$"),
    ("17 × 4", "17 ÷ 4"),
    ("Compute 3 ** 2", "Compute 3 * 2"),
    ("Is a < b", "Is a <= b"),
    ("Compute x - 2", "Compute x / 2"),
    ("Compute (a + b) * c", "Compute (a + b) / c"),
    ("Differentiate cos(x) * sin(y)", "Differentiate cos(x) + sin(y)"),
    ("Is it distance = speed * time", "Is it distance = speed / time"),
    ("Is it profit = income - costs", "Is it profit = income + costs"),
    ("What does `*` do in Python?", "What does `**` do in Python?"),
    ("What is $20 in yen", "What is €20 in yen"),
    ("How do I compile C++ on Windows?", "How do I compile C on Windows?"),
    ("Explain C# to a child", "Explain C to a child"),
    ("Summarise [this](https://example.org/1)", "Summarise [this](https://example.org/2)"),
    ("What is 2 &#43; 3?", "What is 2 &#45; 3?"),
]  # fmt: skip
PLAIN = (
    "Explain gravity", "Compare butter and margarine for baking cakes", "What is 17 + 4?", "Describe autumn in Vermont",
    "How do I compile C++ on Windows?", "Solve x - y = 3 for y", "请问怎样去除白衬衫上的咖啡渍",
    "Is 3 < 4 or a * b = c?", "Wie entferne ich Kaffeeflecken aus einem weißen Hemd?",
)  # fmt: skip
WHOLE = (
    "{}!!! =)",
    "{} :-)",
    "({})",
    "“{}”",
    "***{}***",
    "**{}**",
    "~~{}~~",
    "<p>{}</p>",
    "{} …",
    "`{}`",
    "[{}](https://example.org)",
)
HEADS = ("# {}", "## {} ##", "> {}", ">> {}", "* {}", "- {}", "+ {}", "1. {}", "2) {}", "- [ ] {}", "> - {}", "{}\n---",
         "| {} |", "```\n{}\n```")  # fmt: skip
AROUND = ("**{}**", "*{}*", "_{}_", "~~{}~~", "({})", "{},", "{};", "“{}”", "<em>{}</em>", "{} –")


def decorated(draw, text):
    """The text with marks around words of it and around all; nothing comes between a sign and what it works on."""
    marked = [
        draw.choice(AROUND).format(word) if len(word) > 1 and word.isalpha() and draw.random() < 0.4 else word
        for word in text.split(" ")
    ]
    return draw.choice(HEADS).format(draw.choice(WHOLE).format(" ".join(marked)))


def leaks(one, other):
    rest = [trained(number, text) for number, text in enumerate(OTHERS, start=10)]
    return bool(rewordings((trained(1, one), held_out(2, other), *rest)))


def drawn_together(one, other):
    return (0, 1) in alike((one, other, *OTHERS))


@pytest.mark.parametrize("found", [leaks, drawn_together])
@pytest.mark.parametrize(("one", "other"), SAME)
def test_prompts_that_differ_in_marks_alone_are_the_same(found, one, other):
    assert found(one, other)
    assert found(other, one)


@pytest.mark.parametrize("found", [leaks, drawn_together])
@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_short_prompts_with_another_operator_are_other_exercises(found, one, other):
    assert not found(one, other)
    assert not found(other, one)


@pytest.mark.parametrize("found", [leaks, drawn_together])
@pytest.mark.parametrize("text", PLAIN)
def test_no_decoration_lets_a_prompt_pass(found, text):
    draw = random.Random(text)
    for _ in range(40):
        one, other = decorated(draw, text), decorated(draw, text)
        assert found(one, text), one
        assert found(one, other), (one, other)


def test_signs_are_words_where_they_work_on_something():
    assert words("# **Cats** / dogs & 2 * x, `&` for 20% = $5 (C#)") == (
        "cats", "dogs", "2", "*", "x", "&", "for", "20", "%", "$", "5", "c", "#",
    )  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME[:9])
def test_a_freeze_stops_at_what_markdown_and_signs_hide(database, people, one, other):
    for asked in OTHERS:
        put(database, people, asked)
    train, test = put(database, people, one), put(database, people, other, None, split=Split.TEST)
    with pytest.raises(GatesBlock, match="nearly the same prompt") as refusal, database.writing() as session:
        freeze_version(session, people.lead, people.project, name="v1")
    assert f"example {train} (train) and example {test} (test)" in refusal.value.message


def test_splits_keep_together_what_markdown_and_signs_part(database, people):
    numbers = [put(database, people, asked) for asked in OTHERS]
    pairs = [[put(database, people, text) for text in pair] for pair in SAME[:4]]
    with database.reading() as session:
        drawn = splits.look(session, session.get_one(Project, people.project.id), Asked(dev=3, test=5, seed=7))
    together = {frozenset(member.id for member in group.members) for group in drawn.together}
    moved = {move.id for move in drawn.moves}
    assert len(moved) == 8
    assert {number for pair in pairs for number in pair} & moved
    assert all(frozenset(pair) in together for pair in pairs if moved & set(pair))
    assert moved <= {*numbers, *(number for pair in pairs for number in pair)}
