"""Files of benchmark prompts: whatever form their rows have, only what is asked is read, each prompt once."""

import json

import pytest

from app.duplicates.benchmarks.reading import MOST_PROMPTS, UnfitList, read_list

LONGEST = 1 << 20
TWO = ["Why is the sky blue?", "How do I boil an egg?"]


def read(tmp_path, text, name="prompts.jsonl"):
    path = tmp_path / "upload"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_list(path, name, LONGEST)


def rows(*values):
    return "".join(json.dumps(value) + "\n" for value in values)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (rows(*({"prompt": one} for one in TWO)), "p.jsonl"),
        (rows(*({"question_id": place, "turns": [one]} for place, one in enumerate(TWO))), "mt.jsonl"),
        (rows(*({"question_id": place, "text": one, "category": "g"} for place, one in enumerate(TWO))), "v.jsonl"),
        (rows(*({"messages": [{"role": "user", "content": one}]} for one in TWO)), "m.jsonl"),
        (rows(*({"conversations": [{"from": "human", "value": one}]} for one in TWO)), "s.jsonl"),
        (json.dumps([{"instruction": one, "output": "", "generator": "x"} for one in TWO]), "alpaca_eval.json"),
        (json.dumps([{"instruction": one} for one in TWO], indent=2), "a.json"),
        (json.dumps(TWO), "plain.json"),
        ("id,question,answer\n" + "".join(f'{n},"{one}",\n' for n, one in enumerate(TWO)), "q.csv"),
        ("prompt\n" + "".join(f'"{one}"\n' for one in TWO), "one.csv"),
        ("id\tquestion\n" + "".join(f"{n}\t{one}\n" for n, one in enumerate(TWO)), "q.tsv"),
        ("\n".join(TWO) + "\n\n", "lines.txt"),
        ("\r\n".join(TWO), "lines.txt"),
    ],
)  # fmt: skip
def test_prompts_are_read_whatever_the_rows_look_like(tmp_path, text, name):
    found = read(tmp_path, text, name)
    assert [prompt for _, prompt in found.prompts] == TWO
    assert (found.file_name, found.records, len(found.sha256)) == (name, 2, 64)


def test_lines_with_commas_are_lines_and_no_table(tmp_path):
    text = "Name, in order, the planets, please.\nWrite, for a child, about rain, and snow.\n"
    found = read(tmp_path, text, "prompts.txt")
    assert [line for line, _ in found.prompts] == [1, 2]
    assert found.prompts[0][1] == "Name, in order, the planets, please."


def test_what_is_asked_about_belongs_to_the_prompt(tmp_path):
    found = read(tmp_path, rows({"instruction": "Sum it up.", "input": "A long text.", "output": "Short."}))
    assert found.prompts == [(1, "Sum it up.\n\nA long text.")]
    task = {"instruction": "Sum it up.", "instances": [{"input": "One text.", "output": "1"}, {"input": "Two texts."}]}
    found = read(tmp_path, rows(task))
    assert [prompt for _, prompt in found.prompts] == ["Sum it up.\n\nOne text.", "Sum it up.\n\nTwo texts."]


def test_each_prompt_counts_once_and_later_turns_only_where_they_say_enough(tmp_path):
    later = "Rewrite your previous response. Start every sentence with the letter A."
    found = read(tmp_path, rows({"turns": [TWO[0], later]}, {"turns": [TWO[0].upper(), "Shorter, please."]}))
    assert (found.records, [prompt for _, prompt in found.prompts]) == (2, [TWO[0], later])


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("", "p.jsonl", "the file is empty"),
        (b"\x00\x01\x02", "p.bin", "UTF-16"),
        (rows({"prompt": TWO[0]}, {"prompt": ""}), "p.jsonl", "line 2: prompt is empty"),
        (rows({"prompt": TWO[0]}) + "{broken\n", "p.jsonl", "line 2:"),
        (rows({"a": "x", "b": "y"}), "p.jsonl", "no column is a prompt"),
        ("<html><body>prompts</body></html>", "p.html", "neither rows"),
        (b"PK\x05\x06" + b"\0" * 20, "p.zip", "ZIP"),
    ],
)
def test_what_is_no_list_is_refused_whole_with_its_place(tmp_path, text, name, words):
    with pytest.raises(UnfitList, match="Nothing was kept") as refused:
        read(tmp_path, text, name)
    assert words in refused.value.message


def test_more_prompts_than_are_taken_are_refused(tmp_path, monkeypatch):
    assert MOST_PROMPTS == 100_000
    monkeypatch.setattr("app.duplicates.benchmarks.reading.MOST_PROMPTS", 1)
    with pytest.raises(UnfitList, match="more than 1 prompts"):
        read(tmp_path, rows(*({"prompt": one} for one in TWO)))


def test_a_path_where_nothing_is_says_so(tmp_path):
    with pytest.raises(UnfitList, match="there is no file at"):
        read_list(tmp_path / "absent.jsonl", "absent.jsonl", LONGEST)
