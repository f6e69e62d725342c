import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sources.formats import open_source
from app.sources.readers.base import ReadOptions
from app.sources.records import BadInput, BadLines

LIMA = {"conversations": ["q", "a", "q2", "a2"], "source": "wikihow", "split": "train"}
MESSAGES = {
    "messages": [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "a"},
    ]
}
ALPACA = {"instruction": "do", "input": "this", "output": "done", "history": [["h1", "h2"]]}
SHAREGPT = {"id": "x7", "conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}
FORMS = {"lima": LIMA, "messages": MESSAGES, "alpaca": ALPACA, "sharegpt": SHAREGPT}


@pytest.fixture
def source(tmp_path):
    def write(*rows, array=False, **options):
        path = tmp_path / "upload"
        texts = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        path.write_text("[\n" + ",\n".join(texts) + "\n]" if array else "\n".join(texts) + "\n", encoding="utf-8")
        return open_source(path, options=ReadOptions(**options))

    return write


def roles(record):
    return [(message.role[0], message.content) for message in record.messages]


@pytest.mark.parametrize("array", [False, True])
@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("lima", [("u", "q"), ("a", "a"), ("u", "q2"), ("a", "a2")]),
        ("messages", [("s", "s"), ("u", "q"), ("a", "a")]),
        ("alpaca", [("u", "h1"), ("a", "h2"), ("u", "do\n\nthis"), ("a", "done")]),
        ("sharegpt", [("u", "q"), ("a", "a")]),
    ],
)
def test_each_form_is_recognised_and_kept_whole(source, form, expected, array):
    reader = source(FORMS[form], array=array)
    assert reader.format == form
    assert [roles(record) for record in reader.records()] == [expected]


def test_split_source_licence_and_id_come_from_the_row(source):
    row = {**LIMA, "split": "validation", "license": "MIT", "id": 7, "language": "de", "url": "https://example.org/x"}
    record = next(source(row, licence="CC0").records())
    assert (record.split, record.source, record.licence, record.external_id) == ("dev", "wikihow", "MIT", "7")
    assert (record.language, record.url, record.score, record.is_top) == ("de", "https://example.org/x", None, None)
    assert next(source(LIMA, licence="CC0").records()).licence == "CC0"


def test_a_row_without_an_id_is_named_by_its_words(source):
    first, second, third = source(LIMA, {**LIMA, "source": "x"}, {"conversations": ["q", "b"]}).records()
    assert first.external_id == second.external_id != third.external_id
    assert next(source(LIMA, array=True).records()).external_id == first.external_id


def test_a_prompt_may_lack_its_answer(source):
    reader = source({"conversations": ["q"], "split": "test"})
    assert roles(next(reader.records())) == [("u", "q")]
    assert len(next(source({"instruction": "x"}).records()).messages) == 1


BLANK = [None, "", " \n"]
ALONE = {
    "pair": lambda blank: {"prompt": "q", "completion": blank},
    "pair by another name": lambda blank: {"question": "q", "answer": blank, "depth": 3},
    "alpaca": lambda blank: {"instruction": "q", "output": blank},
    "lima": lambda blank: {"conversations": ["q", blank]},
    "messages": lambda blank: {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": blank}]},
    "messages, a prompt": lambda blank: {"prompt": [{"role": "user", "content": "q"}], "completion": blank},
    "sharegpt": lambda blank: {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": blank}]},
    "self_instruct": lambda blank: {"instruction": "q", "instances": [{"input": "", "output": blank}]},
    "preference": lambda blank: {"prompt": "q", "chosen": blank, "rejected": "b"},
    "writingprompts": lambda blank: {"prompt": "q", "story": blank},
}


@pytest.mark.parametrize("blank", BLANK, ids=repr)
@pytest.mark.parametrize("form", ALONE)
def test_a_prompt_without_a_response_is_a_prompt_in_every_form(source, form, blank):
    reader = source(ALONE[form](blank))
    (record,) = reader.records()
    assert (reader.format, roles(record)) == (form.split(",")[0].split(" by")[0], [("u", "q")])
    assert not record.is_answered
    assert reader.record_at(record.place) == record


@pytest.mark.parametrize(
    "row", [{"prompt": "q"}, {"question": "q", "id": "1", "category": "maths"}, {"query": "q", "split": "test"}]
)
def test_a_file_of_prompts_alone_is_known_where_nothing_else_could_be_the_response(source, row):
    reader = source(row)
    (record,) = reader.records()
    assert (reader.format, roles(record), record.split) == ("pair", [("u", "q")], row.get("split"))


@pytest.mark.parametrize("row", [{"prompt": "q", "target": "a"}, {"question": "q", "answers": ["a"]}])
def test_where_something_could_be_the_response_its_columns_are_asked_for(source, row):
    with pytest.raises(BadInput, match="columns must be mapped"):
        source(row)


def test_text_parts_are_joined(source):
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert roles(next(source({"messages": [{"role": "user", "content": parts}]}).records())) == [("u", "a\nb")]


def chat(*turns):
    names = {"s": "system", "u": "user", "a": "assistant"}
    return [{"role": names[role], "content": text} for role, text in turns]


Q, A, B = ("u", "q"), ("a", "a"), ("a", "b")
PAIRS = [
    ("pair", {"prompt": "q", "completion": "a"}, [Q, A]),
    ("pair", {"prompt": "q", "response": "a", "system": "s"}, [("s", "s"), Q, A]),
    ("pair", {"question": "q", "answer": "a"}, [Q, A]),
    ("pair", {"instruction": "q", "context": "c", "response": "a"}, [("u", "q\n\nc"), A]),
    ("alpaca", {"instruction": "q", "input": "", "output": "a", "system": "s", "history": []}, [("s", "s"), Q, A]),
    ("messages", {"prompt": chat(("s", "s"), Q), "reward": 1}, [("s", "s"), Q]),
    ("messages", {"prompt": chat(Q), "completion": chat(A)}, [Q, A]),
    ("preference", {"prompt": "q", "chosen": "a", "rejected": "b"}, [Q, A]),
    ("preference", {"prompt": "q", "chosen": chat(Q, A), "rejected": chat(Q, B)}, [Q, A]),
    ("preference", {"prompt": chat(Q), "chosen": chat(A), "rejected": chat(B)}, [Q, A]),
    ("preference", {"chosen": chat(Q, A), "rejected": chat(Q, B)}, [Q, A]),
    ("preference", {"chosen": "\n\nHuman: q\n\nAssistant: a", "rejected": "\n\nHuman: q\n\nAssistant: b"}, [Q, A]),
    ("self_instruct", {"instruction": "q", "instances": [{"input": "", "output": "a"}]}, [Q, A]),
    ("pair", {"prompt": "q", "input": " ", "context": "\n", "completion": "a", "system": " "}, [Q, A]),
    ("alpaca", {"instruction": "q", "input": "  \n", "output": "a", "system": "\t"}, [Q, A]),
    ("sharegpt", {"system": " ", "conversations": SHAREGPT["conversations"]}, [Q, A]),
    ("self_instruct", {"instruction": "q", "instances": [{"input": " ", "output": "a"}]}, [Q, A]),
    ("questions", {"question_id": 81, "category": "writing", "turns": ["q"]}, [Q]),
]


@pytest.mark.parametrize(("form", "row", "expected"), PAIRS)
def test_pairs_preferences_and_questions_are_recognised(source, form, row, expected):
    reader = source(row)
    record = next(reader.records())
    assert (reader.format, roles(record)) == (form, expected)
    assert record.extra.get("rejected") == ("b" if form == "preference" else None)


def test_each_instance_is_a_record_with_an_id_of_its_own_and_is_found_again(source):
    row = {"id": "t1", "instruction": "do", "instances": [{"input": str(n), "output": "x"} for n in range(3)]}
    reader = source(row, {**row, "id": "t2"})
    records = list(reader.records())
    assert [record.external_id for record in records] == ["t1", "t1/2", "t1/3", "t2", "t2/2", "t2/3"]
    assert [record.prompt for record in records[:3]] == ["do\n\n0", "do\n\n1", "do\n\n2"]
    assert [reader.record_at(record.place) for record in records] == records


def test_the_prompts_after_the_first_wait_beside_the_record(source):
    record = next(source({"question_id": 81, "category": "writing", "turns": ["q", "q2"]}).records())
    assert (record.external_id, record.extra) == ("81", {"category": "writing", "next_turns": ["q2"]})


@pytest.mark.parametrize(("form", "row", "expected"), PAIRS)
def test_what_a_row_has_besides_is_kept_beside_the_record(source, form, row, expected):
    besides = {"ability": "math", "flag": False, "depth": 0, "info": {"answer": "18", "tags": ["ü"]}}
    unstored = {"none": None, "blank": "", "nul": "x\x00", "half": ["\ud800"], "long": "x" * 20_001}
    if any(isinstance(one, str) for one in row.values()) and "instances" in row:
        besides["name"] = "task"
    record = next(source({**row, **besides, **unstored}).records())
    kept = record.extra["columns"]
    assert (roles(record), {name: kept[name] for name in besides}) == (expected, besides)
    assert kept.keys() - besides.keys() == row.keys() & {"reward"}
    assert "columns" not in next(source(FORMS["lima"]).records()).extra


def test_beside_a_record_there_is_room_for_so_many_characters(source):
    record = next(source({**ALPACA, **{f"c{n}": "x" * 6_000 for n in range(5)}, "last": "y"}).records())
    assert list(record.extra["columns"]) == ["c0", "c1", "c2", "last"]


def test_what_is_for_evaluation_goes_into_the_test_split(source, shared_data):
    task = {"instruction": "do", "instances": [{"input": "", "output": "x"}]}
    assert next(source(task).records()).split is None
    assert next(source({**task, "motivation_app": "Grammarly"}).records()).split == "test"
    assert [one.split for one in source({"turns": ["q"]}, {"turns": ["r"], "split": "train"}).records()] == [
        "test",
        "train",
    ]
    splits = {}
    for path in ("self_instruct/seed_tasks.jsonl", "self_instruct/user_oriented_instructions.jsonl"):
        records = list(open_source(shared_data / path).records())
        splits[path.partition("/")[2]] = {record.split for record in records}
    assert splits == {"seed_tasks.jsonl": {None}, "user_oriented_instructions.jsonl": {"test"}}
    seed = next(open_source(shared_data / "self_instruct/seed_tasks.jsonl").records())
    assert seed.extra["columns"] == {"name": "breakfast_suggestion", "is_classification": False}


def test_a_file_that_changed_gives_no_other_record(source, tmp_path):
    reader = source({"conversations": ["q", "a"]}, {"conversations": ["q2", "a"]})
    places = [record.place for record in reader.records()]
    (tmp_path / "upload").write_text('{"messages": []}\n' * 3, encoding="utf-8")
    for place in places:
        with pytest.raises(BadInput, match="changed since"):
            reader.record_at(place)


def test_shared_files_are_as_many_as_their_notes_say(shared_data):
    def read(path, **options):
        reader = open_source(shared_data / path, options=ReadOptions(**options))
        return reader, list(reader.records())

    _, seeds = read("self_instruct/seed_tasks.jsonl")
    _, tasks = read("self_instruct/user_oriented_instructions.jsonl")
    assert (len(seeds), len({record.external_id for record in seeds}), len(tasks)) == (175, 175, 252)
    assert sum("\n\n" in record.prompt for record in seeds) >= 125
    _, alpaca = read("finetune_formats/alpaca_en_demo.json")
    assert (len(alpaca), sum(record.repeats is not None for record in alpaca)) == (999, 14)
    reader, calls = read("finetune_formats/glaive_toolcall_en_demo.json", skip_bad=True)
    assert (len(calls), reader.error_count) == (147, 153)
    assert all("'function_call'" in bad.reason for bad in reader.errors)
    reader, asked = read("fastchat_questions")
    lengths = [len(record.messages) for record in asked]
    assert [lengths.count(n) for n in (1, 2, 4, 6)] == [160, 167, 166, 167]
    assert sum("next_turns" in record.extra for record in asked) == 80
    assert "mt_bench_reference_answer_gpt-4.jsonl" in {one.path for one in reader.left_out}
    for one, records in ((reader, asked), (open_source(shared_data / "self_instruct"), seeds + tasks)):
        found = {record.external_id: record for record in one.records()}
        assert len(found) == len({record.external_id for record in records})
        assert all(one.record_at(record.place).messages == record.messages for record in found.values())


def test_the_guide_names_each_conversation_of_glaive_that_repeats_another(shared_data):
    path = shared_data / "finetune_formats/glaive_toolcall_en_demo.json"
    records = open_source(path, options=ReadOptions(skip_bad=True)).records()
    guide = (Path(__file__).parents[3] / "docs" / "sources.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d+ \| [\d |]+) \|$", guide, re.MULTILINE)
    numbers = [int(cell) for row in rows for cell in row.split(" | ")]
    listed = set(zip(numbers[::2], numbers[1::2], strict=True))
    assert listed == {(record.line, record.repeats) for record in records if record.repeats is not None}
    assert len(listed) == 20


BAD = [
    ('{"conversations": ["q", "a"]', "not valid JSON"),
    ('{"conversations": ["q", "a\tb"]}', "invalid control character at character 27"),
    ('{"conversations": ["q", "", "q2"]}', "turn 2 is empty"),
    ('{"conversations": ["q", 3]}', "turn 2 is missing or not a string"),
    ('{"conversations": []}', "the conversation is empty"),
    ('{"conversations": [{"from": "human", "value": "q"}]}', "turn 1 is missing or not a string"),
    ('{"messages": []}', "no list 'conversations'"),
    ('{"conversations": ["q", "a"], "split": "best"}', "split 'best'"),
    ('{"conversations": ["q", "a"], "url": "javascript:alert(1)"}', "no?t? ?an http"),
    ('{"conversations": ["q", "a"], "date": "soon"}', "date 'soon'"),
    ('{"conversations": ["q", "a"], "date": "0001-01-01T00:00:00+09:00"}', "date '0001-01-01T00:00:00.09:00'"),
    ('{"conversations": ["q", "a"], "date": "9999-12-31T23:00:00-02:00"}', "date '9999-12-31T23:00:00-02:00'"),
    ('{"conversations": ["q\\u0000", "a"]}', "turn 1 holds a NUL character at character 2"),
    ('{"conversations": ["q", "\\ud800"]}', "turn 2 holds the lone surrogate U.D800 at character 1"),
    ('{"conversations": ["q", "a"], "conversations": []}', "'conversations' stands there twice"),
    ('{"conversations": ["q", "a"], "x": NaN}', "NaN"),
    ('{"conversations": ["q", "a"], "x": -Infinity}', "-Infinity"),
    ('{"conversations": ["q", "a"], "x": 1e999}', "too large"),
    (f'{{"conversations": ["q", "a"], "x": {"9" * 1_000_000}}}', "1,000,000 digits"),
    (f'{{"conversations": ["q", "a"], "x": {"[" * 100_000}{"]" * 100_000}}}', "nested"),
    (f'{{"conversations": ["q", "a"], "x": {"[" * 500}{"]" * 500}}}', "nested"),
    ('{"conversations": ["q", "a"], "source": "' + "s" * 65 + '"}', "source is longer than 64"),
    ("[1]", "not a JSON object"),
    ("7", "not a JSON object"),
    ('{"conversations": ["q", "a"]} x', "more after the JSON"),
    ('{"conversations": ["' + "x" * (9 << 20) + '"]}', "longer than 8 MB"),
]


@pytest.mark.parametrize(("line", "reason"), BAD, ids=[reason for _, reason in BAD])
def test_a34_a36_a38_a_bad_line_is_refused_with_its_number_or_skipped(source, line, reason):
    with pytest.raises(BadLines, match=rf"line 3: .*{reason}") as caught:
        list(source(LIMA, "", line, {"conversations": ["last", "a"]}).records())
    assert caught.value.line == 3
    reader = source(LIMA, "", line, {"conversations": ["last", "a"]}, skip_bad=True)
    assert [record.prompt for record in reader.records()] == ["q2", "last"]
    assert [error.line for error in reader.errors] == [3]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"messages": [{"role": "assistant", "content": "a"}]}, "message 1 is the assistant's"),
        ({"messages": [{"role": "user", "content": "a"}] * 2}, "message 2 is the user's"),
        ({"messages": [{"role": "system", "content": "a"}] * 2}, "message 2 is the system's"),
        ({"messages": [{"role": "system", "content": "a"}]}, "nothing after it"),
        ({"messages": [{"role": "tool", "content": "a"}]}, "role 'tool'"),
        ({"messages": [{"role": "user", "content": None}]}, "message 1 is missing"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "not text"),
        ({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "tool_calls": [1]}]}, "calls a tool"),
        ({"messages": ["x"]}, "message 1 is not a JSON object"),
        ({"conversations": [{"from": "gpt", "value": "a"}]}, "message 1 is the assistant's"),
        (
            {"conversations": [{"from": "human", "value": "q"}, {"from": "function_call", "value": "f"}]},
            "'function_call'",
        ),
        (
            {"conversations": [{"from": "human", "value": "q"}, {"from": "observation", "value": "f"}]},
            "'observation'",
        ),
        ({"prompt": "q", "completion": 3}, "completion is missing or not a string"),
        ({"chosen": "", "rejected": "b"}, "chosen is empty"),
        ({"prompt": "q", "chosen": "a", "rejected": None}, "rejected is missing"),
        ({"instruction": "q", "instances": []}, "no list 'instances'"),
        ({"instruction": "q", "instances": [{"output": 0}]}, "output is missing or not a string"),
        ({"turns": ["", "x"]}, "turn 1 is empty"),
        ({"instruction": "x", "output": []}, "output is missing or not a string"),
        ({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": 0}]}, "message 2 is missing"),
        ({"instruction": "", "output": "x"}, "instruction is empty"),
        ({"instruction": "x", "history": [["a"]], "output": "x"}, "history 1"),
    ],
)
@pytest.mark.parametrize("array", [False, True])
def test_roles_order_and_emptiness_are_checked(source, row, reason, array):
    with pytest.raises(BadLines, match=rf"line {2 if array else 1}: .*{reason}"):
        list(source(row, array=array).records())


def test_one_broken_line_of_a_thousand_is_named(source):
    rows = [{"conversations": [f"q{number}", "a"]} for number in range(1000)]
    with pytest.raises(BadLines, match="1 line cannot be read: line 617: ") as caught:
        list(source(*rows[:616], '{"conversations": ["q"', *rows[617:]).records())
    assert "Nothing was imported" in caught.value.message


def test_the_first_twenty_bad_lines_are_listed_and_all_are_counted(source):
    with pytest.raises(BadLines, match=r"50 lines cannot be read: lines 2, 3, .*, 21: it is .*; and 30 more") as caught:
        list(source(LIMA, *["{"] * 50).records())
    assert [bad.line for bad in caught.value.problems] == list(range(2, 22))


def test_a_cut_off_last_line_says_so(tmp_path):
    (tmp_path / "x").write_text(json.dumps(LIMA) + '\n{"conversations": ["q", "a')
    with pytest.raises(BadLines, match=r"line 2: .*cut off"):
        list(open_source(tmp_path / "x").records())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[{"conversations": ["q", "a"]}, {"conversations": ["q', "Line 1: .*cut off"),
        ('[{"conversations": ["q", "a"]},', "not valid JSON"),
        ('[{"conversations": ["q", "a"]}', "cut off"),
        ('[{"conversations": ["q", "a"]}\n{}]', "Line 2: a comma or"),
        ('[{"conversations": ["q", "a"]}] x', "more after the array"),
        ('[{"conversations": ["q", "a"]}, {"a": 1, "a": 2}]', "twice"),
    ],
)
def test_a_broken_array_is_refused_even_when_bad_lines_may_be_skipped(tmp_path, text, reason):
    (tmp_path / "x").write_text(text)
    with pytest.raises(BadInput, match=reason):
        list(open_source(tmp_path / "x", options=ReadOptions(skip_bad=True)).records())


def test_an_id_used_twice_for_other_words_is_a_bad_line(source):
    twice = [{"id": 1, "conversations": ["q", "a"]}, {"id": 1, "conversations": ["q", "b"]}]
    with pytest.raises(BadLines, match="line 2: the id '1' is that of line 1"):
        list(source(*twice).records())
    assert len(list(source(twice[0], twice[0]).records())) == 2


clean = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1).filter(str.strip)


@given(st.lists(st.lists(clean, min_size=1, max_size=3), min_size=1, max_size=8), st.booleans(), st.booleans())
def test_every_text_comes_back_unchanged(tmp_path_factory, conversations, array, ascii_only):
    path = tmp_path_factory.mktemp("x") / "x"
    rows = [json.dumps({"conversations": turns}, ensure_ascii=ascii_only) for turns in conversations]
    path.write_bytes((f"[{','.join(rows)}]" if array else "\n".join(rows)).encode())
    read = [[message.content for message in record.messages] for record in open_source(path).records()]
    assert read == conversations


def test_real_files_of_the_three_public_forms(shared_data):
    alpaca = open_source(shared_data / "finetune_formats" / "alpaca_en_demo.json")
    records = list(alpaca.records())
    assert (alpaca.format, len(records)) == ("alpaca", 999)
    chats = open_source(shared_data / "fastchat_questions" / "sharegpt_dummy_conversation.json")
    assert (chats.format, len(list(chats.records()))) == ("sharegpt", 500)
    tools = shared_data / "finetune_formats" / "glaive_toolcall_en_demo.json"
    with pytest.raises(BadLines, match=r"153 lines cannot be read: .*'function_call'"):
        list(open_source(tools).records())
    assert len(list(open_source(tools, options=ReadOptions(skip_bad=True)).records())) == 300 - 153
