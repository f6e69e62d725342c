"""`handpicked dedup` and `handpicked duplicates`, as a shell would run them."""

import json

import pytest

from app.duplicates.models import DuplicatePair, Verdict
from tests.duplicates.rooms import GIT, KETTLE, KETTLE_AGAIN, SITE, candidate, import_run, pairs


@pytest.fixture
def pool(database, people):
    with database.writing() as session:
        run = import_run(session, people)
        candidate(session, run, "1", KETTLE)
        candidate(session, run, "2", KETTLE_AGAIN)
        candidate(session, run, "3", GIT)
        candidate(session, run, "4", GIT.lower())
    return people.project.slug


def test_dedup_prints_its_document_and_writes_its_report(handpicked, pool, tmp_path):
    report = tmp_path / "report.jsonl"
    done = handpicked("dedup", pool, "--report", str(report), "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert {"texts", "pairs", "clusters", "leaks", "seconds", "peak_rss_mb"} <= set(result)
    assert result["pairs"] == {"exact": 1, "lexical": 0, "embedding": 1}
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert [set(line) for line in lines] == [{"left", "right", "method", "score", "leak"}] * 2
    assert {(line["left"], line["right"], line["method"]) for line in lines} == {
        (f"candidate:{SITE}/1", f"candidate:{SITE}/2", "embedding"),
        (f"candidate:{SITE}/3", f"candidate:{SITE}/4", "exact"),
    }


def test_pairs_are_listed_decided_and_undone(handpicked, database, people, pool):
    assert "4 texts compared by prompt" in handpicked("dedup", pool, "--method", "exact").stdout
    listed = json.loads(handpicked("duplicates", "list", pool, "--json").stdout)["pairs"]
    number = str(listed[0]["id"])
    decided = handpicked("duplicates", "decide", pool, number, "left", "--as", people.annotator.email, "--json")
    assert decided.returncode == 0, decided.stderr
    document = json.loads(decided.stdout)
    assert (document["verdict"], document["rejected"]) == ("keep_left", f"candidate:{SITE}/4")
    clash = handpicked("duplicates", "decide", pool, number, "right")
    assert (clash.returncode, clash.stdout) == (1, "")
    assert "settled in the meantime" in clash.stderr
    assert json.loads(handpicked("duplicates", "undo", pool, number, "--json").stdout)["verdict"] == "open"
    assert [pair.verdict for pair in pairs(database, people)] == [Verdict.OPEN]
    with database.writing() as session:
        session.get_one(DuplicatePair, int(number)).leak = True
    both = handpicked("duplicates", "decide", pool, number, "both")
    assert (both.returncode, "Say why both may stay" in both.stderr) == (1, True)
    both = handpicked("duplicates", "decide", pool, number, "both", "--reason", "Other commits.", "--json")
    assert json.loads(both.stdout)["reason"] == "Other commits."


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("dedup", "PROJECT", "--method", "lexical"), 2, "lexical"),
        (("dedup", "PROJECT", "--on", "title"), 2, "title"),
        (("dedup", "PROJECT", "--threshold", "7"), 1, "makes no sense"),
        (("dedup", "nowhere"), 1, "no project nowhere"),
        (("duplicates", "decide", "PROJECT", "1", "merge"), 2, "merge"),
        (("duplicates", "undo", "PROJECT", "999"), 1, "nothing here"),
        (("duplicates", "list", "PROJECT", "--as", "nobody@example.org"), 1, "nobody"),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(handpicked, people, arguments, code, words):
    done = handpicked(*(people.project.slug if word == "PROJECT" else word for word in arguments))
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
