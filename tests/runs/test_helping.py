"""A run of the project's own as the model that helps."""

import json
from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from app import handlers
from app.config import Settings
from app.db import Database
from app.errors import Refusal
from app.examples.models import Suggestion, SuggestionKind
from app.jobs.models import Lane
from app.runs.folders import run_folder
from app.runs.models import Answer, RunState, TrainingRun
from app.suggestions import operations, queries
from app.suggestions.queries import Place
from tests.examples.rows import example, pair
from tests.runs.conftest import Ground, look

ROOMS = handlers.ROOMS


@pytest.mark.any_database
def test_a_trained_checkpoint_criticises_and_nothing_leaves_the_machine(
    browser: Callable[..., TestClient],
    database: Database,
    settings: Settings,
    ground: Ground,
    start: Callable[..., TrainingRun],
    work: Callable[..., bool],
) -> None:
    people, run = ground.people, start(epochs="1")
    with database.writing() as session:
        made = example(session, people.annotator, people.project, messages=pair("Why?", "So."))
        with pytest.raises(Refusal, match="no checkpoint"):
            operations.set_help(session, people.lead, people.project, run=run)
    assert work()
    assert look(database, run).state is RunState.SUCCEEDED
    lead, setting = browser(people.lead), f"/projects/{people.project.slug}/model-help"
    assert "nothing leaves this installation" in lead.get(setting).text
    typed = {"source": f"run-{run.id}", "critique": "Be brief.", "outline": ""}
    assert lead.post(setting, data=typed).status_code == 303
    with database.writing() as session:
        helper = queries.helper_of(session, people.project)
        assert helper is not None
        assert (helper.by, helper.host) == (f"run {run.id}, epoch-01", "")
        asked = operations.suggest(
            session, people.annotator, Place(people.project, made), SuggestionKind.CRITIQUE, pair("Why?", "So.")
        )
    assert not work(Lane.ASKING), "it takes this machine's processors, as all quick work does"
    assert work(Lane.QUICK)
    with database.reading() as session:
        said = session.get_one(Suggestion, asked.id)
        assert said.words or said.error
        assert session.scalar(select(func.count(Answer.id))) == 0, "it is no answer of the run's page"
    folder = run_folder(settings, run.id).path / "answers" / str(said.job_id)
    prompt = json.loads((folder / "prompts.jsonl").read_text("utf-8"))
    assert prompt["messages"] == said.sent
    assert [message["role"] for message in said.sent] == ["user"]
    assert said.sent[0]["content"].startswith("Be brief.\n\nHouse style:")
