"""Which words of a record a list shows, and which of them are marked."""

from app.sources.excerpts import Piece, excerpt_of, pieces, visible
from app.sources.records import Message, Record
from app.sources.rulesets import LIMA, NONE, ruleset_from


def shown(response, rules=LIMA, markup="markdown"):
    record = Record("s.example.org", "1", "t", (Message("user", "q"), Message("assistant", response, markup)))
    decision = rules.decide(record)
    excerpt = excerpt_of(record, decision)
    return decision.rule, excerpt.text, [excerpt.text[start:end] for start, end in excerpt.marks]


def all_marked(response, rules=LIMA):
    record = Record("s.example.org", "1", "t", (Message("user", "q"), Message("assistant", response, "markdown")))
    excerpt = excerpt_of(record, rules.decide(record), ruleset=rules)
    return [excerpt.text[start:end] for start, end in excerpt.marks]


LONG = "The lid stays on while it cools. " * 50


def test_the_words_that_speak_in_the_first_person_are_marked():
    assert shown(LONG + "Then I would wait.")[0::2] == ("first_person", ["I"])
    assert shown(LONG + "So my kettle's lid stays on.")[2] == ["my"]
    assert shown("I'd wait. " + LONG)[2] == ["I"]


def test_a_reference_is_marked_with_all_its_words():
    assert shown(f"<p>{LONG}</p><p>This was, as\nmentioned, hot.</p>", markup="html")[0::2] == (
        "references",
        ["as\nmentioned"],
    )


def test_each_passage_of_the_rule_is_marked_that_stands_in_the_excerpt():
    several = "Then I would wait, and my kettle would too. `I = V/R` and type I errors are none. "
    assert all_marked(several + LONG + "Later I left.") == ["I", "my"]
    assert all_marked("As mentioned, the lid stays on; the accepted answer says so too. " + LONG) == [
        "As mentioned",
        "accepted answer",
    ]
    crude = ruleset_from({"rules": {"profanity": {"on": True}}})
    assert all_marked("Well, shit. That is shitty, and “fuck” is quoted. " + LONG, crude) == ["shit", "shitty"]


def test_words_are_shown_as_they_are_read_and_not_as_markdown():
    markdown = (
        "A *computer*, **I** say, is a \\*thing\\* that [counts](https://a.example.org), $a*b*c$ and `x\\*y`. " + LONG
    )
    read = "A computer, I say, is a *thing* that counts, $a*b*c$ and x\\*y."
    assert shown(markdown)[1].startswith(read)
    assert shown(markdown)[2] == ["I"]
    assert shown(markdown, NONE)[1].startswith(read)
    assert shown("<p>2*3*4 is <em>not</em> less</p>", NONE, markup="html")[1] == "2*3*4 is not less"


def test_the_passage_stands_among_its_words():
    text = shown(LONG + "Then I would wait. " + LONG[:400])[1]
    assert text.startswith("… ")
    assert text.endswith(" …")
    assert "Then I would wait." in text


def test_without_a_passage_it_is_the_beginning():
    rule, text, marks = shown("x " * 600, NONE)
    assert (rule, marks, len(text) < 330) == (None, [], True)
    assert text.endswith("…")


def test_indices_are_told_from_what_they_stand_at():
    html = "<p>Two algorithms<sup>1</sup>, H<sub>2</sub>O, 2<sup>10</sup>.</p>"
    assert shown(html, NONE, markup="html")[1] == "Two algorithms^1, H_2O, 2^10."
    assert shown("<p>Mind <sup>the small print of it</sup></p>", NONE, markup="html")[1] == "Mind the small print of it"


def test_a_formula_is_a_piece_of_its_own_and_money_is_none():
    assert pieces("It costs $5 and $10, so $x^2$ I pay.", [[30, 31]]) == (
        Piece("It costs $5 and $10, so "), Piece("x^2", formula=True), Piece(" "), Piece("I", pinned=True),
        Piece(" pay."),
    )  # fmt: skip


def test_pieces_join_to_the_excerpt_and_show_what_is_hidden():
    assert pieces("When I wait", [[5, 6]]) == (Piece("When "), Piece("I", pinned=True), Piece(" wait"))
    assert visible("a\u202eb") == "a[U+202E]b"
