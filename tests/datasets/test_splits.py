"""Splits of a project: shown first, moved as one, taken back; approvals stay and nothing leaks."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.accounts.models import AuditEntry
from app.cli import build
from app.config import Settings
from app.datasets.models import SplitPlan
from app.datasets.operations import freeze_version
from app.datasets.splits import operations as splits
from app.datasets.splits.splitting import Asked
from app.db import Database
from app.duplicates.models import DuplicatePair, DuplicateScan, Method, On, Verdict
from app.errors import Denied
from app.examples import linking
from app.examples.models import Example, ExampleState
from app.projects.models import AuthorGroup, Project, Split
from tests import factories
from tests.datasets.material import approve, dialogue

ASKED = Asked(dev=5, test=10, seed=7)
Browser = Callable[..., TestClient]


def fill(session: Session, people: factories.People, count: int, first: int = 0) -> list[int]:
    """Approved train examples of two sources, by number."""
    return [
        approve(
            session, people.project, people.annotator, people.reviewer, dialogue(f"Question {number} of many"),
            source="authors" if number % 2 else "wikihow",
        ).id
        for number in range(first, first + count)
    ]  # fmt: skip


@pytest.fixture
def numbers(database: Database, people: factories.People) -> list[int]:
    with database.writing() as session:
        return fill(session, people, 40)


def pair(session: Session, project: Project, left: str, right: str, **more: Any) -> DuplicatePair:
    scan = DuplicateScan(project_id=project.id, methods=["embedding"], on="prompt", threshold=0.9)
    session.add(scan)
    session.flush()
    values = {"on": On.PROMPT, "method": Method.EMBEDDING, "score": 0.95, "leak": False} | more
    made = DuplicatePair(project_id=project.id, scan_id=scan.id, left_key=left, right_key=right, **values)
    session.add(made)
    session.flush()
    return made


def standing(database: Database, people: factories.People) -> dict[int, Split]:
    with database.reading() as session:
        rows = session.execute(select(Example.id, Example.split).where(Example.project_id == people.project.id))
        return {row.id: row.split for row in rows}


def test_what_is_shown_is_moved_and_what_is_moved_goes_back(
    database: Database, people: factories.People, numbers: list[int]
) -> None:
    before = standing(database, people)
    with database.reading() as session:
        shown = splits.look(session, people.project, ASKED)
    assert standing(database, people) == before
    with database.writing() as session:
        plan, drawn = splits.apply(session, people.lead, people.project, ASKED, shown.fingerprint)
    assert drawn.moves == shown.moves
    after = standing(database, people)
    assert Counter(after.values()) == {Split.TRAIN: 25, Split.TEST: 10, Split.DEV: 5}
    assert {(move.id, Split(move.after)) for move in shown.moves} <= set(after.items())
    with database.writing() as session:
        assert splits.undo(session, people.lead, people.project) == (session.get_one(SplitPlan, plan.id), 15)
    assert standing(database, people) == before
    with pytest.raises(splits.NothingToUndo), database.writing() as session:
        splits.undo(session, people.lead, people.project)
    with database.reading() as session:
        actions = session.scalars(select(AuditEntry.action).where(AuditEntry.action.contains("splits"))).all()
    assert actions == ["draw splits", "undo splits"]


def test_approvals_stay_and_the_next_version_has_the_splits(
    database: Database, people: factories.People, numbers: list[int]
) -> None:
    with database.writing() as session:
        before = freeze_version(session, people.lead, people.project, name="before")
        splits.apply(session, people.lead, people.project, ASKED)
        states = session.scalars(select(Example.state).where(Example.project_id == people.project.id)).all()
        after = freeze_version(session, people.lead, people.project, name="after")
    assert set(states) == {ExampleState.APPROVED}
    assert after.manifest["examples"] == {"train": 25, "dev": 5, "test": 10}
    assert before.manifest["examples"] == {"train": 40, "dev": 0, "test": 0}


def test_the_same_seed_fills_the_same_set_in_the_same_way_whatever_the_order(
    database: Database, people: factories.People, numbers: list[int]
) -> None:
    with database.writing() as session:
        other = factories.project(session, people.lead)
        backwards = factories.People(other, *(getattr(people, name) for name in PEOPLE))
        for number in reversed(range(40)):
            fill(session, backwards, 1, number)
        for project in (people.project, other):
            splits.apply(session, people.lead, project, ASKED)
        first, second = (
            freeze_version(session, people.lead, project, name="v1") for project in (people.project, other)
        )
    assert first.sha256 == second.sha256


PEOPLE = ("annotator", "colleague", "reviewer", "lead", "admin", "stranger")


def test_what_was_found_alike_stays_together_whatever_was_decided_about_it(
    database: Database, people: factories.People, numbers: list[int]
) -> None:
    with database.writing() as session:
        for at, verdict in zip(range(0, 20, 2), [Verdict.OPEN, Verdict.KEEP_BOTH] * 5, strict=True):
            keys = f"example:{numbers[at]}", f"example:{numbers[at + 1]}"
            pair(session, people.project, *keys, verdict=verdict)
        german = approve(session, people.project, None, people.reviewer, dialogue("Ganz andere Worte"))
        german.language = "de"
        linking.link(session, people.lead, german, session.get_one(Example, numbers[30]))
        twin = approve(session, people.project, None, people.reviewer, dialogue("  QUESTION 31 of many ", "Otherwise."))
        splits.apply(session, people.lead, people.project, Asked(10, 20, 3))
        together = [(numbers[at], numbers[at + 1]) for at in range(0, 20, 2)]
        together += [(german.id, numbers[30]), (twin.id, numbers[31])]
    after = standing(database, people)
    assert all(after[left] is after[right] for left, right in together)
    assert Counter(after.values())[Split.TEST] == 20


def test_a_leak_between_splits_is_none_any_more_once_both_stand_in_one(
    database: Database, people: factories.People, numbers: list[int]
) -> None:
    with database.writing() as session:
        held = session.get_one(Example, numbers[0])
        held.split = Split.TEST
        leak = pair(session, people.project, f"example:{numbers[0]}", f"example:{numbers[1]}", leak=True)
        number = leak.id
        splits.apply(session, people.lead, people.project, Asked(0, 2, 1))
    with database.writing() as session:
        assert session.get_one(Example, numbers[1]).split is Split.TEST
        assert session.get_one(DuplicatePair, number).leak is False
        splits.undo(session, people.lead, people.project)
        assert session.get_one(DuplicatePair, number).leak is True


def test_a_pair_kept_without_a_reason_that_becomes_a_leak_is_asked_again(
    database: Database, people: factories.People, numbers: list[int]
) -> None:
    with database.writing() as session:
        session.get_one(Example, numbers[0]).split = Split.DEV
        one = session.get_one(Example, numbers[1])
        one.author_group = AuthorGroup.B
        kept = pair(session, people.project, f"example:{numbers[0]}", f"example:{numbers[1]}", leak=True)
        session.flush()
        drawn = splits.look(session, people.project, Asked(1, 5, 1))
        assert [sorted(member.id for member in group.members) for group in drawn.torn] == [numbers[:2]]
        candidate = pair(session, people.project, "candidate:a/1", f"example:{numbers[5]}", verdict=Verdict.KEEP_BOTH)
        splits.apply(session, people.lead, people.project, Asked(1, 39, 1))
        assert kept.leak is True
        assert candidate.leak is False, "what is no candidate here any more leaks nothing"


def test_only_an_admin_of_the_project_draws(database: Database, people: factories.People, numbers: list[int]) -> None:
    for person in (people.annotator, people.reviewer, people.stranger):
        with pytest.raises(Denied), database.writing() as session:
            splits.apply(session, person, people.project, ASKED)


def test_other_moves_than_those_shown_are_not_made(
    database: Database, people: factories.People, numbers: list[int]
) -> None:
    with database.reading() as session:
        shown = splits.look(session, people.project, ASKED)
    with database.writing() as session:
        fill(session, people, 30, 100)
    with pytest.raises(splits.OtherMoves), database.writing() as session:
        splits.apply(session, people.lead, people.project, ASKED, shown.fingerprint)
    assert set(standing(database, people).values()) == {Split.TRAIN}


def test_what_somebody_moved_since_stays_where_they_put_it(
    database: Database, people: factories.People, numbers: list[int]
) -> None:
    with database.writing() as session:
        plan, drawn = splits.apply(session, people.lead, people.project, ASKED)
        moved = next(move for move in drawn.moves if move.after == "test")
        session.get_one(Example, moved.id).split = Split.DEV
    with database.writing() as session:
        _, back = splits.undo(session, people.lead, people.project)
    assert back == len(plan.moves) - 1
    assert standing(database, people)[moved.id] is Split.DEV


def test_what_is_not_approved_is_not_drawn_and_what_is_rejected_is_not_looked_at(
    database: Database, people: factories.People, numbers: list[int]
) -> None:
    with database.writing() as session:
        for number, state in zip(
            numbers, (ExampleState.DRAFT, ExampleState.REVIEW, ExampleState.REJECTED), strict=False
        ):
            session.get_one(Example, number).state = state
        session.flush()
        drawn = splits.look(session, people.project, Asked(0, 40, 1))
    assert {move.id for move in drawn.moves} == set(numbers[3:])


def test_groups_of_authors_and_missing_responses_bind_the_draw(
    database: Database, people: factories.People, numbers: list[int]
) -> None:
    with database.writing() as session:
        for number in numbers[:20]:
            session.get_one(Example, number).author_group = AuthorGroup.A
        alone = approve(session, people.project, None, people.reviewer, dialogue("Alone", None), split=Split.TEST).id
        session.flush()
        splits.apply(session, people.lead, people.project, Asked(5, 12, 1, redraw=True))
    after = standing(database, people)
    assert Split.TEST not in {after[number] for number in numbers[:20]}
    assert after[alone] is not Split.TRAIN


def test_the_page_shows_moves_and_takes_back(
    browser: Browser, database: Database, people: factories.People, numbers: list[int]
) -> None:
    client, here = browser(people.lead), f"/projects/{people.project.slug}/splits"
    shown = client.get(f"{here}?dev=5&test=10&seed=7")
    assert "The rule would move 15 examples:" in shown.text
    assert 'aria-current="page">Versions' in shown.text
    assert set(standing(database, people).values()) == {Split.TRAIN}
    form = {"dev": "5", "test": "10", "seed": "7", "by": "source", "fingerprint": "0" * 64}
    assert client.post(here, data=form).status_code == 409
    with database.reading() as session:
        form["fingerprint"] = splits.look(session, people.project, ASKED).fingerprint
    assert form["fingerprint"] in shown.text
    moved = client.post(here, data=form)
    assert (moved.status_code, moved.headers["location"]) == (303, f"{here}?dev=5&test=10&seed=7&by=source")
    assert Counter(standing(database, people).values())[Split.TEST] == 10
    done = client.get(f"{here}?dev=5&test=10&seed=7").text
    assert "Nothing would move." in done
    assert "Moved: 15 examples." in done
    back = client.post(f"{here}/undoing")
    assert (back.status_code, back.headers["location"]) == (303, f"{here}?dev=5&test=10&seed=7&by=source")
    assert set(standing(database, people).values()) == {Split.TRAIN}
    assert client.post(f"{here}/undoing").status_code == 409


def test_the_page_of_an_empty_project_says_what_to_do(browser: Browser, people: factories.People) -> None:
    shown = browser(people.lead).get(f"/projects/{people.project.slug}/splits")
    assert shown.status_code == 200
    assert "Nothing to draw from" in shown.text


def test_what_cannot_be_asked_is_refused_beside_its_field(
    browser: Browser, database: Database, people: factories.People, numbers: list[int]
) -> None:
    client, here = browser(people.lead), f"/projects/{people.project.slug}/splits"
    page = client.get(f"{here}?dev=-1&test=7&seed=x&weather=1")
    assert page.status_code == 422
    assert 'name="dev" type="number" value="-1" aria-describedby="dev-error" aria-invalid="true"' in page.text
    assert 'id="dev-error">This must be at least 0.' in page.text
    assert 'id="seed-error">This must be a whole number.' in page.text
    assert 'name="test" type="number" value="7"' in page.text
    assert "weather: There is no such field here." in page.text
    assert "Nothing was drawn:" in page.text
    assert "What would move" not in page.text
    assert 'name="fingerprint"' not in page.text


def test_the_page_asks_for_numbers_that_are_any(browser: Browser, people: factories.People) -> None:
    here = f"/projects/{people.project.slug}/splits"
    for query in ("dev=-1", "test=x", "seed=9999999999", "by=luck", "weather=1"):
        assert browser(people.lead).get(f"{here}?{query}").status_code == 422


def test_the_page_costs_the_same_for_few_and_many(
    browser: Browser, database: Database, people: factories.People, numbers: list[int]
) -> None:
    client = browser(people.lead)

    def queries() -> int:
        counted: list[str] = []

        def count(*said: Any) -> None:
            counted.append(said[2])

        event.listen(database.engine, "before_cursor_execute", count)
        assert client.get(f"/projects/{people.project.slug}/splits?dev=2&test=2").status_code == 200
        event.remove(database.engine, "before_cursor_execute", count)
        return len(counted)

    few = queries()
    with database.writing() as session:
        fill(session, people, 60, 100)
    assert queries() == few


def test_hidden_tests_are_for_leads_alone(
    browser: Browser, database: Database, people: factories.People, numbers: list[int]
) -> None:
    with database.writing() as session:
        session.get_one(Project, people.project.id).tests_hidden = True
        splits.apply(session, people.lead, people.project, ASKED)
    here = f"/projects/{people.project.slug}/splits?dev=5&test=30"
    assert "Question" in browser(people.lead).get(here).text
    for person in (people.annotator, people.reviewer):
        assert browser(person).get(here).status_code == 403


def test_api_and_command_line_do_the_same(
    api: Callable[..., TestClient],
    database: Database,
    settings: Settings,
    people: factories.People,
    numbers: list[int],
    monkeypatch: pytest.MonkeyPatch,
    closing: None,
) -> None:
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", settings.url)
    client, slug = api(people.lead), people.project.slug
    here = f"/api/v1/projects/{slug}/splits"
    told = CliRunner().invoke(build(), ["splits", slug, "--dev", "5", "--test", "10", "--seed", "7", "--json"])
    document = json.loads(told.stdout)
    assert client.get(f"{here}?dev=5&test=10&seed=7").json() == {
        key: value for key, value in document.items() if key != "plan"
    }
    assert document["plan"] is None
    assert document["after"] == {"train": 25, "dev": 5, "test": 10}
    refused = client.post(here, json={"dev": 5, "test": 10, "seed": 8, "fingerprint": document["fingerprint"]})
    assert refused.status_code == 409
    made = client.post(here, json={"dev": 5, "test": 10, "seed": 7, "fingerprint": document["fingerprint"]})
    assert made.status_code == 201
    assert made.json()["moves"] == document["moves"]
    back = CliRunner().invoke(build(), ["splits", slug, "--undo", "--json"])
    assert json.loads(back.stdout) == {"plan": made.json()["plan"], "moved_back": 15, "stayed": 0}
    applied = CliRunner().invoke(build(), ["splits", slug, "--dev", "5", "--test", "10", "--seed", "7", "--apply"])
    assert "Moved: 15." in applied.stdout
    assert client.post(f"{here}/undoing").json()["moved_back"] == 15
    assert CliRunner().invoke(build(), ["splits", slug, "--undo", "--apply"]).exit_code == 2


def test_without_numbers_dev_and_test_get_their_share_of_the_target(
    api: Callable[..., TestClient], people: factories.People, numbers: list[int]
) -> None:
    found = api(people.lead).get(f"/api/v1/projects/{people.project.slug}/splits").json()
    assert (found["dev"], found["test"]) == (1, 9)


def test_nearly_the_same_words_stay_together_though_nobody_looked_for_duplicates(
    database: Database, people: factories.People, numbers: list[int]
) -> None:
    """No seed tears what the gate of leakage would find."""
    ways = [
        ("How long do I boil the moka pot on a gas stove?", "How long do I boil a moka pot on my gas stove, please?"),
        ("Why is my moka pot sputtering steam?", "why is my Moka-Pot sputtering steam"),
        ("Café?", "cafe\u0301 !"),
    ]
    with database.writing() as session:
        pairs = [
            tuple(
                approve(session, people.project, people.annotator, people.reviewer, dialogue(said)).id for said in both
            )
            for both in ways
        ]
        for seed in range(20):
            drawn = splits.look(session, people.project, Asked(dev=5, test=18, seed=seed))
            after = {move.id: move.after for move in drawn.moves}
            assert all(after.get(left) == after.get(right) for left, right in pairs)
        splits.apply(session, people.lead, people.project, Asked(dev=5, test=18, seed=7))
        version = freeze_version(session, people.lead, people.project, name="v1")
    (leakage,) = [gate for gate in version.manifest["gates"] if gate["gate"] == "leakage"]
    assert leakage["detail"].startswith("No prompt stands in two splits, no match between splits is open.")


def test_what_waits_for_approval_goes_along_with_what_is_nearly_the_same(
    database: Database, people: factories.People, numbers: list[int]
) -> None:
    with database.writing() as session:
        held, draft = (
            approve(session, people.project, people.annotator, people.reviewer, dialogue(said))
            for said in ("Which beans suit a French press best?", "Which beans best suit my French press?")
        )
        held.split, draft.state = Split.TEST, ExampleState.DRAFT
        session.flush()
        drawn = splits.look(session, people.project, Asked(dev=0, test=1, seed=1))
    assert [(move.id, move.after, move.follows) for move in drawn.moves] == [(draft.id, "test", True)]
