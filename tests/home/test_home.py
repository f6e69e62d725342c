"""The start page, the whole set, one's own day."""

import csv
import html
import io
import re

import pytest
from sqlalchemy import update

from app.accounts.models import Role
from app.duplicates.models import DuplicatePair, DuplicateScan, Method
from app.examples.models import Example, ExampleState, Revision
from app.jobs.models import Job, JobState
from app.jobs.operations import enqueue
from app.projects import operations as projects
from app.projects.models import Split
from app.reviews.models import Review, ReviewVerdict
from app.sources.models import Candidate, ImportRun, ImportState, Into
from tests import factories
from tests.counting import count_queries


def example(session, people, state=ExampleState.DRAFT, source="wikihow", split=Split.TRAIN, writer=None):
    approved = 1 if state is ExampleState.APPROVED else None
    writer = writer or people.annotator
    row = Example(
        project_id=people.project.id,
        split=split,
        source=source,
        state=state,
        created_by=writer.id,
        revision_number=1,
        approved_number=approved,
    )
    session.add(row)
    session.flush()
    messages = [
        {"role": "user", "content": f"Prompt {row.id}?"},
        {"role": "assistant", "content": f"Response {row.id}."},
    ]
    session.add(
        Revision(
            example_id=row.id,
            number=1,
            title=f"Prompt {row.id}?",
            messages=messages,
            content_hash=str(row.id),
            author_id=writer.id,
        )
    )
    return row


def candidate(session, people, source, title, score):
    run = ImportRun(
        project_id=people.project.id, name="x", path="x", format="lima", site="x", into=Into.POOL, ruleset={},
        ruleset_hash="x", state=ImportState.PUBLISHED,
    )  # fmt: skip
    session.add(run)
    session.flush()
    row = Candidate(
        project_id=people.project.id, import_run_id=run.id, site="x", external_id=title, source=source, title=title,
        messages=[], score=score, content_hash=title,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


@pytest.fixture
def base(people):
    return f"/projects/{people.project.slug}"


def test_the_start_leads_to_the_only_project(browser, people, base):
    assert browser(people.annotator).get("/").headers["location"] == base


def test_the_start_leads_to_the_project_seen_last(browser, database, people, base):
    with database.writing() as session:
        factories.project(session, people.lead, "other")
    client = browser(people.lead)
    assert client.get("/").headers["location"] == "/projects"
    client.get("/projects/other")
    assert client.get("/").headers["location"] == "/projects/other"


def test_the_first_page_offers_a_project_and_the_sample_to_admins(browser, database):
    with database.writing() as session:
        admin, newcomer = factories.user(session, Role.ADMIN), factories.user(session)
    page = browser(admin).get("/").text
    assert "Make the project" in page
    assert "Try it with the sample" in page
    assert "Make the project" not in browser(newcomer).get("/").text


def test_the_sample_comes_in_as_a_project_of_its_own(browser, database):
    with database.writing() as session:
        admin = factories.user(session, Role.ADMIN)
    client = browser(admin)
    assert client.post("/demo").headers["location"] == "/projects/demo"
    page = client.get("/projects/demo").text
    assert "Import Workshop dump" in page
    assert "Import Thirty pairs" in page
    assert client.post("/demo").headers["location"] == "/projects/demo"
    assert client.get("/projects/demo").text.count("Import Workshop dump") == page.count("Import Workshop dump")


def test_leads_see_the_set_and_writers_their_day(browser, people, base):
    assert "Composition against the target" in browser(people.lead).get(base).text
    assert "Your day" in browser(people.annotator).get(base).text
    assert "Composition against the target" in browser(people.annotator).get(base, params={"view": "set"}).text
    assert browser(people.annotator).get(base, params={"view": "other"}).status_code == 422


def test_each_cell_is_an_example_in_its_state(browser, database, people, base):
    with database.writing() as session:
        made = [
            example(session, people, state)
            for state in (ExampleState.APPROVED, ExampleState.REVIEW, ExampleState.RETURNED, ExampleState.DRAFT)
        ]
        example(session, people, ExampleState.REJECTED)
        example(session, people, ExampleState.APPROVED, split=Split.TEST, source="askreddit")
    page = browser(people.lead).get(base).text
    for row in made:
        assert f'href="{base}/examples/{row.id}"' in page
    assert page.count('href="#cells-approved"') == 1
    assert page.count('href="#cells-none"') == 1000 - 4
    assert "1 of 1,000 approved" in page


def test_numbers_lead_to_the_examples_behind_them(browser, database, people, base):
    with database.writing() as session:
        example(session, people, ExampleState.REVIEW)
    page = browser(people.lead).get(base).text
    assert "source=wikihow&amp;state=review&amp;split=train" in page


def test_what_waits_is_said_with_the_leak_on_top(browser, database, people, base):
    with database.writing() as session:
        example(session, people, ExampleState.REVIEW)
        scan = DuplicateScan(project_id=people.project.id, methods=["exact"], on="prompt", threshold=0.9)
        session.add(scan)
        session.flush()
        for number in range(2):
            session.add(
                DuplicatePair(
                    project_id=people.project.id, scan_id=scan.id, left_key=f"example:{number}", right_key="example:9",
                    on="prompt", method=Method.EXACT, score=1.0, leak=not number,
                )
            )  # fmt: skip
    page = browser(people.lead).get(base).text.partition('id="waiting-title"')[2]
    assert "1 leak between train and test" in page
    assert page.index("1 leak") < page.index("1 in review") < page.index("2 duplicate pairs")


def test_running_work_is_shown_and_refreshed_alone(browser, database, people, base):
    with database.writing() as session:
        enqueue(session, people.lead, "x", title="Import gardening", project_id=people.project.id)
    client = browser(people.lead)
    asked = {"hx-request": "true", "hx-target": "section#running"}
    fragment = client.get(base, headers=asked)
    assert "Import gardening" in fragment.text
    assert "<html" not in fragment.text
    with database.writing() as session:
        session.execute(update(Job).values(state=JobState.SUCCEEDED))
    done = client.get(base, headers=asked)
    assert "hx-get" not in done.text
    assert done.headers["hx-refresh"] == "true"


def test_what_came_back_is_first_with_the_reviewers_words(browser, database, people, base):
    with database.writing() as session:
        row = example(session, people, ExampleState.RETURNED)
        for words in ("Too long.", "Cut the last paragraph."):
            session.add(
                Review(
                    example_id=row.id,
                    revision_number=1,
                    reviewer_id=people.reviewer.id,
                    verdict=ReviewVerdict.RETURNED,
                    words=words,
                )
            )
            session.flush()
        example(session, people, ExampleState.RETURNED, writer=people.colleague)
    page = browser(people.annotator).get(base).text
    assert "1 example came back to you" in page
    assert "Cut the last paragraph." in page
    assert "Too long." not in page
    assert people.reviewer.name in page


def test_the_next_best_thing_is_of_the_source_that_lacks_most(browser, database, people, base):
    with database.writing() as session:
        projects.set_composition(
            session, people.lead, people.project,
            [projects.Target(name, Split.TRAIN, name, name, target, 1) for name, target in (("near", 1), ("far", 9))],
        )  # fmt: skip
        candidate(session, people, "near", "A near one", 90)
        far = candidate(session, people, "far", "A far one", 3)
        candidate(session, people, "far", "Another far one", 2)
    client = browser(people.annotator)
    page = client.get(base).text
    assert f'href="{base}/pool/{far.id}"' in page
    assert "9 of 9 are not begun" in page
    assert "Another far one" in client.get(base, params={"skip": 1}).text
    assert "A near one" in client.get(base, params={"skip": 2}).text
    assert "No more candidates" in client.get(base, params={"skip": 3}).text


def test_reviewers_are_led_to_the_queue(browser, database, people, base):
    with database.writing() as session:
        example(session, people, ExampleState.REVIEW)
    assert f'href="{base}/review"' in browser(people.reviewer).get(base).text.partition('id="best"')[2]
    assert f'href="{base}/review"' not in browser(people.annotator).get(base).text.partition('id="best"')[2]


def test_what_good_looks_like_is_an_approved_one(browser, database, people, base):
    with database.writing() as session:
        row = example(session, people, ExampleState.APPROVED)
    assert f"Response {row.id}." in browser(people.colleague).get(base).text


@pytest.mark.parametrize("view", ["set", "day"])
def test_home_costs_the_same_for_2_and_20(browser, database, people, base, view):
    def fill(session, times):
        for _ in range(times):
            for state in ExampleState:
                row = example(session, people, state)
                session.add(
                    Review(
                        example_id=row.id,
                        revision_number=1,
                        reviewer_id=people.reviewer.id,
                        verdict=ReviewVerdict.RETURNED,
                    )
                )
            enqueue(session, people.lead, "x", title="Work", project_id=people.project.id)
            member = factories.user(session)
            projects.add_member(session, people.lead, people.project, member, Role.ANNOTATOR)

    client = browser(people.annotator)
    with database.writing() as session:
        fill(session, 2)
    with count_queries(database) as few:
        client.get(base, params={"view": view})
    with database.writing() as session:
        fill(session, 18)
    with count_queries(database) as many:
        client.get(base, params={"view": view})
    assert few.count == many.count


def test_a_large_target_is_drawn_in_scale(browser, database, people, base):
    with database.writing() as session:
        target = projects.Target("many", Split.TRAIN, "Many", "Many", 50_000, 1)
        projects.set_composition(session, people.lead, people.project, [target])
        example(session, people, ExampleState.APPROVED, source="many")
    page = browser(people.lead).get(base).text
    assert "A cell stands for 50 examples" in page
    assert page.count("<use ") == 1000


def test_an_empty_target_asks_for_one(browser, database, people, base):
    with database.writing() as session:
        projects.set_composition(session, people.lead, people.project, [])
        candidate(session, people, "x", "One", 1)
    assert "No target yet" in browser(people.lead).get(base).text


def test_sources_beyond_the_target_are_not_hidden(browser, database, people, base):
    with database.writing() as session:
        example(session, people, ExampleState.APPROVED, source="quora")
    assert "not in the target" in browser(people.lead).get(base).text


def test_the_sheet_has_every_row_and_no_formula(browser, database, people, base):
    with database.writing() as session:
        target = projects.Target("sum", Split.TRAIN, "=1+1", "Sum", 3, 1)
        projects.set_composition(session, people.lead, people.project, [target])
        example(session, people, ExampleState.APPROVED, source="sum")
    answer = browser(people.annotator).get(f"{base}/composition.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["title"], row["approved"], row["not_begun"], row["target"]) for row in rows] == [
        ("'=1+1", "1", "2", "3")
    ]
    assert answer.headers["content-disposition"].startswith("attachment")


def test_hostile_text_is_text_everywhere_at_home(browser, database, people, base):
    evil = "</textarea><script>alert(1)</script><img src=x onerror=alert(1)>"
    with database.writing() as session:
        row = example(session, people, ExampleState.RETURNED)
        session.add(
            Review(
                example_id=row.id,
                revision_number=1,
                reviewer_id=people.reviewer.id,
                verdict=ReviewVerdict.RETURNED,
                words=evil,
            )
        )
        candidate(session, people, "wikihow", evil, 1)
        good = example(session, people, ExampleState.APPROVED)
        session.flush()
        said = [{"role": "user", "content": evil}, {"role": "assistant", "content": evil}]
        session.execute(update(Revision).where(Revision.example_id == good.id).values(messages=said))
        enqueue(session, people.lead, "x", title=evil, project_id=people.project.id)
    client = browser(people.annotator)
    for view in ("set", "day"):
        page = client.get(base, params={"view": view}).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page


LINK = re.compile(r'href="(/[^"#]*)')


@pytest.mark.parametrize("view", ["set", "day"])
@pytest.mark.parametrize("who", ["lead", "reviewer", "annotator"])
def test_every_link_of_home_leads_somewhere(browser, database, people, base, view, who):
    with database.writing() as session:
        for state in ExampleState:
            for split in Split:
                example(session, people, state, split=split, writer=getattr(people, who))
        candidate(session, people, "wikihow", "A candidate", 3)
        enqueue(session, people.lead, "x", title="Work", project_id=people.project.id)
    client = browser(getattr(people, who))
    links = {html.unescape(link) for link in LINK.findall(client.get(base, params={"view": view}).text)}
    assert len(links) > 20
    broken = {link: client.get(link).status_code for link in links if client.get(link).status_code not in {200, 303}}
    assert broken == {}


def test_what_the_target_does_not_name_is_counted_apart_and_grey(browser, database, people, base):
    with database.writing() as session:
        example(session, people, ExampleState.APPROVED)
        for _ in range(2):
            example(session, people, ExampleState.APPROVED, source="unsorted")
    page = browser(people.lead).get(base).text
    assert "1 of 1,000 towards the target</strong>; 2 outside it" in page
    assert 'class="badge source s0">Unsorted<' in page


def test_the_head_of_a_reviewers_day_says_what_waits(browser, database, people, base):
    with database.writing() as session:
        example(session, people, ExampleState.REVIEW)
    assert (
        "<strong>1 example waits for a second person.</strong>"
        in browser(people.lead).get(base, params={"view": "day"}).text
    )
    assert "Nothing waits for you." in browser(people.annotator).get(base).text


def test_what_good_looks_like_is_shown_as_it_will_look(browser, database, people, base):
    with database.writing() as session:
        row = example(session, people, ExampleState.APPROVED)
        said = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because it **holds**."}]
        session.execute(update(Revision).where(Revision.example_id == row.id).values(messages=said))
    assert "<strong>holds</strong>" in browser(people.annotator).get(base).text


def test_what_an_import_brought_is_in_nobodys_share_until_it_comes_back(browser, database, people, base):
    with database.writing() as session:
        run = candidate(session, people, "wikihow", "One", 1).import_run_id
        for state in (ExampleState.REVIEW, ExampleState.APPROVED, ExampleState.RETURNED):
            row = example(session, people, state)
            row.import_run_id = run
    day = browser(people.annotator).get(base).text
    share = dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", day))
    assert (share["Approved"], share["In review"], share["Came back"]) == ("0", "0", "1")
