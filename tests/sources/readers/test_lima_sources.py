"""LIMA's sources beside Stack Exchange, imported from real data: what was read, kept and dropped, and by which rule."""

from collections import Counter

import pytest
from sqlalchemy import func, select

from app.examples.models import Example
from app.sources.formats import recognise, rules_of
from app.sources.models import Candidate, ImportState, Into
from app.sources.rulesets import NONE, ruleset_from
from tests.sources import rooms

# folder -> form, read, kept, dropped by rule, sources of the kept
SOURCES = {
    "wikihow_html_2020-08-21": ("wikihow", 7, 7, {}, {"wikihow": 7}),
    "wikihow_csv_sample": ("wikihow_csv", 2, 2, {}, {"wikihow": 2}),
    "reddit_top_posts_csv": (
        "reddit_csv", 2000, 1949, {"over_18": 47, "duplicate_titles": 4}, {"askreddit": 958, None: 991}),
    "superni_tasks": ("superni", 2268, 2268, {}, {"natural_instructions": 2268}),
    "writingprompts_stories_csv": ("writingprompts", 100, 100, {}, {"writingprompts": 100}),
}  # fmt: skip


def imported(database, settings, people, path, **plan):
    form = plan.pop("form")
    plan = {"format": "auto", "site": "", "ruleset": ruleset_from(rules_of(form)), **plan}
    return rooms.imported(database, settings, people, path, **plan)


@pytest.mark.parametrize("folder", SOURCES)
def test_each_source_is_read_kept_and_dropped_as_its_note_says(database, settings, people, shared_data, folder):
    form, read, kept, dropped, sources = SOURCES[folder]
    run = imported(database, settings, people, shared_data / folder, form=form)
    assert run.state is ImportState.PUBLISHED
    assert (run.result["format"], run.result["records"], run.result["created"]) == (form, read, kept)
    assert {row["rule"]: row["dropped"] for row in run.result["funnel"] if row["dropped"]} == dropped
    with database.reading() as session:
        found = Counter(session.scalars(select(Candidate.source).where(Candidate.published)))
    assert found == sources
    again = imported(database, settings, people, shared_data / folder, form=form)
    assert (again.result["created"], again.result["errors"]) == (0, [])


def test_titles_of_askreddit_wait_for_the_test_split(database, settings, people, shared_data):
    imported(database, settings, people, shared_data / "reddit_top_posts_csv" / "AskReddit.csv", form="reddit_csv")
    with database.reading() as session:
        splits = session.execute(select(Candidate.split, func.count()).group_by(Candidate.split)).all()
    assert splits == [("test", 958)]


def test_a_source_that_the_composition_lacks_does_not_stop_an_import(database, settings, people, shared_data):
    path = shared_data / "writingprompts_stories_csv" / "test.csv"
    run = imported(database, settings, people, path, form="writingprompts", ruleset=NONE, into=Into.SET)
    assert run.state is ImportState.PUBLISHED, run.error
    with database.reading() as session:
        assert Counter(session.scalars(select(Example.source))) == {"writingprompts": 100}


def test_a_folder_of_comments_has_no_questions(database, settings, people, shared_data):
    folder = shared_data / "reddit_pushshift_comments_2005-12"
    run = imported(database, settings, people, folder, form="reddit")
    assert (run.result["format"], run.result["records"]) == ("reddit", 1075)
    # SOURCE.md: 120 deleted or removed, the best direct comment of 364 threads, 8 of these with a score of 10.
    kept = {row["rule"]: row["kept"] for row in run.result["funnel"]}
    assert (kept["removed"], kept["top_answer"], kept["score"], kept["question"]) == (955, 364, 8, 0)


def test_each_is_recognised_by_its_content_alone(shared_data, tmp_path):
    for folder, (form, *_) in SOURCES.items():
        for path in (shared_data / folder).iterdir():
            if path.suffix in {".html", ".csv", ".json"}:
                (tmp_path / "file").write_bytes(path.read_bytes())
                assert recognise(tmp_path / "file") == form, path
