"""`handpicked import` on the bundled sample and on real data: counts, report, idempotence, one document, exit codes."""

import json
import re
import subprocess
import sys

import pytest
from sqlalchemy import select

from app import sample
from app.sources import queries
from app.sources.models import Candidate, ImportRun
from tests.sources import rooms

KEYS = {"format", "records", "funnel", "created", "unchanged", "flagged", "errors", "seconds", "peak_rss_mb"}
EXPECTED = json.loads(sample.expected_file().read_text("utf-8"))["dump"]
# The first person inside code or a formula does not count, which EXPECTED.json, made with a plain pattern, cannot know.
REAL = {
    "se_coffee_2015": ("coffee.stackexchange.com", 35, 7),
    "se_quantumcomputing_2018": ("quantumcomputing.stackexchange.com", 77, 46),
}


@pytest.fixture
def environment(settings, monkeypatch):
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", settings.url)
    monkeypatch.setenv("HANDPICKED_DATA_DIR", str(settings.data_dir))


@pytest.fixture
def handpicked(handpicked, people):
    """Runs `import`, or another command, on the project."""

    def run(*words, project=None, command=("import",)):
        return handpicked(*command, project or people.project.slug, *words)

    return run


def document(ended):
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.parametrize("folder", REAL)
def test_real_dumps_end_in_the_expected_funnel_and_the_second_import_creates_nothing(
    database, handpicked, people, shared_data, tmp_path, folder
):
    site, after_score, after_length = REAL[folder]
    expected = json.loads((shared_data / folder / "EXPECTED.json").read_text("utf-8"))
    words = (shared_data / folder, "--site", site, "--rules", "lima", "--report", tmp_path / "r.jsonl", "--json")
    found = document(handpicked(*words))
    assert set(found) >= KEYS
    assert (found["format"], found["records"], found["errors"]) == ("stackexchange", expected["answers"], [])
    assert [row["rule"] for row in found["funnel"]] == ["top_answer", "score", "length", "first_person", "references"]
    kept = {row["rule"]: row["kept"] for row in found["funnel"]}
    assert (kept["score"], kept["length"]) == (after_score, after_length)
    lines = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text("utf-8").splitlines()]
    assert len(lines) == found["records"]
    final = {int(line["external_id"]) for line in lines if line["decision"] == "kept"}
    assert set(expected["final_answer_ids"]) <= final
    assert len(final) == found["created"] == kept["references"]
    for row in found["funnel"]:
        assert sum(line["rule"] == row["rule"] for line in lines) == row["dropped"]
    second = document(handpicked(*words))
    assert (second["created"], second["unchanged"]) == (0, found["created"])
    with database.reading() as session:
        stored = session.scalars(select(Candidate)).all()
    assert {int(candidate.external_id) for candidate in stored} == final
    assert all(candidate.licence and candidate.url.startswith(f"https://{site}/a/") for candidate in stored)


def test_answer_140_keeps_its_list_and_loses_its_image(database, handpicked, people, shared_data):
    document(handpicked(shared_data / "se_coffee_2015", "--site", "coffee.stackexchange.com", "--json"))
    with database.reading() as session:
        candidate = session.scalar(select(Candidate).where(Candidate.external_id == "140"))
    answer = candidate.messages[-1]["content"]
    assert any(line.lstrip().startswith(("- ", "* ", "1. ")) for line in answer.splitlines())
    assert "<img" not in answer
    assert "![" not in answer
    assert "](http" not in answer


def test_alpaca_rows_that_stand_there_twice_come_in_once(handpicked, shared_data):
    path = shared_data / "finetune_formats" / "alpaca_en_demo.json"
    found = document(handpicked(path, "--json"))
    assert (found["format"], found["records"]) == ("alpaca", 999)
    assert found["created"] + sum(row["dropped"] for row in found["funnel"]) == 999
    assert found["created"] == 985
    second = document(handpicked(path, "--json"))
    assert (second["created"], second["unchanged"]) == (0, 985)


def test_prompts_without_answers_are_told_and_what_stands_beside_them_is_kept(database, handpicked, shared_data):
    path = shared_data / "finetune_formats" / "gsm8k_test.parquet"
    none = "None of the 1,319 records has a response: they come in as prompts without answers."
    mapped = "If the file has answers, read it as a table and say which column they are."
    ended = handpicked(path)
    assert f"{none} {mapped}" in ended.stdout
    with database.reading() as session:
        extra = session.scalars(select(Candidate.extra).order_by(Candidate.id).limit(1)).one()
    assert extra["columns"]["extra_info"]["answer"].endswith("#### 18")
    assert extra["columns"]["reward_model"] == {"ground_truth": "18", "style": "rule"}
    answered = ("--map", "prompt=extra_info.question", "--map", "response=extra_info.answer", "--json")
    assert "notes" not in document(handpicked(path, *answered))


def test_an_answer_in_a_later_batch_is_an_answer(handpicked, tmp_path):
    rows = [{"conversations": [f"{number}?"]} for number in range(1001)] + [{"conversations": ["q", "a"]}]
    (tmp_path / "some.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    some = document(handpicked(tmp_path / "some.jsonl", "--json"))
    words = "1,001 of the 1,002 kept records have no response: they come in as prompts without answers."
    assert (some["unanswered"], some["notes"]) == (1001, [words])
    (tmp_path / "none.jsonl").write_text(json.dumps(rows[0]))
    assert document(handpicked(tmp_path / "none.jsonl", "--json"))["notes"][0].startswith("The record has no response:")


def test_dialogues_are_kept_whole(database, handpicked, shared_data):
    path = shared_data / "fastchat_questions" / "sharegpt_dummy_conversation.json"
    rows = json.loads(path.read_text("utf-8"))
    found = document(handpicked(path, "--json"))
    assert (found["format"], found["records"], found["created"]) == ("sharegpt", len(rows), len(rows))
    with database.reading() as session:
        stored = {one.external_id: one.messages for one in session.scalars(select(Candidate))}
    for row in rows:
        assert [turn["content"] for turn in stored[row["id"]]] == [turn["value"] for turn in row["conversations"]]
    assert document(handpicked(path, "--json"))["created"] == 0


def test_the_command_runs_in_a_process_of_its_own(environment, people):
    words = ["import", people.project.slug, str(sample.dump_folder()), "--site", rooms.SITE, "--json"]
    ended = subprocess.run([sys.executable, "-m", "app.cli", *words], capture_output=True, text=True, check=False)
    assert document(ended)["created"] == len(EXPECTED["final_answer_ids"])


def test_people_read_words_and_pipelines_one_document(handpicked):
    words = handpicked(sample.dump_folder(), "--site", rooms.SITE)
    assert words.returncode == 0
    assert f"{EXPECTED['answers']} records read" in words.stdout
    assert "top_answer" in words.stdout
    again = handpicked(sample.dump_folder(), "--site", rooms.SITE, "--json")
    assert len(again.stdout.splitlines()) == 1
    assert json.loads(again.stdout)["created"] == 0


def test_several_paths_give_one_document_of_sums(handpicked, tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps({"conversations": [name, "x"]}) + "\n")
    found = document(handpicked(tmp_path / "a.jsonl", tmp_path / "b.jsonl", "--json", "--report", tmp_path / "r.jsonl"))
    assert (found["records"], found["created"], len(found["imports"])) == (2, 2, 2)
    assert len((tmp_path / "r.jsonl").read_text().splitlines()) == 2


def test_the_files_of_a_dump_are_one_import(handpicked):
    folder = sample.dump_folder()
    found = document(handpicked(folder / "Posts.xml", folder / "Users.xml", "--site", rooms.SITE, "--json"))
    assert found["records"] == EXPECTED["answers"]
    assert "imports" not in found


def test_rules_from_a_file(handpicked, tmp_path):
    (tmp_path / "rules.toml").write_text("[rules]\nscore = { minimum = 30 }\n")
    found = document(
        handpicked(sample.dump_folder(), "--site", rooms.SITE, "--rules", tmp_path / "rules.toml", "--json")
    )
    assert [row["rule"] for row in found["funnel"]] == ["score"]


def test_into_the_set_keeps_splits(handpicked, database):
    from app.examples.models import Example

    found = document(handpicked(sample.pairs_file(), "--into", "set", "--source", "authors", "--json"))
    assert found["created"] == 30
    with database.reading() as session:
        splits = [example.split.value for example in session.scalars(select(Example))]
    assert (splits.count("train"), splits.count("dev"), splits.count("test")) == (22, 4, 4)


REFUSED = {
    "an empty file": ("x.jsonl", b"", "empty"),
    "a truncated dump": ("Posts.xml", b'<posts>\n<row Id="1" PostTypeId="1" Sco', "Line 2"),
    "entities": ("Posts.xml", b'<!DOCTYPE posts [<!ENTITY a "x">]>\n<posts/>', "entities"),
    "invalid UTF-8": ("x.jsonl", b'{"conversations": ["caf\xe9", "x"]}\n', "UTF-8"),
    "one broken line in a thousand": (
        "x.jsonl",
        b"".join(json.dumps({"conversations": [str(n), "r"]}).encode() + b"\n" for n in range(616))
        + b"{broken\n"
        + b"".join(json.dumps({"conversations": [str(n), "r"]}).encode() + b"\n" for n in range(617, 1000)),
        "line 617",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_ends_with_1_and_a_sentence_and_leaves_nothing(database, handpicked, tmp_path, case):
    name, content, words = REFUSED[case]
    (tmp_path / name).write_bytes(content)
    ended = handpicked(tmp_path / name, "--site", "a.example.org", "--json")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
    with database.reading() as session:
        assert session.scalars(select(Candidate)).all() == []


def test_the_broken_line_can_be_left_out(handpicked, tmp_path):
    _, content, _ = REFUSED["one broken line in a thousand"]
    (tmp_path / "x.jsonl").write_bytes(content)
    found = document(handpicked(tmp_path / "x.jsonl", "--skip-bad", "--json"))
    assert found["created"] == 999
    assert [error["line"] for error in found["errors"]] == [617]


def test_what_is_left_out_beyond_the_first_is_counted_and_reported(handpicked, tmp_path):
    rows = [json.dumps({"conversations": ["Why?", "So."]}), *["{broken"] * 1050]
    (tmp_path / "x.jsonl").write_text("\n".join(rows), "utf-8")
    said = handpicked(tmp_path / "x.jsonl", "--skip-bad", "--report", tmp_path / "r.jsonl").stdout
    assert said.count("it is not valid JSON") == 20
    assert re.search(r"\n  and 1,030 more: http://127\.0\.0\.1:8000/projects/[\w-]+/imports/\d+\n$", said)
    report = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text("utf-8").splitlines()]
    assert [line.get("line") for line in report] == [None, *range(2, 1052)]


@pytest.mark.parametrize(("words", "code"), [
    ((sample.dump_folder(),), 1), ((sample.dump_folder(), "--site", "no site"), 1),
    ((sample.dump_folder(), "--site", "stackapps.com"), 1), ((sample.pairs_file(), "--source", "nonsense"), 1),
    ((sample.pairs_file(), "--rules", "/nonexistent.json"), 1),
    ((sample.pairs_file(), "--as", "nobody@example.org"), 1),
    (("/nonexistent",), 2), ((), 2), ((sample.pairs_file(), "--format", "nonsense"), 2),
    ((sample.pairs_file(), "--into", "nowhere"), 2), ((sample.pairs_file(), "--report", "/nonexistent/r.jsonl"), 2),
    ((sample.pairs_file(), "--nonsense"), 2),
])  # fmt: skip
def test_refusals_end_with_1_and_wrong_usage_with_2(database, handpicked, words, code):
    ended = handpicked(*words, "--json")
    assert ended.returncode == code
    assert ended.stdout == ""
    assert ended.stderr.strip()
    assert "Traceback" not in ended.stderr
    with database.reading() as session:
        assert session.scalars(select(ImportRun)).all() == []


def test_an_unknown_project_is_named(handpicked):
    ended = handpicked(sample.pairs_file(), project="nonesuch")
    assert ended.returncode == 1
    assert "no project nonesuch" in ended.stderr


def test_somebody_who_is_no_member_is_refused(handpicked, people):
    assert handpicked(sample.pairs_file(), "--as", people.stranger.email).returncode == 1
    assert handpicked(sample.pairs_file(), "--as", people.annotator.email).returncode == 0


def test_a_dropped_record_is_restored_from_the_shell(database, settings, handpicked, people):
    run = rooms.imported(database, settings, people, sample.dump_folder())
    with database.reading() as session:
        row = session.scalars(queries.records_dropped_by(run, "score").limit(1)).one()
    command = ("pool", "restore-dropped")
    first, again = (document(handpicked(run.id, row.number, "--json", command=command)) for _ in range(2))
    assert first == again
    said = handpicked(run.id, row.number, row.number + 1, command=command)
    assert said.stdout == "Restored: 1 record.\nRestored before, so nothing to do: 1 record.\n", said.stderr
    with database.reading() as session:
        assert session.get_one(Candidate, first["restored"][0]).external_id == row.external_id
