"""Freezing: one id for equal words, nothing changes afterwards, gates."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.accounts.models import AuditEntry
from app.datasets import queries
from app.datasets.canonical import line_of
from app.datasets.exports import VersionBroken
from app.datasets.gate_operations import set_gates
from app.datasets.models import Version, VersionRow
from app.datasets.operations import (
    BadName,
    GatesBlock,
    NameTaken,
    NothingApproved,
    ReservedName,
    freeze_version,
    parse_version,
    recheck,
    training_rows,
)
from app.db import Database
from app.duplicates.models import DuplicatePair, DuplicateScan, Method, Verdict
from app.errors import Denied, NotFound, Refusal
from app.examples import linking
from app.examples.models import Example, ExampleState
from app.projects.models import Project, Split
from app.reviews.models import ReviewVerdict
from tests import factories
from tests.datasets.material import add_revision, approve, dialogue, fixed_set

PINNED = "f091b53341e1714479f1f322898a673f47a7101e0e1215b4c42128d91b33cb59"


def state_of(version: Version, gate: str) -> dict[str, Any]:
    return next(found for found in version.manifest["gates"] if found["gate"] == gate)


def pair(session: Session, project: Project, left: str, right: str, *, leak: bool) -> DuplicatePair:
    scan = DuplicateScan(project_id=project.id, methods=["embedding"], on="prompt", threshold=0.9)
    session.add(scan)
    session.flush()
    made = DuplicatePair(
        project_id=project.id, scan_id=scan.id, left_key=left, right_key=right, on="prompt",
        method=Method.EMBEDDING, score=0.95, leak=leak,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def test_freezing_twice_gives_one_id(database: Database, kitchen: factories.People) -> None:
    with database.writing() as session:
        first = freeze_version(session, kitchen.lead, kitchen.project, name="v1")
        second = freeze_version(session, kitchen.lead, kitchen.project, name="v2")
        lines = [[row.line.text for row in queries.frozen_lines(session, version)] for version in (first, second)]
    assert first.sha256 == second.sha256
    assert lines[0] == lines[1]
    assert first.manifest["version"] == "v1"


def test_the_id_is_the_same_on_both_databases_and_in_any_order(database: Database, people: factories.People) -> None:
    with database.writing() as session:
        other = factories.project(session, people.lead)
        fixed_set(session, people.project, people.annotator, people.reviewer)
        fixed_set(session, other, people.colleague, people.lead, backwards=True)
        forwards = freeze_version(session, people.lead, people.project, name="v1")
        backwards = freeze_version(session, people.lead, other, name="other")
    assert forwards.sha256 == backwards.sha256 == PINNED


def test_equal_examples_are_two_lines(database: Database, kitchen: factories.People) -> None:
    with database.writing() as session:
        version = freeze_version(session, kitchen.lead, kitchen.project, name="v1")
        rows = session.scalars(queries.rows_of(version)).all()
    assert version.row_count == len(rows) == 7
    assert len({row.sha256 for row in rows}) == 6
    assert [row.sha256 for row in rows] == sorted(row.sha256 for row in rows)
    assert version.manifest["examples"] == {"train": 5, "dev": 1, "test": 1}


def test_a_line_holds_five_keys_and_nothing_unknown() -> None:
    said = [{"role": "user", "content": "é", "note": "x"}]
    line = line_of(split="train", source="s", messages=said, licence="", attribution={"url": None, "author": ""})
    assert line.text == (
        '{"attribution":{},"licence":null,"messages":[{"content":"é","role":"user"}],"source":"s","split":"train"}'
    )


@pytest.mark.parametrize("table", ["version", "version_row"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE {table} SET sha256 = 'x'", "DELETE FROM {table}", "UPDATE {table} SET id = id + 1000 WHERE id > 0"],
)
def test_a58_the_database_refuses_every_change(
    database: Database, kitchen: factories.People, table: str, statement: str
) -> None:
    with database.writing() as session:
        version = freeze_version(session, kitchen.lead, kitchen.project, name="v1")
    with pytest.raises(IntegrityError, match="frozen version cannot be changed"), database.writing() as session:
        session.execute(text(statement.format(table=table)))
    with database.reading() as session:
        assert recheck(session, version).sha256 == version.sha256


@pytest.mark.parametrize("position", [-1, 3, 7, 1000])
def test_a58_no_row_is_added_later_or_put_in_place_of_another(
    database: Database, kitchen: factories.People, backend: str, position: int
) -> None:
    with database.writing() as session:
        version = freeze_version(session, kitchen.lead, kitchen.project, name="v1")
    verb = "INSERT OR REPLACE" if backend == "sqlite" else "INSERT"
    columns = "version_id, position, example_id, revision_number, split, source, sha256, line"
    values = f"{version.id}, {position}, 1, 1, 'train', 's', 'x', '{{}}'"
    with pytest.raises(IntegrityError), database.writing() as session:
        session.execute(text(f"{verb} INTO version_row ({columns}) VALUES ({values})"))
    with database.reading() as session:
        assert recheck(session, version)


def test_a58_a_whole_version_is_not_replaced(database: Database, kitchen: factories.People, backend: str) -> None:
    with database.writing() as session:
        version = freeze_version(session, kitchen.lead, kitchen.project, name="v1")
    verb = "INSERT OR REPLACE" if backend == "sqlite" else "INSERT"
    columns = "id, project_id, name, sha256, row_count, manifest, frozen_by, frozen_at"
    with pytest.raises(IntegrityError), database.writing() as session:
        session.execute(text(f"{verb} INTO version ({columns}) SELECT {columns} FROM version"))  # noqa: S608
    with database.reading() as session:
        assert session.get_one(Version, version.id).sha256 == version.sha256


def test_a58_edits_after_the_freeze_do_not_reach_it(database: Database, kitchen: factories.People) -> None:
    with database.writing() as session:
        version = freeze_version(session, kitchen.lead, kitchen.project, name="v1")
    with database.writing() as session:
        example = session.scalars(select(Example).where(Example.project_id == kitchen.project.id)).first()
        assert example is not None
        add_revision(session, example, kitchen.colleague, dialogue("Other words", "entirely"), number=2)
        example.revision_number = example.approved_number = 2
        other = session.scalars(select(Example).where(Example.id != example.id)).first()
        session.delete(other)
        session.delete(session.get_one(type(kitchen.annotator), kitchen.annotator.id))
    with database.writing() as session:
        assert recheck(session, session.get_one(Version, version.id)).manifest == version.manifest
        changed = freeze_version(session, kitchen.lead, kitchen.project, name="v2")
        assert changed.sha256 != version.sha256
        assert changed.row_count == 6


def test_a58_a_name_is_never_used_twice(database: Database, kitchen: factories.People) -> None:
    with database.writing() as session:
        freeze_version(session, kitchen.lead, kitchen.project, name="v1")
    with pytest.raises(NameTaken) as refusal, database.writing() as session:
        freeze_version(session, kitchen.lead, kitchen.project, name="v1")
    assert refusal.value.status == 409
    with database.reading() as session:
        assert session.scalar(select(func.count(Version.id))) == 1


@pytest.mark.parametrize("name", ["", "a/b", "../v1", "v 1", ".v", "x" * 65, "v1\n"])
def test_a_name_is_plain(database: Database, kitchen: factories.People, name: str) -> None:
    with pytest.raises(BadName), database.writing() as session:
        freeze_version(session, kitchen.lead, kitchen.project, name=name)


@pytest.mark.parametrize("name", ["draft", "Draft", "DRAFT"])
def test_no_version_is_called_what_comparisons_call_the_next_one(
    database: Database, kitchen: factories.People, name: str
) -> None:
    with pytest.raises(ReservedName, match=f"Comparisons call {name}"), database.writing() as session:
        freeze_version(session, kitchen.lead, kitchen.project, name=name)


@pytest.mark.parametrize("who", ["annotator", "reviewer", "stranger"])
def test_only_an_admin_freezes(database: Database, kitchen: factories.People, who: str) -> None:
    with pytest.raises(Denied), database.writing() as session:
        freeze_version(session, getattr(kitchen, who), kitchen.project, name="v1")


def test_nothing_approved_is_no_version_even_with_an_override(database: Database, people: factories.People) -> None:
    with pytest.raises(NothingApproved), database.writing() as session:
        freeze_version(session, people.lead, people.project, name="v1", overrides={"approvals": "let me"})


def test_the_trail_names_who_froze_what(database: Database, kitchen: factories.People) -> None:
    with database.writing() as session:
        version = freeze_version(session, kitchen.lead, kitchen.project, name="v1")
    with database.reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "freeze version")).one()
    assert (entry.actor_id, entry.subject) == (kitchen.lead.id, "version:v1")
    assert entry.detail["id"] == f"sha256:{version.sha256}"


def test_a_prompt_in_train_and_test_blocks_until_an_admin_says_why(
    database: Database, kitchen: factories.People
) -> None:
    with database.writing() as session:
        leak = approve(
            session, kitchen.project, kitchen.annotator, kitchen.reviewer, dialogue("  WRITE a poem about leeks. ")
        )
    words = f"xample {leak.id} .train. have the same prompt"
    with pytest.raises(GatesBlock, match=words) as refusal, database.writing() as session:
        freeze_version(session, kitchen.lead, kitchen.project, name="v1", overrides={"licences": "not needed"})
    assert refusal.value.status == 409
    with database.writing() as session:
        assert session.scalar(select(func.count(Version.id))) == 0
        version = freeze_version(
            session, kitchen.lead, kitchen.project, name="v1", overrides={"leakage": "a  pilot\nonly"}
        )
    assert state_of(version, "leakage")["state"] == "overridden"
    assert state_of(version, "leakage")["reason"] == "a pilot only"
    assert "reason" not in state_of(version, "licences")


def test_a_translation_that_is_held_out_from_its_original_blocks_until_somebody_says_why(
    database: Database, kitchen: factories.People
) -> None:
    with database.writing() as session:
        original = session.scalars(select(Example).where(Example.split == Split.TRAIN).order_by(Example.id)).first()
        assert original is not None
        german = approve(
            session,
            kitchen.project,
            kitchen.annotator,
            kitchen.reviewer,
            dialogue("Ein Gedicht.", None),
            split=Split.TEST,
        )
        german.language = "de"
        linking.link(session, kitchen.annotator, german, original)
        keys = f"example:{original.id}", f"example:{german.id}"
    words = f"xample {original.id} .train. and example {german.id} .test. are translations"
    with pytest.raises(GatesBlock, match=words), database.writing() as session:
        freeze_version(session, kitchen.lead, kitchen.project, name="v1")
    with database.writing() as session:
        match = pair(session, kitchen.project, *keys, leak=True)
        match.verdict, match.effect = Verdict.KEEP_BOTH, {"kept_because": "To measure it."}
        session.flush()
        version = freeze_version(session, kitchen.lead, kitchen.project, name="v1")
    assert state_of(version, "leakage")["state"] == "warn"


def test_an_undecided_match_between_splits_blocks_and_a_decision_opens(
    database: Database, kitchen: factories.People
) -> None:
    with database.writing() as session:
        ids = session.scalars(select(Example.id).order_by(Example.id)).all()
        found = pair(session, kitchen.project, f"example:{ids[0]}", f"example:{ids[5]}", leak=True)
    with (
        pytest.raises(GatesBlock, match=f"xample {ids[0]} .train. and example {ids[5]} .test."),
        database.writing() as session,
    ):
        freeze_version(session, kitchen.lead, kitchen.project, name="v1")
    with database.writing() as session:
        match = session.get_one(DuplicatePair, found.id)
        match.verdict, match.effect = Verdict.KEEP_BOTH, {"kept_because": "Other soups."}
        session.flush()
        version = freeze_version(session, kitchen.lead, kitchen.project, name="v1")
    assert state_of(version, "leakage") == {
        "gate": "leakage",
        "state": "warn",
        "policy": "block",
        "detail": "Kept on purpose between splits: "
        f"example {ids[0]} (train) and example {ids[5]} (test) (Other soups.). 7 of 7 first prompts were not compared "
        "by meaning, for want of a vector: a worker makes one within seconds of a save, the command “handpicked gates "
        "--encode” at once.",
        "meaning": {"compared": 0, "without_vector": 7},
    }


def test_open_pairs_warn(database: Database, kitchen: factories.People) -> None:
    with database.writing() as session:
        ids = session.scalars(select(Example.id).order_by(Example.id)).all()
        pair(session, kitchen.project, f"example:{ids[0]}", f"example:{ids[1]}", leak=False)
        pair(session, kitchen.project, "candidate:a/1", f"example:{ids[1]}", leak=False)
        version = freeze_version(session, kitchen.lead, kitchen.project, name="v1")
    assert state_of(version, "duplicates") == {
        "gate": "duplicates",
        "state": "warn",
        "policy": "warn",
        "detail": "1 pair inside the set and 1 outside it wait for a decision. "
        "Nobody has looked for duplicates yet; a look through all prompts finds them.",
    }


def test_the_other_gates_say_what_they_found(database: Database, kitchen: factories.People) -> None:
    with database.writing() as session:
        approve(
            session, kitchen.project, None, None, dialogue("Imported"), verdict=ReviewVerdict.IMPORTED,
            words="checked by its publisher",
        )  # fmt: skip
        version = freeze_version(session, kitchen.lead, kitchen.project, name="v1")
    assert state_of(version, "approvals")["detail"] == (
        "7 approved by a second person, 1 approved elsewhere and imported."
    )
    assert version.manifest["approvals"]["reasons"] == ["checked by its publisher"]
    assert state_of(version, "composition")["state"] == "warn"
    assert "Other 3 of 200" in state_of(version, "composition")["detail"]
    assert state_of(version, "licences")["detail"].startswith("5 of 8 carry a licence")


def test_an_approval_of_own_words_blocks(database: Database, people: factories.People) -> None:
    with database.writing() as session:
        approve(session, people.project, people.annotator, people.annotator, dialogue("Mine"))
    with pytest.raises(GatesBlock, match="their own writer"), database.writing() as session:
        freeze_version(session, people.lead, people.project, name="v1")


@pytest.mark.parametrize("overrides", [{"weather": "why not"}, {"leakage": "   "}, {"leakage": "x" * 501}])
def test_overrides_are_checked(database: Database, kitchen: factories.People, overrides: dict[str, str]) -> None:
    with pytest.raises(Refusal, match="nothing was frozen"), database.writing() as session:
        freeze_version(session, kitchen.lead, kitchen.project, name="v1", overrides=overrides)


@pytest.mark.parametrize(
    ("gate", "policy", "words"),
    [("composition", "warn", "composition only warns"), ("approvals", "block", "approvals passes"),
     ("style", "off", "style is off")],
)  # fmt: skip
def test_what_does_not_block_is_not_overridden_in_form_api_or_command_line(
    database: Database, kitchen: factories.People, browser, api, handpicked, gate: str, policy: str, words: str
) -> None:
    with database.writing() as session:
        set_gates(session, kitchen.lead, kitchen.project, {gate: policy})
    path, said = f"/projects/{kitchen.project.slug}/versions", f"v1 was not frozen: {words}: nothing to override."
    form = browser(kitchen.lead).post(path, data={"name": "v1", f"reason_{gate}": "why not"})
    assert (form.status_code, said in form.text, 'id="freeze"' in form.text) == (422, True, True)
    body = {"name": "v1", "overrides": {gate: "why not"}}
    answer = api(kitchen.lead).post(f"/api/v1{path}", json=body)
    assert (answer.status_code, said in answer.text) == (422, True)
    done = handpicked("freeze", kitchen.project.slug, "--name", "v1", "--override", gate, "--reason", "why not")
    assert (done.returncode, said in done.stderr) == (1, True)
    with database.reading() as session:
        assert session.scalar(select(func.count(Version.id))) == 0


def test_what_is_not_approved_stays_out(database: Database, kitchen: factories.People) -> None:
    with database.writing() as session:
        for state in set(ExampleState) - {ExampleState.APPROVED}:
            example = approve(session, kitchen.project, kitchen.annotator, kitchen.reviewer, dialogue(f"In {state}"))
            example.state = state
        session.flush()
        version = freeze_version(session, kitchen.lead, kitchen.project, name="v1")
    assert version.row_count == 7


def test_people_and_counts_stand_in_the_manifest(database: Database, kitchen: factories.People) -> None:
    with database.writing() as session:
        manifest = freeze_version(session, kitchen.lead, kitchen.project, name="v1").manifest
    assert manifest["people"]["writers"] == [{"id": kitchen.annotator.id, "name": kitchen.annotator.name}]
    assert manifest["people"]["approvers"] == [{"id": kitchen.reviewer.id, "name": kitchen.reviewer.name}]
    assert manifest["frozen"]["by"]["name"] == kitchen.lead.name
    assert "@" not in str(manifest["people"])
    rows = {(row["source"], row["split"]): row["count"] for row in manifest["composition"]}
    assert rows["authors", "train"] == 3
    assert rows["wikihow", "train"] == 0


def test_a_version_is_found_by_its_reference(database: Database, kitchen: factories.People) -> None:
    with database.writing() as session:
        version = freeze_version(session, kitchen.lead, kitchen.project, name="v1")
        assert parse_version(session, f"{kitchen.project.slug}@v1").id == version.id
        for wrong in ("v1", f"{kitchen.project.slug}@v2", "@", "nobody@v1", ""):
            with pytest.raises(NotFound):
                parse_version(session, wrong)


def test_training_rows_are_the_lines(database: Database, kitchen: factories.People) -> None:
    with database.writing() as session:
        version = freeze_version(session, kitchen.lead, kitchen.project, name="v1")
        rows = list(training_rows(session, version, Split.TRAIN))
        everything = list(training_rows(session, version))
    assert len(rows) == 5
    assert len(everything) == 7
    assert {row["split"] for row in rows} == {"train"}
    assert rows[0]["messages"][0]["role"] in {"user", "system"}


def test_rows_that_were_tampered_with_are_refused(database: Database, kitchen: factories.People, backend: str) -> None:
    with database.writing() as session:
        version = freeze_version(session, kitchen.lead, kitchen.project, name="v1")
    with database.writing() as session:
        on = " ON version_row" if backend == "postgresql" else ""
        session.execute(text(f"DROP TRIGGER frozen_version_row_update{on}"))
        session.execute(text("UPDATE version_row SET line = replace(line, 'Flour', 'Sugar')"))
    with database.reading() as session, pytest.raises(VersionBroken, match="another hash"):
        training_rows(session, session.get_one(Version, version.id))


def test_two_freezes_under_one_name_at_once(database: Database, kitchen: factories.People) -> None:
    outcomes: list[str] = []

    def attempt(freeze: Callable[..., Version] = freeze_version) -> None:
        try:
            with database.writing() as session:
                freeze(session, kitchen.lead, kitchen.project, name="v1")
            outcomes.append("frozen")
        except NameTaken:
            outcomes.append("taken")

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["frozen", "taken", "taken", "taken"]
    with database.reading() as session:
        assert session.scalar(select(func.count(VersionRow.id))) == 7
