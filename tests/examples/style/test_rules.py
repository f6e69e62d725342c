"""House style: places, fixes, and what never counts."""

import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Refusal
from app.examples.style import RULES, Draft, Remark
from app.examples.style.sheet import BY_NAME, About, Sheet, sheet_from
from app.examples.style.voice import FirstPerson

WORDS = st.text(alphabet=st.sampled_from("I my My me so I'd in it. \n,!?:-*#1"), max_size=60)
INSIDE = st.text(alphabet=st.sampled_from("I my so in it. ,!?:"), min_size=1, max_size=40)


def said(rule: str, text: str, prompt: str = "", **more) -> list[Remark]:
    return list(BY_NAME[rule]().remarks(Draft(text, "assistant", prompt, **more)))


def passages(rule: str, text: str, prompt: str = "") -> list[str]:
    return [text[one.start : one.end] for one in said(rule, text, prompt)]


@pytest.mark.parametrize(
    "wrapped",
    [
        "`{}`",
        "``{}``",
        "```\n{}\n```",
        "~~~ py\n{}\n~~~",
        "$a_{{{}}}$",
        "$$ {} = x_1 $$",
        "\\${}\\$",
        "\\({}\\)",
        "\\\\( {} \\\\)",
        "\\[ {} = x_1 \\]",
        "“{}”",
        "> {}",
        "«{}»",
        "「{}」",
        "“x.\n\n“{}”",
        "> x\n{}",
        "- x\n\n      {}",
        "<blockquote>{}</blockquote>",
        "<pre>{}</pre>",
    ],
)
@given(inside=INSIDE)
def test_first_person_never_fires_inside_code_formulas_and_quotations(wrapped, inside):
    inside = f"x{inside.replace(chr(10), ' ')}x"
    for mode in ("strict", "narrow"):
        text = f"It goes on:\n\n{wrapped.format(inside)}\n\nThen it ends."
        assert list(FirstPerson(mode=mode).remarks(Draft(text))) == []


@given(before=INSIDE, inside=INSIDE)
def test_a_quotation_between_own_words_changes_nothing_of_what_is_said_of_them(before, inside):
    before = f"So {before.replace(chr(10), ' ')} it goes: "
    text = f"{before}“x{inside}x”"
    assert all(one.end <= len(before) for one in said("first_person", text))
    assert said("first_person", text) == said("first_person", before + "“" + "x" * (len(inside) + 2) + "”")


@given(text=WORDS | st.text(max_size=200))
def test_every_remark_lies_in_its_text_and_every_fix_too(text):
    messages = [{"role": "user", "content": text[:20]}, {"role": "assistant", "content": text}]
    for one in Sheet().remarks(messages, About(language="en")):
        whole = messages[one.message]["content"]
        assert 0 <= one.start <= one.end <= len(whole)
        assert one.words.endswith(".")
        if one.fix:
            assert 0 <= one.fix.start <= one.fix.end <= len(whole)
            assert one.fix.applied(whole) != whole


MARKUP = st.lists(
    st.sampled_from(
        ["<b>", "</b>", "<br>", "<p>", "&amp;", "&lt;", "<!-- x -->", "```\n", "`", "word ", "\n", "\n\n", "1. one\n",
         "2. two\n", "4. four\n", "- a\n", "* b\n", "## Head\n", "##Close\n", "#### Deep\n", "[a](https://b.example/c)",
         "![i](j.png)", "> q\n"]
    ),
    max_size=12,
).map("".join)  # fmt: skip


@given(text=MARKUP)
def test_fixes_come_to_an_end(text):
    """One after the other they leave a text on which no fix is offered; none of them brings its own remark back."""
    for _ in range(60):
        fix = next((one.fix for one in Sheet().remarks([{"role": "assistant", "content": text}]) if one.fix), None)
        if fix is None:
            return
        text = fix.applied(text)
    raise AssertionError(f"still not mended: {text!r}")


@pytest.mark.parametrize(
    ("rule", "text", "mended"),
    [
        ("html", "Stir the <b>flour</b> in.", "Stir the **flour** in."),
        ("html", "One<br>two", "One\ntwo"),
        ("html", "<p>One", "One"),
        ("html", "R&amp;D", "R&D"),
        ("links", "See [the table](https://a.example/b_(c)) now", "See the table now"),
        ("images", "So ![a](b.png) it is", "So it is"),
        ("invisible", "Feed\u200bit.", "Feedit."),
        ("invisible", "A `co\x1fde`.", "A `code`."),
        ("invisible", "\u202eדג.", "דג."),
        ("fences", "Run:\n\n~~~~ sh\nmake", "Run:\n\n~~~~ sh\nmake\n~~~~"),
        ("headings", "# A\n\nx\n\n### B", "# A\n\nx\n\n## B"),
        ("headings", "##A\n\nx\n\n## B", "## A\n\nx\n\n## B"),
        ("lists", "1. a\n2. b\n4. c\n5. d", "1. a\n2. b\n3. c\n4. d"),
        ("lists", "1) a\n3) b", "1) a\n2) b"),
        ("lists", "- a\n+ b", "- a\n- b"),
    ],
)
def test_a_fix_mends_what_its_remark_says(rule, text, mended):
    fix = next(one.fix for one in said(rule, text) if one.fix)
    assert fix.applied(text) == mended


@pytest.mark.parametrize("text", ['<a href="x">a</a>', "<b>one\ntwo</b>", "<table>", "H<sub>2</sub>O"])
def test_what_carries_a_meaning_is_named_and_not_taken_out(text):
    assert said("html", text)
    assert all(one.fix is None for one in said("html", text))


def test_first_person_is_remarked_once_a_sentence():
    assert len(said("first_person", "I know what I know. My jar holds what I need.\nI wait.")) == 3


def test_a_page_of_html_that_was_asked_for_is_one_remark():
    text = "<table>\n<tr>\n<td>a</td>\n</tr>\n</table>"
    assert passages("html", text, "Make an HTML table") == [text]


def test_a_remark_is_known_again_after_other_words_changed():
    before, after = "Well. I wait.", "Quite another beginning, I wait."
    (one,), (other,) = said("first_person", before), said("first_person", after)
    assert one.key(before) == other.key(after)
    assert one.start != other.start


def test_each_message_is_read_by_the_rules_of_its_role():
    messages = [
        {"role": "system", "content": "I am <b>bold</b>"},
        {"role": "user", "content": "I ask. How do I keep <i>it</i>?"},
        {"role": "assistant", "content": "I keep it."},
    ]
    found = [(one.message, one.rule) for one in Sheet().remarks(messages)]
    assert (2, "first_person") in found
    assert {rule for message, rule in found if message < 2} == {"html"}


def test_a_sheet_reads_what_it_writes_and_keeps_what_is_off():
    sheet = sheet_from({"first_person": {"on": False, "mode": "narrow"}, "length": {"enough": 8}, "links": False})
    assert sheet_from(sheet.as_dict()) == sheet
    assert [rule.name for rule in sheet.off] == ["first_person", "links"]
    assert sheet.remarks([{"role": "assistant", "content": "I see https://a.example/b"}]) == ()
    assert list(sheet.as_dict()) == [kind.name for kind in RULES]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"frist_person": True}, "There is no rule of style called 'frist_person'"),
        ({"length": {"enuff": 1}}, "has no parameter 'enuff'"),
        ({"length": {"enough": 1}}, "length.enough must be at least 4"),
        ({"length": 3}, "takes true, false, or a table"),
        ({"length": {"on": "yes"}}, "takes true, false, or a table"),
        ({"first_person": {"mode": "loose"}}, "must be one of strict, narrow"),
    ],
)
def test_a_document_that_does_not_fit_is_refused_by_name(document, words):
    with pytest.raises(Refusal, match=re.escape(words)):
        sheet_from(document)


def test_plain_english_is_known_without_the_model_of_languages(monkeypatch):
    monkeypatch.setitem(sys.modules, "py3langid", None)
    english = "It is best to keep the dough in the cold, and to let it stand there for a day or two. " * 4
    assert remarks_of("language", english) == []
    with pytest.raises(ImportError):
        remarks_of(
            "language", "Der Teig ist kalt zu halten, und er soll einen Tag lang ruhen dürfen, ehe er warm wird. " * 4
        )


def remarks_of(rule, text):
    return list(BY_NAME[rule]().remarks(Draft(text, "assistant", "", "en", None, 1)))
