"""A freeze beside benchmarks: what is near to one blocks, is named by both rows, and stands in manifest and card."""

import json

import pytest

from app.datasets.formats import Format
from app.datasets.gates import GateState
from app.datasets.operations import GatesBlock, export_version, freeze_version
from app.datasets.showing import readme_of
from app.duplicates.benchmarks import operations, queries
from app.duplicates.benchmarks.models import MatchVerdict
from app.projects.models import Project, Split
from tests.datasets.gating import gate_of, put
from tests.datasets.material import only_warn
from tests.duplicates.desks import encode
from tests.duplicates.listing import ASKED, MEANT, OTHER, WORDED, compare, match_of, name_list

SECRET = "zeppelin"
LISTED = f"Which {SECRET} flew over the white cliffs of Dover first?"


def freeze(database, people, **more):
    with database.writing() as session:
        only_warn(session, people.project, "licences", "approvals", "composition")
        return freeze_version(session, people.lead, session.get_one(Project, people.project.id), name="v1", **more)


@pytest.mark.parametrize("compared", [True, False], ids=["by a worker", "at the freeze"])
def test_what_is_near_to_a_benchmark_blocks_by_line_and_example(database, settings, people, compared):
    trained, worded = put(database, people, ASKED.upper()), put(database, people, WORDED, split=Split.DEV)
    put(database, people, OTHER)
    put(database, people, ASKED, None, split=Split.TEST)
    put(database, people, "How long does ground coffee keep?")
    name_list(database, people, "Why does bread rise?", ASKED)
    if compared:
        compare(database, settings, people)
    gate = gate_of(database, people, "leakage")
    assert gate.state is GateState.BLOCK
    told = [one.told() for one in gate.findings if one.listed]
    assert told[0] == f"example {trained} (train) and TinyEval, line 2 are the same prompt"
    assert told[1].startswith(f"example {worded} (dev) and TinyEval, line 2 are alike in wording (share of words 0.")
    (listed,) = gate.lists
    assert (listed["name"], listed["compared"], listed["matched"], listed["kept"]) == ("TinyEval", 4, 2, 0)
    with pytest.raises(GatesBlock, match="TinyEval, line 2"):
        freeze(database, people)


def test_meaning_counts_at_the_freeze_as_far_as_vectors_are_stored(database, settings, people):
    name_list(database, people, ASKED)
    put(database, people, "How long does ground coffee keep?")
    encode(database, settings)
    compare(database, settings, people)
    number = put(database, people, MEANT)
    assert gate_of(database, people, "leakage").state is GateState.PASS
    encode(database, settings)
    (found,) = gate_of(database, people, "leakage").findings
    assert found.told().startswith(f"example {number} (train) and TinyEval, line 1 are alike in meaning (cosine 0.9")


def test_a_set_far_from_every_benchmark_passes_and_says_with_which_it_was_compared(database, people):
    put(database, people, OTHER)
    assert "near to" not in gate_of(database, people, "leakage").detail
    name_list(database, people, ASKED)
    gate = gate_of(database, people, "leakage")
    assert gate.state is GateState.PASS
    assert gate.detail.endswith("; nothing is near to TinyEval.")
    manifest = freeze(database, people).manifest
    (listed,) = next(gate for gate in manifest["gates"] if gate["gate"] == "leakage")["lists"]
    assert len(listed["sha256"]) == 64
    assert {name: listed[name] for name in ("name", "prompts", "compared", "matched", "kept")} == {
        "name": "TinyEval", "prompts": 1, "compared": 1, "matched": 0, "kept": 0,
    }  # fmt: skip


def test_an_override_stands_with_its_reason_and_the_lists_in_manifest_and_card(database, people, tmp_path):
    put(database, people, ASKED)
    name_list(database, people, ASKED, OTHER, licence="CC0", url="https://example.org/tiny")
    version = freeze(database, people, overrides={"leakage": "Measured by another one."})
    gate = next(gate for gate in version.manifest["gates"] if gate["gate"] == "leakage")
    assert (gate["state"], gate["reason"]) == ("overridden", "Measured by another one.")
    assert len(gate["rows"]) == 1
    with database.reading() as session:
        version = session.merge(version)
        card, out = readme_of(session, version, Format.HF), tmp_path / "out"
        export_version(session, version, Format.MESSAGES, out)
    assert "Measured by another one." in card
    told = f"TinyEval (2 prompts, file sha256:{gate['lists'][0]['sha256']}): 1 compared, 1 example near to one"
    assert told in card
    # Nothing of a list that no example says is exported.
    for path in out.rglob("*"):
        if path.is_file():
            assert OTHER.encode() not in path.read_bytes(), path
    listed = json.loads((out / "manifest.json").read_text("utf-8"))["gates"]
    assert next(one for one in listed if one["gate"] == "leakage")["lists"] == gate["lists"]


def test_what_may_stay_is_told_with_its_reason_and_holds_nothing_up(database, settings, people):
    number = put(database, people, ASKED)
    name_list(database, people, ASKED)
    compare(database, settings, people)
    match_id = match_of(database, people, number)
    with database.writing() as session:
        chosen = session.scalar(queries.match_in(people.project.id, match_id))
        operations.settle(session, people.lead, people.project, chosen, MatchVerdict.STAYS, "It is everybody's.")
    gate = gate_of(database, people, "leakage")
    assert gate.state is GateState.WARN
    assert "Kept on purpose beside a benchmark:" in gate.detail
    assert "(It is everybody's.)" in gate.detail
    assert gate.lists[0]["kept"] == 1
    assert freeze(database, people).manifest["gates"]


def test_nothing_tells_a_hidden_prompt_where_the_project_keeps_its_tests(database, people, browser, api):
    number = put(database, people, LISTED.replace(SECRET, "airship"))
    name_list(database, people, LISTED)
    with database.writing() as session:
        session.get_one(Project, people.project.id).tests_hidden = True
    slug = people.project.slug
    for answer in (
        browser(people.annotator).get(f"/projects/{slug}/gates"),
        browser(people.annotator).get(f"/projects/{slug}/gates?gate=leakage"),
        api(people.annotator).get(f"/api/v1/projects/{slug}/gates"),
        api(people.annotator).get(f"/api/v1/projects/{slug}/next-version"),
    ):
        assert answer.status_code == 200
        assert SECRET not in answer.text
        assert "wording (0." not in answer.text
    assert SECRET in browser(people.lead).get(f"/projects/{slug}/gates").text
    manifest = freeze(database, people, overrides={"leakage": "A trial."}).manifest
    assert SECRET not in json.dumps(manifest)
    gate = next(gate for gate in manifest["gates"] if gate["gate"] == "leakage")
    assert gate["detail"] == "1 pair of an example and a benchmark's prompt."
    assert f"example {number}" not in gate["detail"]
    assert "rows" not in gate


def test_a_pair_with_a_benchmark_is_no_pair_of_duplicates(database, people, browser):
    put(database, people, ASKED)
    name_list(database, people, ASKED)
    page = browser(people.lead).get(f"/projects/{people.project.slug}/gates").text
    assert f"/projects/{people.project.slug}/duplicates/leakage" in page
    with database.writing() as session:
        from app.datasets.gate_operations import put_up_leaks

        assert put_up_leaks(session, people.project) == []
