import json
from collections import Counter

import pytest

from app.sources.formats import open_source, recognise
from app.sources.readers.base import ReadOptions
from app.sources.records import BadLines

TASK = {
    "Contributors": ["Ann", "Bob"],
    "Source": ["xsum"],
    "URL": ["https://example.org/xsum"],
    "Categories": ["Summarization"],
    "Definition": ["Sum it up. "],
    "Output_language": ["English"],
    "Positive Examples": [{"input": "i", "output": "o", "explanation": "e"}],
    "Instances": [{"id": "task9-a", "input": "A text.\n", "output": ["Short.", "Brief."]}],
    "Instance License": ["MIT"],
}
EARLY = {
    "Definition": "Say yes.",
    "Categories": "Question Answering",
    "Positive Examples": [],
    "Instances": [{"input": "Sure?", "output": "Yes."}, {"input": "", "output": ["Yes!"]}],
}


@pytest.fixture
def tasks(tmp_path):
    def write(indent=2, options=None, **named):
        for name, task in named.items():
            (tmp_path / f"{name}.json").write_text(json.dumps(task, indent=indent), encoding="utf-8")
        return open_source(tmp_path, options=options or ReadOptions())

    return write


@pytest.mark.parametrize("indent", [2, None])
def test_the_definition_and_the_input_are_the_prompt(tasks, indent):
    reader = tasks(indent, task9_sum=TASK)
    (record,) = reader.records()
    assert reader.format == "superni"
    assert record.prompt == "Sum it up.\n\nA text."
    assert (record.title, record.responses[0].content) == ("A text.", "Short.")
    assert (record.site, record.external_id, record.thread_id) == ("natural-instructions", "task9-a", "task9_sum")
    assert (record.source, record.language, record.licence) == ("natural_instructions", "en", "MIT")
    assert (record.author, record.url) == ("Ann, Bob", "https://example.org/xsum")
    assert record.extra == {
        "task": "task9_sum",
        "generation": True,
        "category": "Summarization",
        "categories": ["Summarization"],
        "other_outputs": ["Brief."],
    }


def test_early_tasks_have_texts_where_later_ones_have_lists(tasks):
    first, second = tasks(task7_yes=EARLY, options=ReadOptions(licence="CC0")).records()
    assert (first.prompt, first.responses[0].content, first.external_id) == ("Say yes.\n\nSure?", "Yes.", "task7_yes-1")
    assert (second.prompt, second.title, second.external_id) == ("Say yes.", "task7_yes", "task7_yes-2")
    assert (first.licence, first.language, first.author) == ("CC0", None, None)
    assert first.extra == {
        "task": "task7_yes",
        "generation": False,
        "category": "Question Answering",
        "categories": ["Question Answering"],
    }


@pytest.mark.parametrize(("name", "code"), [("German", "de"), ("Old Church Slavonic", "old church slavo")])
def test_a_language_is_named_by_its_code_or_as_it_is(tasks, name, code):
    (record,) = tasks(task1_x=TASK | {"Output_language": [name]}).records()
    assert record.language == code


def test_a_task_in_a_file_of_another_name_is_known_by_its_instances(tasks):
    (record,) = tasks(train=TASK).records()
    assert record.extra["task"] == "task9"


@pytest.mark.parametrize("output", [{}, {"output": None}, {"output": ""}, {"output": ["", " "]}, {"output": []}])
def test_an_instance_without_an_answer_is_a_prompt_alone(tasks, output):
    task = TASK | {"Instances": [{"id": "task9-b", "input": "x", **output}]}
    (record,) = tasks(task9_sum=task).records()
    assert [(message.role, message.text) for message in record.messages] == [("user", "Sum it up.\n\nx")]


BAD = [
    ({"input": "x", "output": 3}, "its output is neither"),
    ({"input": 3, "output": "y"}, "its input is not a string"),
    ({"input": "x", "output": "\ud800"}, "its output holds the lone surrogate"),
    ({"id": "task9-a", "input": "x", "output": "y"}, "the id 'task9-a' stands there twice"),
    ("x", "it is not a JSON object"),
]


@pytest.mark.parametrize(("instance", "reason"), BAD, ids=[reason for _, reason in BAD])
def test_a38_a_bad_instance_is_named_or_left_out(tasks, instance, reason):
    task = TASK | {"Instances": [*TASK["Instances"], instance]}
    with pytest.raises(BadLines, match=f"instance 2 of task9_sum: {reason}"):
        list(tasks(task9_sum=task).records())
    reader = tasks(task9_sum=task, options=ReadOptions(skip_bad=True))
    assert [record.external_id for record in reader.records()] == ["task9-a"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"Definition": []}, "no Definition"),
        ({"Definition": 3}, "Definition is neither"),
        ({"Instances": None}, "no list of Instances"),
    ],
)
def test_a38_a_task_without_its_parts_is_refused(tasks, change, reason):
    with pytest.raises(BadLines, match=reason):
        list(tasks(task9_sum=TASK | change).records())


def test_an_instance_is_read_again_from_its_place(tasks):
    reader = tasks(task9_sum=TASK, task7_yes=EARLY)
    records = list(reader.records())
    assert len(records) == 3
    assert [reader.record_at(record.place) for record in records] == records


SHARED = {
    "task1290_xsum_summarization": (1000, "Summarization", True, "MIT"),
    "task1590_diplomacy_text_generation": (126, "Dialogue Generation", True, "CC BY 4.0"),
    "task591_sciq_answer_generation": (1000, "Question Answering", False, "CC BY-NC 3.0"),
    "task639_multi_woz_user_utterance_generation": (142, "Dialogue Generation", True, "Apache 2.0"),
}


def test_shared_tasks_have_the_instances_of_their_note(shared_data):
    folder = shared_data / "superni_tasks"
    assert recognise(folder / "task591_sciq_answer_generation.json") == "superni"
    reader = open_source(folder)
    records = list(reader.records())
    assert (len(records), [one.path for one in reader.left_out]) == (2268, ["SOURCE.md"])
    counts = Counter(record.extra["task"] for record in records)
    assert counts == {task: count for task, (count, *_) in SHARED.items()}
    for record in records:
        facts = record.extra["category"], record.extra["generation"], record.licence
        assert facts == SHARED[record.extra["task"]][1:]
        assert "other_outputs" not in record.extra
    assert len({(record.extra["task"], record.prompt) for record in records}) == 2268
    assert len({record.external_id for record in records}) == 2268
