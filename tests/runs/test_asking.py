"""Asking a checkpoint: what is posted, what waits, what is said."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from app.db import Database
from app.jobs.models import Job, JobState
from app.runs import operations
from app.runs.models import Answer, TrainingRun
from tests.runs.conftest import Ground

Browser = Callable[..., TestClient]
Start = Callable[..., TrainingRun]


def test_asking_makes_a_job_for_that_checkpoint(
    browser: Browser, database: Database, ground: Ground, at: str, running: TrainingRun
) -> None:
    viewer = browser(ground.people.annotator)
    answer = viewer.post(f"{at}/{running.id}/answers", data={"prompt": "Why?\r\nSay it.", "seed": "3"})
    assert answer.status_code == 303
    with database.reading() as session:
        asked = session.scalars(select(Answer)).one()
        assert asked.messages == [{"role": "user", "content": "Why?\nSay it."}]
        assert asked.settings == {
            "temperature": 0.7, "top_p": 0.9, "repetition_penalty": 1.2, "max_new_tokens": 512, "seed": 3,
        }  # fmt: skip
    page = viewer.get(answer.headers["location"]).text
    assert "It is being answered" in page
    assert 'name="seed" type="text" value="3"' in page, "the next question is drawn as the last one"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("temperature", "nan", "finite"),("temperature", "9", "at most 2"), ("top_p", "0", "greater than 0"),
        ("max_new_tokens", "0", "at least 1"), ("seed", "-1", "at least 0"), ("prompt", "", "at least 1"),
        ("prompt", " \n ", "does not end with words"), ("checkpoint", "999", "no such checkpoint"),
        ("penalise_prompt", "1", ""), ("prompt", "a\0b", ""),
    ],
)  # fmt: skip
def test_a_question_that_does_not_fit_is_given_back(
    field: str,
    value: str,
    words: str,
    browser: Browser,
    database: Database,
    ground: Ground,
    at: str,
    running: TrainingRun,
) -> None:
    data = {"prompt": "Kept as typed?", field: value}
    answer = browser(ground.people.annotator).post(f"{at}/{running.id}/answers", data=data)
    assert answer.status_code == 422
    assert words in answer.text
    if field != "prompt":
        assert "Kept as typed?" in answer.text
    with database.reading() as session:
        assert session.scalar(select(func.count(Answer.id))) == 0


def test_a_run_without_a_checkpoint_cannot_be_asked(browser: Browser, ground: Ground, at: str, start: Start) -> None:
    run = start()
    answer = browser(ground.people.annotator).post(f"{at}/{run.id}/answers", data={"prompt": "Why?"})
    assert answer.status_code == 422
    assert "none yet" in answer.text


def test_an_answer_is_markdown_without_danger(
    browser: Browser, database: Database, ground: Ground, at: str, running: TrainingRun
) -> None:
    viewer = browser(ground.people.annotator)
    viewer.post(f"{at}/{running.id}/answers", data={"prompt": "<b>Why?</b>"})
    with database.writing() as session:
        line = {"response": "**Because** <script>alert(1)</script>", "stopped_by": "length", "tokens": 9}
        operations.note_answer(session.scalars(select(Answer)).one(), line)
    page = viewer.get(f"{at}/{running.id}", headers={"hx-target": "div#run-answers"}).text
    assert "<strong>Because</strong>" in page
    assert "<script>" not in page
    assert "&lt;b&gt;Why?" in page
    assert "cut off at its longest" in page
    assert "hx-get" not in page


def test_two_presses_ask_once_and_another_question_or_person_asks_anew(
    browser: Browser, database: Database, ground: Ground, at: str, running: TrainingRun
) -> None:
    viewer, other = browser(ground.people.annotator), browser(ground.people.lead)
    for one, prompt in ((viewer, "Why?"), (viewer, "Why?"), (viewer, "How?"), (other, "Why?")):
        assert one.post(f"{at}/{running.id}/answers", data={"prompt": prompt}).status_code == 303
    with database.writing() as session:
        asked = session.scalars(select(Answer).order_by(Answer.id)).all()
        assert [one.messages[0]["content"] for one in asked] == ["Why?", "How?", "Why?"]
        operations.note_answer(asked[0], {"response": "So.", "stopped_by": "eot", "tokens": 1})
    viewer.post(f"{at}/{running.id}/answers", data={"prompt": "Why?"})
    with database.reading() as session:
        assert len(session.scalars(select(Answer)).all()) == 4, "an answered question may be asked again"


def test_a_failed_answer_says_why(
    database: Database, ground: Ground, browser: Browser, at: str, running: TrainingRun
) -> None:
    viewer = browser(ground.people.annotator)
    for prompt in ("Why?", "How?"):
        viewer.post(f"{at}/{running.id}/answers", data={"prompt": prompt})
    with database.writing() as session:
        first, second = session.scalars(select(Answer).order_by(Answer.id)).all()
        session.get_one(Job, first.job_id).state = JobState.FAILED
        session.flush()
        operations.fail_answers(session, {"checkpoint_id": first.checkpoint_id}, "It broke.", JobState.FAILED)
        assert (first.error, second.error) == ("It broke.", None)
