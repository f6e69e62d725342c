"""The pages of runs: the list, the plan, the run, its buttons, its answers."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from app.accounts.models import AuditEntry
from app.config import Settings
from app.db import Database
from app.jobs.models import Job, JobState, Lane
from app.runs import operations, queries
from app.runs.folders import run_folder
from app.runs.models import RunState, TrainingRun
from tests import factories
from tests.counting import count_queries
from tests.runs.conftest import STEPS, Ground, choices, look
from training.spec import RECIPES
from training.spec import settings as settings_of

Browser = Callable[..., TestClient]
Start = Callable[..., TrainingRun]


@pytest.mark.any_database
def test_a_plan_comes_before_a_run(
    browser: Browser, database: Database, settings: Settings, ground: Ground, at: str, work: Callable[..., bool]
) -> None:
    lead = browser(ground.people.lead)
    form = {f"set.{one.name}": one.default for one in settings_of("smoke")} | {"set.epochs": "3", "set.batch_size": "5"}
    answer = lead.post(at, data=choices(**form))
    assert answer.status_code == 303
    number = int(answer.headers["location"].rsplit("/", 1)[1])
    waiting = lead.get(answer.headers["location"])
    assert "Being planned" in waiting.text
    assert 'hx-trigger="load delay:2s, again"' in waiting.text
    with database.reading() as session:
        run = queries.run_by_id(session, number)
        assert (run.state, run.settings) == (RunState.PLANNED, {"epochs": "3", "batch_size": "5"})
    assert not work(), "nothing is trained before somebody says so"
    assert work(Lane.QUICK)
    page = lead.get(answer.headers["location"]).text
    assert "9 steps" in page
    assert "3 an epoch, 3 epochs. The last step of each has 2 rows instead of 5." in page
    assert "No row is cut" in page
    assert '<span class="t end">&lt;EOT&gt;</span>' in page
    assert "Memory" in page
    assert "--set epochs=3" in page
    assert lead.post(f"{at}/{number}/launch").status_code == 303
    assert look(database, run).state is RunState.QUEUED
    assert lead.post(f"{at}/{number}/launch").status_code == 409
    with database.reading() as session:
        assert session.scalar(select(func.count(Job.id)).where(Job.kind == "train")) == 1
        said = session.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"run:{number}")).all()
    assert said == ["plan run", "start run"]


def test_a_plan_can_be_put_aside(browser: Browser, database: Database, ground: Ground, at: str) -> None:
    lead = browser(ground.people.lead)
    number = int(lead.post(at, data=choices()).headers["location"].rsplit("/", 1)[1])
    assert lead.post(f"{at}/{number}/discard").headers["location"] == at
    assert lead.get(f"{at}/{number}").status_code == 404
    with database.reading() as session:
        assert session.scalars(select(Job.state).where(Job.kind == "plan_run")).all() == [JobState.CANCELLED]


def test_a_run_that_was_started_cannot_be_put_aside(browser: Browser, ground: Ground, at: str, start: Start) -> None:
    run = start()
    assert browser(ground.people.lead).post(f"{at}/{run.id}/discard").status_code == 409
    assert browser(ground.people.lead).get(f"{at}/{run.id}").status_code == 200


def test_started_at_once(browser: Browser, database: Database, ground: Ground, at: str) -> None:
    assert browser(ground.people.lead).post(at, data=choices(then="start")).status_code == 303
    with database.reading() as session:
        run = session.scalars(select(TrainingRun)).one()
        assert (run.state, run.settings) == (RunState.QUEUED, {})


def test_another_recipe_brings_its_own_values(browser: Browser, database: Database, ground: Ground, at: str) -> None:
    """Without JavaScript the form still holds the first recipe's values; only what was changed by hand counts."""
    form = {f"set.{one.name}": one.default for one in settings_of("lima")} | {"set.seed": "5"}
    data = choices(recipe="smoke", defaults_of="lima", then="start", **form)
    assert browser(ground.people.lead).post(at, data=data).status_code == 303
    with database.reading() as session:
        assert session.scalars(select(TrainingRun)).one().settings == {"seed": "5"}


def test_choosing_a_recipe_fills_the_form_again(browser: Browser, ground: Ground, at: str) -> None:
    lead = browser(ground.people.lead)
    fragment = lead.get(
        f"{at}/new", params={"recipe": "smoke", "defaults_of": "lima", "set.seed": "5", "set.batch_size": "32"},
        headers={"hx-target": "div#run-settings"},
    )  # fmt: skip
    assert "<html" not in fragment.text
    assert f'name="set.batch_size" value="{RECIPES["smoke"].batch_size}"' in fragment.text
    assert 'name="set.seed" value="5"' in fragment.text
    assert "1 value differs" in fragment.text


def test_a_clone_begins_with_the_choices_of_the_first(browser: Browser, ground: Ground, at: str, start: Start) -> None:
    run = start(seed="9")
    page = browser(ground.people.lead).get(f"{at}/new?clone={run.id}").text
    assert 'name="set.seed" value="9"' in page
    assert 'value="smoke" checked' in page
    assert "recipe: 0" in page


def test_what_was_typed_is_still_there(browser: Browser, ground: Ground, at: str) -> None:
    page = browser(ground.people.lead).post(at, data=choices(**{"set.epochs": "many", "set.seed": "77"})).text
    assert 'name="set.epochs" value="many"' in page
    assert 'name="set.seed" value="77"' in page
    assert "epochs must be a whole number from 1 to 1000, not &#39;many&#39;. Nothing was started." in page


def test_the_run_shows_what_the_trainer_wrote(
    browser: Browser, settings: Settings, ground: Ground, at: str, running: TrainingRun
) -> None:
    viewer = browser(ground.people.annotator)
    page = viewer.get(f"{at}/{running.id}").text
    assert "Epoch 3 of 4, about 2 s left." in page
    assert "Loss 3.67, down from 5.67." in page
    assert "<b>7</b> of 12 steps" in page
    assert "<b>960</b> tokens/s" in page
    assert "now 0.0016" in page
    assert "Training loss falls from 5.67 to 3.67 at step 7 of 12" in page
    assert page.count("<polyline") == 4
    table = viewer.get(f"{at}/{running.id}/steps").text
    rows = list(csv.DictReader(io.StringIO(viewer.get(f"{at}/{running.id}/steps.csv").text)))
    for row, step in zip(rows, STEPS, strict=True):
        assert (float(row["loss"]), float(row["lr"])) == (step["loss"], step["lr"])
        assert f">{step['loss']:.4f}<" in table
    assert ">4.000<" in page, "the checkpoint's loss is that of its step"


def test_the_fragment_looks_after_itself_until_the_run_is_over(
    browser: Browser, database: Database, ground: Ground, at: str, running: TrainingRun
) -> None:
    viewer = browser(ground.people.annotator)
    asked = {"hx-target": "div#run-live"}
    live = viewer.get(f"{at}/{running.id}", headers=asked)
    assert live.text.lstrip().startswith('<div id="run-live" hx-get=')
    assert live.headers["vary"] == "HX-Target"
    with database.writing() as session:
        result = {"state": "succeeded", "last_loss": 1.0}
        operations.end_run(session, queries.run_by_id(session, running.id), result)
    over = viewer.get(f"{at}/{running.id}", headers=asked).text
    assert over.lstrip().startswith('<div id="run-live">')
    assert "Done: 7 steps." in over


def test_the_state_survives_a_restart_of_the_server(
    browser: Browser, settings: Settings, ground: Ground, at: str, running: TrainingRun
) -> None:
    """Another process, another day: everything is in the row and the folder."""
    from app.main import create_app

    first = browser(ground.people.annotator)
    before = first.get(f"{at}/{running.id}", headers={"hx-target": "div#run-live"}).text
    reborn = create_app(settings, Database(settings))
    client = TestClient(reborn, base_url="http://localhost", cookies=dict(first.cookies))
    after = client.get(f"{at}/{running.id}", headers={"hx-target": "div#run-live"}).text
    assert after == before
    reborn.state.database.dispose()


def test_stop_and_resume_by_button(
    browser: Browser, database: Database, ground: Ground, at: str, running: TrainingRun
) -> None:
    lead = browser(ground.people.lead)
    assert lead.post(f"{at}/{running.id}/resumption").status_code == 409
    for _ in range(2):  # a double click changes nothing
        assert lead.post(f"{at}/{running.id}/cancellation").status_code == 303
        assert look(database, running).state is RunState.STOPPING
    assert "It stops at its next step." in lead.get(f"{at}/{running.id}").text
    with database.writing() as session:
        operations.end_run(session, queries.run_by_id(session, running.id), {"state": "stopped"})
    assert lead.post(f"{at}/{running.id}/cancellation").status_code == 409
    assert lead.post(f"{at}/{running.id}/resumption").status_code == 303
    assert look(database, running).state is RunState.QUEUED
    assert lead.post(f"{at}/{running.id}/resumption").status_code == 409


@pytest.mark.parametrize("act", ["launch", "discard", "cancellation", "resumption"])
def test_only_a_lead_trains(
    act: str, browser: Browser, database: Database, ground: Ground, at: str, running: TrainingRun
) -> None:
    for person in (ground.people.annotator, ground.people.reviewer):
        client = browser(person)
        assert client.post(f"{at}/{running.id}/{act}").status_code == 403
        assert client.post(at, data=choices()).status_code == 403
        assert client.get(f"{at}/new").status_code == 403
        page = client.get(f"{at}/{running.id}").text
        assert "Clone with a change" not in page
    assert browser(ground.people.stranger).post(f"{at}/{running.id}/{act}").status_code == 404
    assert look(database, running).state is RunState.RUNNING


PATHS = ("", "/steps", "/steps.csv", "/log.txt")


@pytest.mark.parametrize("path", PATHS)
def test_a_run_of_another_project_is_absent(
    path: str, browser: Browser, database: Database, ground: Ground, running: TrainingRun
) -> None:
    with database.writing() as session:
        factories.project(session, ground.people.lead, "other")
    lead = browser(ground.people.lead)
    for number in (running.id, 999, 0, 2**80):
        answer = lead.get(f"/projects/other/runs/{number}{path}")
        assert answer.status_code == 404, number


@pytest.mark.parametrize("number", ["..%2f1", "%252e", "1\\", "1%00", "x", "1e3", "%c0%ae"])
def test_a75_a_run_is_a_number(number: str, browser: Browser, ground: Ground, at: str, running: TrainingRun) -> None:
    assert browser(ground.people.lead).get(f"{at}/{number}/log.txt").status_code in {404, 422}


def test_a76_a_log_is_shown_as_text_and_only_its_end(
    browser: Browser, settings: Settings, ground: Ground, at: str, running: TrainingRun
) -> None:
    log = run_folder(settings, running.id).log
    evil = "\x1b[2J\x1b]0;own\x07<script>alert(1)</script>\u202etxt\r50%\r100%"
    with log.open("wb") as stream:
        stream.seek(5_000_000_000)  # a hole: 5 GB that take no room
        stream.write(b"x" * 30_000 + f"\nlast but one\n{evil}\n".encode())
    answer = browser(ground.people.annotator).get(f"{at}/{running.id}")
    assert answer.status_code == 200
    assert len(answer.content) < 200_000
    assert "&lt;script&gt;alert(1)" in answer.text
    assert "<script>alert" not in answer.text
    assert "\x1b" not in answer.text
    assert "\\x1b[2J" in answer.text
    assert "\\u202etxt\n50%\n100%" in answer.text


def test_the_whole_log_is_a_download(
    browser: Browser, settings: Settings, ground: Ground, at: str, running: TrainingRun
) -> None:
    viewer = browser(ground.people.annotator)
    assert viewer.get(f"{at}/{running.id}/log.txt").status_code == 404
    run_folder(settings, running.id).log.write_text("<b>step 1</b>\n")
    answer = viewer.get(f"{at}/{running.id}/log.txt")
    assert answer.text == "<b>step 1</b>\n"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_failure_says_why_and_what_to_do(
    browser: Browser, database: Database, ground: Ground, at: str, running: TrainingRun
) -> None:
    with database.writing() as session:
        result = {"state": "failed", "message": "The disk is full.", "next_step": "Make room, and resume."}
        operations.end_run(session, queries.run_by_id(session, running.id), result)
    page = browser(ground.people.lead).get(f"{at}/{running.id}").text
    assert "The disk is full. Make room, and resume." in page
    assert "Failed at step 7 of 12." in page
    assert "Resume" in page


def test_the_list_costs_the_same_for_2_and_20(
    browser: Browser, database: Database, ground: Ground, at: str, start: Start
) -> None:
    viewer = browser(ground.people.annotator)
    for _ in range(2):
        start()
    with count_queries(database) as few:
        assert viewer.get(at).text.count("<tr data-row") == 2
    for _ in range(18):
        start()
    with count_queries(database) as many:
        assert viewer.get(at).text.count("<tr data-row") == 20
    assert few.count == many.count


def test_the_list_of_one_version(browser: Browser, ground: Ground, at: str, start: Start) -> None:
    start()
    viewer = browser(ground.people.annotator)
    assert "Runs</a> / on v1" in viewer.get(f"{at}?version=v1").text
    assert viewer.get(f"{at}?version=v9").status_code == 404


def test_an_empty_list_teaches(browser: Browser, people: factories.People) -> None:
    at = f"/projects/{people.project.slug}/runs"
    assert "First, a version" in browser(people.annotator).get(at).text
    assert "First, a version" in browser(people.lead).get(f"{at}/new").text


def test_every_setting_and_recipe_has_words() -> None:
    from app.runs import wording

    assert set(wording.RECIPES) == set(RECIPES)
    for recipe in RECIPES:
        assert {one.name for one in settings_of(recipe)} == set(wording.SETTINGS)


def test_templates_get_no_rows(
    browser: Browser, database: Database, settings: Settings, ground: Ground, running: TrainingRun
) -> None:
    from dataclasses import fields, is_dataclass

    from app.accounts.models import Role
    from app.db import Base
    from app.projects.access import ProjectAccess
    from app.runs.pages import models_page, new_run_page, runs_page
    from app.runs.runpage import run_page

    def walk(value: Any) -> None:
        assert not isinstance(value, Base)
        if is_dataclass(value):
            for field in fields(value):
                walk(getattr(value, field.name))
        elif isinstance(value, (list, tuple)):
            for one in value:
                walk(one)

    access = ProjectAccess(ground.people.lead, None, ground.people.project, Role.ADMIN)
    with database.reading() as session:
        run = queries.run_by_id(session, running.id)
        walk(run_page(session, access, settings, run))
        walk(runs_page(session, access, None, 1))
        walk(new_run_page(session, access, {}, {}, {}))
        walk(models_page(session, settings, {}, {}))
