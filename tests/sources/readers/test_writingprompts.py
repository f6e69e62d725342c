import csv

import pytest

from app.sources.formats import open_source, recognise
from app.sources.readers.base import ReadOptions
from app.sources.readers.writingprompts import joined
from app.sources.records import BadLines


@pytest.fixture
def table(tmp_path):
    def write(*rows, **options):
        path = tmp_path / "test.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("row_id", "prompt", "story", "completion"), *rows])
        return open_source(path, options=ReadOptions(**options))

    return write


def test_a_row_is_a_prompt_with_its_story(table):
    reader = table((7, "[ WP ] You ca n't sleep .\n", "`` Why ? '' I asked . <newline> <newline> Silence .", ""))
    (record,) = reader.records()
    assert (reader.format, record.title, record.prompt) == ("writingprompts", "You can't sleep.", "You can't sleep.")
    assert record.responses[0].content == '"Why?" I asked.\n\nSilence.'
    assert (record.split, record.source, record.licence) == ("train", "writingprompts", None)
    assert record.extra == {"row_id": "7", "tags": ["WP"]}


def test_stories_to_one_prompt_are_one_thread(table):
    first, second, third = table(
        (1, "[ WP ] A .", "One .", ""), (2, "A.", "Two .", ""), (3, "B .", "Three .", "")
    ).records()
    assert first.thread_id == second.thread_id != third.thread_id
    assert len({first.external_id, second.external_id}) == 2


def test_the_same_story_twice_is_marked(table):
    assert [record.repeats for record in table((1, "A .", "One .", ""), (2, "A .", "One .", "")).records()] == [None, 2]


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ("Wait , what ? No !", "Wait, what? No!"),
        ("`` Go , '' she said .", '"Go," she said.'),
        ("He did n't , I 'm sure it 's Ann 's .", "He didn't, I'm sure it's Ann's."),
        ("I 'm gon na go ; you got ta stay .", "I'm gonna go; you gotta stay."),
        ("It cost $ 5 ( or 6 ) ...", "It cost $5 (or 6)..."),
        ('He said , " Hello ! " and left .', 'He said, "Hello!" and left.'),
        ("it ’ s late .", "it’s late."),
        ("One . <newline> <newline> Two .", "One.\n\nTwo."),
        ("One . \n \n \n Two .", "One.\n\nTwo."),
        ('Plain text, with "quotes" : none.', 'Plain text, with "quotes" : none.'),
        ("a :) b, and a .5 share", "a :) b, and a .5 share"),
        ("rock 'n' roll , 'twas .", "rock 'n' roll, 'twas."),
    ],
)
def test_tokens_are_joined_and_other_text_stays(tokens, expected):
    assert joined(tokens) == expected
    assert joined(expected) == expected


@pytest.mark.parametrize("row", [(1, "", "Story .", ""), (1, " ", " ", "")])
def test_a38_a_row_lacking_its_prompt_is_refused_or_left_out(table, row):
    with pytest.raises(BadLines, match=r"line 3: .* is empty"):
        list(table((0, "A .", "One .", ""), row).records())
    assert len(list(table((0, "A .", "One .", ""), row, skip_bad=True).records())) == 1


def test_a_row_is_read_again_from_its_place(table):
    reader = table((1, "A .", "One .", ""), (2, "B .", "Two\nlines .", ""))
    assert [reader.record_at(record.place) for record in reader.records()] == list(reader.records())


def test_shared_stories_are_as_many_as_their_note_says(shared_data):
    path = shared_data / "writingprompts_stories_csv" / "test.csv"
    assert recognise(path) == "writingprompts"
    records = list(open_source(path).records())
    assert (len(records), len({record.prompt for record in records})) == (100, 97)
    assert sum("WP" in record.extra.get("tags", []) for record in records) == 92  # one is written { WP }
    text = "\n".join(message.content for record in records for message in record.messages)
    for token in ("``", "''", "<newline>", " n't", "[ WP ]", " ,", " . "):
        assert token not in text
    # Their note counts 61 stories of LIMA's length in tokens; two more are short enough once the tokens are joined.
    with path.open(encoding="utf-8", newline="") as file:
        tokens = {row["row_id"] for row in csv.DictReader(file) if 1200 <= len(row["story"].strip()) <= 4096}
    words = {record.extra["row_id"] for record in records if 1200 <= len(record.responses[0].visible) <= 4096}
    assert (len(tokens), words - tokens, tokens - words) == (61, {"8569", "10965"}, set())
