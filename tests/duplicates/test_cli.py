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
        (("dedup", "PROJECT", "--method", "translation"), 2, "translation"),
        (("dedup", "PROJECT", "--lexical-threshold", "0.1"), 1, "makes no sense"),
        (("duplicates", "settle", "PROJECT", "1"), 2, "--keep"),
        (("duplicates", "removed", "PROJECT", "--out", "x.txt"), 2, ".jsonl"),
        (("duplicates", "judge", "PROJECT", "example:1", "example:2", "same"), 1, "nothing to judge"),
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


def test_clusters_are_listed_settled_told_and_undone(handpicked, database, people, pool, tmp_path):
    handpicked("dedup", pool)
    listed = json.loads(handpicked("duplicates", "clusters", pool, "--json").stdout)["clusters"]
    assert {tuple(one["texts"]) for one in listed} == {
        (f"candidate:{SITE}/3", f"candidate:{SITE}/4"), (f"candidate:{SITE}/1", f"candidate:{SITE}/2"),
    }  # fmt: skip
    number, keep = str(listed[0]["pair"]), listed[0]["texts"][1]
    settled = json.loads(
        handpicked("duplicates", "settle", pool, number, "--keep", keep, "--reason", "Older.", "--json").stdout
    )
    assert (settled["rejected"], settled["reason"]) == (listed[0]["texts"][0], "Older.")
    out = tmp_path / "removed.jsonl"
    told = json.loads(handpicked("duplicates", "removed", pool, "--out", str(out), "--json").stdout)["removals"]
    assert [(row["removed"], row["kept"], row["why"]) for row in told] == [(settled["rejected"], keep, "Older.")]
    assert [json.loads(line) for line in out.read_text("utf-8").splitlines()] == told
    handpicked("duplicates", "undo", pool, str(settled["id"]))
    assert json.loads(handpicked("duplicates", "removed", pool, "--json").stdout) == {"removals": []}


def test_thresholds_are_read_and_pairs_judged(handpicked, pool):
    assert "No look has counted pairs yet" in handpicked("duplicates", "thresholds", pool).stdout
    handpicked("dedup", pool)
    read = json.loads(handpicked("duplicates", "thresholds", pool, "--json").stdout)
    assert (read["threshold"], read["floor"], read["judged"]) == (0.9, 0.7, 0)
    [ready] = read["to_judge"]
    judged = handpicked("duplicates", "judge", pool, ready["left"], ready["right"], "different", "--json")
    assert json.loads(judged.stdout)["verdict"] == "keep_both"
    read = json.loads(handpicked("duplicates", "thresholds", pool, "--json").stdout)
    at = next(one for one in read["readings"] if one["from"] == 0.9)
    assert (read["judged"], read["to_judge"], at["pairs"], at["precision"]["share"]) == (1, [], 1, 0.0)
