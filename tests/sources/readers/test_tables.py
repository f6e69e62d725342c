import json

import pytest

from app.sources.formats import open_source, recognise
from app.sources.readers.base import ReadOptions
from app.sources.readers.columns import columns_from, columns_in, guess, signature, value_at
from app.sources.records import BadInput, BadLines

STORIES = "nr,title,story,who,points\n1,A cat,It slept.,Ann,12\n2,A dog,It ran.,Ben,3.0\n"
NESTED = {"q": {"text": "why?", "parts": ["a", {"b": "c"}]}, "turns": ["one", "two"], "dotted.name": "x", "n": 1.5}


@pytest.fixture
def table(tmp_path):
    def write(text, columns=None, name="table.csv", **options):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        settings = {"columns": columns} if columns is not None else {}
        return open_source(path, options=ReadOptions(settings=settings, **options))

    return write


def told(record):
    return [(message.role, message.text) for message in record.messages]


def test_a_table_is_read_by_its_mapping(table):
    mapping = {"prompt": "title", "response": "story", "id": "nr", "author": "who", "score": "points"}
    reader = table(STORIES, mapping, name="stories.csv")
    first, second = reader.records()
    assert reader.format == "table"
    assert told(first) == [("user", "A cat"), ("assistant", "It slept.")]
    assert (first.external_id, first.author, first.score, second.score) == ("1", "Ann", 12, 3)
    assert [reader.record_at(record.place) for record in (first, second)] == [first, second]


def test_several_columns_are_joined_into_the_prompt_and_blank_ones_left_out(table):
    text = "title,selftext\nWhy?,\nHow?,With what\n"
    records = table(text, {"prompt": ["title", "selftext"], "title": "title"}).records()
    assert [(record.prompt, record.title) for record in records] == [("Why?", "Why?"), ("How?\n\nWith what", "How?")]


def test_every_part_is_taken_over(table):
    row = {"p": "q", "r": "a", "s": "be kind", "t": "T", "u": "https://example.org/1", "l": "CC0", "lang": "de"}
    row |= {"part": "validation", "kind": "cooking"}
    mapping = {"prompt": "p", "response": "r", "system": "s", "title": "t", "url": "u", "licence": "l"}
    mapping |= {"language": "lang", "split": "part", "category": "kind"}
    record = next(table(json.dumps(row), mapping).records())
    assert told(record) == [("system", "be kind"), ("user", "q"), ("assistant", "a")]
    assert (record.title, record.url, record.licence, record.language) == ("T", "https://example.org/1", "CC0", "de")
    assert (record.split, record.extra) == ("dev", {"category": "cooking"})


def test_paths_reach_into_rows():
    found = ("q.text", "q.parts[0]", "q.parts[1].b", "turns[1]", "dotted.name", "n")
    assert [value_at(NESTED, path) for path in found] == ["why?", "a", "c", "two", "x", 1.5]
    missing = ("q.none", "turns[2]", "turns[0].x", "q[0]", "turns[x]", "q..text", "", "dotted")
    assert [value_at(NESTED, path) for path in missing] == [None] * len(missing)


def test_the_columns_of_nested_rows_are_their_paths():
    columns = columns_in([{**NESTED, "turns": [None]}, NESTED])
    assert [(column.path, column.sample) for column in columns] == [
        ("q.text", "why?"),
        ("q.parts[0]", "a"),
        ("q.parts[1].b", "c"),
        ("turns[0]", "one"),
        ("dotted.name", "x"),
        ("n", "1.5"),
        ("turns[1]", "two"),
    ]
    assert columns_in([{f"c{number}": 1 for number in range(500)}])[-1].path == "c199"


def test_a_guess_goes_by_the_names_and_takes_no_column_twice():
    columns = columns_in([{"Title": "t", "selftext": "s", "id": "1", "ups": 3, "permalink": "/r", "body": "b"}])
    assert guess(columns) == {"prompt": "Title", "response": "selftext", "id": "id", "url": "permalink", "score": "ups"}
    assert guess(columns_in([{"extra_info": {"question": "q", "answer": "a"}}])) == {
        "prompt": "extra_info.question",
        "response": "extra_info.answer",
    }
    assert guess(columns_in([{"a": 1}])) == {}


def test_a_signature_knows_the_columns_in_any_order():
    assert signature(["a", "b"]) == signature(["b", "a"]) != signature(["ab"])


def test_a38_rows_of_no_known_form_ask_for_a_mapping_and_name_the_columns(table):
    with pytest.raises(BadInput, match=r"are nr, title, story, who, points\..*--map prompt=title --map response=story"):
        table(STORIES)


@pytest.mark.parametrize(
    ("mapping", "reason"),
    [
        ({"prompt": "titles"}, "one of the first rows has anything in 'titles'; the columns are nr, title"),
        ({"prompt": "title", "response": "tale"}, "anything in 'tale'"),
        ({"response": "story"}, "o column is the prompt"),
        ({"prompt": []}, "o column is the prompt"),
        ({"prompt": 7}, "o column is the prompt"),
        ({"prompt": [""]}, "names no column"),
        ({"prompt": "title", "colour": "who"}, "cannot be 'colour'; it can be prompt, response"),
        (["prompt"], "is an object of parts and columns"),
    ],
)
def test_a38_a_mapping_that_does_not_fit_is_refused(table, mapping, reason):
    with pytest.raises(BadInput, match=reason):
        table(STORIES, mapping)


def test_a38_rows_that_lack_what_is_mapped_are_bad_with_their_lines(table):
    text = 'p,r,points\n"two\nlines",yes,1\n,no,1\nx,,1\ny,z,many\nq,w,5\n'
    reader = table(text, {"prompt": "p", "response": "r", "score": "points"}, skip_bad=True)
    records = list(reader.records())
    assert [(record.prompt, record.is_answered) for record in records] == [
        ("two\nlines", True),
        ("x", False),
        ("q", True),
    ]
    assert [(bad.line, bad.reason) for bad in reader.errors] == [
        (4, "p is empty"),
        (6, "the score 'many' is not a whole number"),
    ]


def test_a38_a_list_where_a_text_is_needed_says_how_to_name_its_part(table):
    with pytest.raises(BadLines, match=r"line 1: parts is a list and no text; name a part of it, such as parts\[0\]"):
        list(table(json.dumps(NESTED["q"]), {"prompt": "parts"}).records())


def test_a38_a_table_with_a_header_and_no_row_holds_nothing(table):
    for text in ("a,b\n", "a,b\n\n"):
        with pytest.raises(BadInput, match="holds no row"):
            table(text)


def test_a_known_form_is_read_by_a_mapping_where_one_asks_for_it(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"instruction": "do", "output": "done", "topic": "home"}) + "\n", encoding="utf-8")
    assert recognise(path) == "alpaca"
    settings = {"columns": {"prompt": "topic", "response": "instruction"}}
    record = next(open_source(path, "table", options=ReadOptions(settings=settings)).records())
    assert told(record) == [("user", "home"), ("assistant", "do")]


def test_rows_beside_known_ones_ask_for_no_mapping(tmp_path):
    (tmp_path / "a.jsonl").write_text(json.dumps({"conversations": ["q", "a"]}), encoding="utf-8")
    (tmp_path / "b.csv").write_text(STORIES, encoding="utf-8")
    reader = open_source(tmp_path)
    assert (reader.format, [one.path for one in reader.left_out]) == ("lima", ["b.csv"])


def test_a_folder_of_tables_with_one_header_is_read_whole(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/test-00000-of-00001.csv").write_text("title,story\nb,2\n", encoding="utf-8")
    (tmp_path / "data/train.csv").write_text("title,story\na,1\n", encoding="utf-8")
    (tmp_path / "other.csv").write_text("x,y\n1,2\n", encoding="utf-8")
    options = ReadOptions(settings={"columns": {"prompt": "title", "response": "story"}})
    reader = open_source(tmp_path, options=options)
    assert [(record.prompt, record.split) for record in reader.records()] == [("b", "test"), ("a", "train")]
    assert [one.path for one in reader.left_out] == ["other.csv"]


def test_a_mapping_is_stored_as_it_was_given():
    given = {"prompt": "a", "response": "b"}
    assert columns_from(given).as_settings() == given
    assert columns_from({"prompt": ["a", "b"], "id": ""}).as_settings() == {"prompt": ["a", "b"]}
