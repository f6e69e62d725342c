"""Lines of exports: what is refused names its line, and nothing is let in that another export would not take back."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.sources.formats import open_source
from app.sources.records import BadLines, Record

Reading = Callable[..., list[Record]]
LINE: dict[str, Any] = {
    "split": "train", "source": "authors", "licence": None, "attribution": {},
    "messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because."}],
}  # fmt: skip


@pytest.fixture
def read(tmp_path: Path) -> Reading:
    def reading(*rows: dict[str, Any]) -> list[Record]:
        (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return list(open_source(tmp_path / "rows.jsonl").records())

    return reading


@pytest.mark.parametrize(("name", "words"), [("attribution", "attribution"), ("messages", "list 'messages'")])
def test_a_row_that_lacks_a_key_is_named(read: Reading, name: str, words: str) -> None:
    with pytest.raises(BadLines, match=f"1 line cannot be read: line 2: the row has no {words}"):
        read(LINE, {key: value for key, value in LINE.items() if key != name})


@pytest.mark.parametrize("nothing", [None, "null", {}, "{}"])
def test_no_attribution_is_none(read: Reading, nothing: Any) -> None:
    (record,) = read(LINE | {"attribution": nothing})
    assert record.extra["attribution"] == {}
    assert (record.author, record.url) == (None, None)


@pytest.mark.parametrize("wrong", ["", "[]", "no JSON", [], 7, {"author": 7}])
def test_an_attribution_that_is_no_object_of_texts_is_named(read: Reading, wrong: Any) -> None:
    with pytest.raises(BadLines, match="line 2: attribution is not an object of texts"):
        read(LINE, LINE | {"attribution": wrong})


@pytest.mark.parametrize("name", ["url", "author_url", "question_url", "question_author_url"])
@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "example.org/a"])
def test_a_link_that_is_no_address_is_refused_on_the_way_in(read: Reading, name: str, address: str) -> None:
    """Else it would be frozen, and the CSV of that version could not come back."""
    with pytest.raises(BadLines, match=f"line 2: {name} is not an http or https address"):
        read(LINE, LINE | {"attribution": {name: address}})
    (record,) = read(LINE | {"attribution": {name: "https://example.org/a", "author": "A. Baker"}})
    assert record.extra["attribution"] == {name: "https://example.org/a", "author": "A. Baker"}


def test_a_row_of_a_csv_export_that_lacks_a_column_is_named(read: Reading) -> None:
    row = {"id": "a", "source": "authors", "system": "", "history": "", "prompt": "Why?", "response": "", "licence": ""}
    with pytest.raises(BadLines, match="line 2: prompt is missing or not a string"):
        read(row, {key: value for key, value in row.items() if key != "prompt"} | {"id": "b"})
    bare = {"id": "c", "prompt": "How?"}
    assert [record.external_id for record in read(row, bare)] == ["a", "c"]


TABLE = {"id": "a" * 64, "source": "authors", "licence": ""}
TURNS = [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "Because."}]
FORMS: dict[str, tuple[dict[str, Any], bool]] = {  # a row of a form, and whether flags are a list there
    "lines": (LINE, True),
    "lima": ({"conversations": ["Why?", "Because."], "source": "authors"}, True),
    "sharegpt": (TABLE | {"conversations": TURNS}, False),
    "alpaca": (TABLE | {"instruction": "Why?", "input": "", "output": "Because."}, False),
    "completion": (TABLE | {"prompt": LINE["messages"][:1], "completion": LINE["messages"][1:]}, False),
    "csv": (TABLE | {"system": "", "history": "", "prompt": "Why?", "response": "Because."}, False),
}


@pytest.mark.parametrize("form", FORMS)
def test_group_and_flags_come_back_from_every_form(read: Reading, form: str) -> None:
    row, is_list = FORMS[form]
    flags: Any = ["acknowledges_first", "sensitive"]
    said = {"group": "A", "flags": flags if is_list else " ".join(flags)}
    (record,) = read(row | said)
    assert (record.extra["told"], record.extra.get("columns")) == ({"group": "A", "flags": flags}, None)
    nothing = {} if is_list else {"group": "", "flags": ""}
    (record,) = read(row | nothing)
    assert not {"told", "columns"} & record.extra.keys()


@pytest.mark.parametrize("form", sorted(FORMS.keys() - {"lima"}))
@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"group": "weird group | x", "flags": ""}, "the group 'weird group | x' is none of A and B"),
        ({"group": ["A"], "flags": ""}, r"the group \"\['A'\]\" is none of A and B"),
        ({"group": "A", "flags": ["sensitive", "a b"]}, "the flag 'a b' is none of sensitive, format_constraint and "),
        ({"group": "A", "flags": {"sensitive": True}}, "flags are neither a list nor a text with blanks between"),
    ],
)
def test_a_group_or_flag_that_nobody_knows_is_refused_with_its_line(
    read: Reading, form: str, said: dict[str, Any], words: str
) -> None:
    row = FORMS[form][0]
    with pytest.raises(BadLines, match=f"line 2: {words}"):
        read(row | {"group": "B", "flags": ""}, row | said)


@pytest.mark.parametrize(
    "row",
    [
        FORMS["lima"][0] | {"group": "weird group | x"},
        FORMS["lima"][0] | {"group": "B", "topic": "hours"},
        FORMS["sharegpt"][0] | {"id": "17", "group": "B", "flags": "sensitive"},
        FORMS["alpaca"][0] | {"id": 17, "group": "math", "flags": [1]},
        {"prompt": "Why?", "response": "Because.", "group": "B", "flags": ["sensitive"]},
    ],
)
def test_what_others_call_a_group_is_a_column_like_any_other(read: Reading, row: dict[str, Any]) -> None:
    (record,) = read(row)
    assert "told" not in record.extra
    assert record.extra["columns"]["group"] == row["group"]
