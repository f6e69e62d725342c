"""Every number of the funnel opens its records: what was marked, what was restored; and a restoring is undone."""

import html
import json
import re

import pytest
from sqlalchemy import func, select

from app import sample
from app.accounts.models import AuditEntry
from app.selection import operations as selection
from app.sources import publishing
from app.sources.models import Candidate, ImportRun, ImportState
from app.sources.rules import PersonalData
from app.sources.rulesets import LIMA, Funnel, Ruleset
from tests.counting import count_queries
from tests.sources import rooms

MARKING = Ruleset((PersonalData(),))


def rows_of(*texts):
    return "".join(json.dumps({"conversations": ["Whom do I ask?", text]}) + "\n" for text in texts)


@pytest.fixture
def client(browser, people):
    return browser(people.annotator)


@pytest.fixture
def marked(database, settings, people, tmp_path):
    """Three records, two of them marked: one for an address, one for an address and a key."""
    path = tmp_path / "notes.jsonl"
    key = "AKIA" + "ABCD" * 4
    path.write_text(rows_of("Nobody.", "Ask bo@kettles.org.", f"Ask ada@kettles.org, with {key}."), "utf-8")
    return rooms.imported(database, settings, people, path, format="lima", ruleset=MARKING, site="")


@pytest.fixture
def done(database, settings, people):
    return rooms.imported(database, settings, people, sample.dump_folder())


def here(people, run):
    return f"/projects/{people.project.slug}/imports/{run.id}"


def acts(page, end):
    return [html.unescape(one) for one in re.findall(rf'action="([^"]+/{end}\?[^"]*)"', page)]


def test_marked_records_open_from_the_funnel_with_all_their_passages_marked(client, people, marked):
    at = here(people, marked)
    page = client.get(at).text
    assert page.count(f'href="{at}?marked=true#opened"') == 2
    assert "2 marked" in page
    page = client.get(f"{at}?marked=true").text
    assert "Kept, and marked for a person to look at" in page
    assert "1 to 2 of 2" in page
    assert re.findall(r'<mark class="pin">([^<]*)</mark>', page) == [
        "bo@kettles.org", "ada@kettles.org", "AKIA" + "ABCD" * 4,
    ]  # fmt: skip
    assert "secret key</span>" in page
    assert "Nobody." not in page
    assert re.search(r'<tr class="at">\s*<th scope="row">Personal data', page)


def test_a_kept_record_leads_to_its_candidate(client, database, people, marked):
    page = client.get(f"{here(people, marked)}?after=read").text
    with database.reading() as session:
        ids = session.scalars(select(Candidate.id)).all()
    pool = f"/projects/{people.project.slug}/pool"
    assert all(f'href="{pool}/{one}?status=all"' in page for one in ids)
    assert client.get(f"{pool}/{ids[0]}?status=all").status_code == 200


def test_two_rows_and_twenty_cost_the_same_queries(client, database, settings, people, tmp_path):
    counts = []
    for many in (2, 20):
        path = tmp_path / f"{many}.jsonl"
        path.write_text(rows_of(*(f"Ask bo{many}.{one}@kettles.org." for one in range(many))), "utf-8")
        run = rooms.imported(database, settings, people, path, format="lima", ruleset=MARKING, site="", name=str(many))
        with count_queries(database) as counted:
            assert client.get(f"{here(people, run)}?marked=true").status_code == 200
        counts.append(counted.count)
    assert counts[0] == counts[1]


def test_a_restoring_is_undone_from_the_flash_and_from_the_list(client, database, people, done):
    at = here(people, done)
    url = acts(client.get(f"{at}?rule=score&page=1").text, "restore")[0]
    for where in ("flash", "list"):
        client.post(url)
        page = client.get(f"{at}?rule=score&page=1").text
        undo = acts(page, "restore/undoing")
        assert len(undo) == 2
        assert "Drop again" in page
        answer = client.post(undo[0 if where == "list" else 1])
        assert answer.headers["location"].startswith(f"{at}?rule=score&page=1#record-")
        page = client.get(f"{at}?rule=score&page=1").text
        assert "Dropped again, as the rule had it." in page
        assert "Restored by" not in page
    with database.reading() as session:
        assert not any("restored" in one.extra for one in session.scalars(select(Candidate)))
        undone = select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "undo restore")
        assert session.scalar(undone) == 2
    assert client.post(undo[0]).status_code == 409


def test_what_somebody_worked_on_since_stays(client, database, people, done):
    at = here(people, done)
    client.post(acts(client.get(f"{at}?rule=score").text, "restore")[0])
    undo = acts(client.get(f"{at}?rule=score&restored=true").text, "restore/undoing")[0]
    with database.writing() as session:
        candidate = session.scalars(select(Candidate).order_by(Candidate.id.desc()).limit(1)).one()
        selection.judge_title(session, people.annotator, candidate, alone=True)
    answer = client.post(undo)
    assert answer.status_code == 409
    assert "Somebody has judged or used this candidate" in answer.text
    assert "1 to 1 of 1" in client.get(f"{at}?rule=score&restored=true").text


def test_numbers_that_the_funnel_does_not_have_open_nothing(client, people, done):
    assert client.get(f"{here(people, done)}?rule=nonsense").status_code == 404
    assert client.get(f"{here(people, done)}?marked=true").status_code == 200


def test_a_running_import_shows_its_funnel_so_far_and_opens_nothing_of_it(client, database, people):
    run = rooms.start(database, people, sample.dump_folder())
    at = here(people, run)
    assert "so far" not in client.get(at).text
    with database.writing() as session:
        one = session.get_one(ImportRun, run.id)
        one.state = ImportState.RUNNING
        funnel = Funnel(LIMA, records=400, dropped={"score": 300})
        publishing.tell_so_far(one, funnel)
    answer = client.get(at, headers={"hx-request": "true", "hx-target": "section#so-far"}).text
    assert "<main" not in answer
    for words in ("The funnel so far", "400 records read", "Kept as candidates so far", ">100<"):
        assert words in answer
    assert "?rule=" not in answer
    assert client.get(f"{at}?rule=score").status_code == 404


def test_each_batch_tells_how_the_funnel_stands_and_the_end_leaves_nothing_of_it(
    database, settings, people, tmp_path, monkeypatch
):
    told = []
    tell = publishing.tell_so_far
    monkeypatch.setattr(publishing, "tell_so_far", lambda run, funnel: told.append((tell(run, funnel), funnel.records)))
    path = tmp_path / "many.jsonl"
    path.write_text(rows_of(*(f"Answer {one}." for one in range(2300))), "utf-8")
    run = rooms.imported(database, settings, people, path, format="lima", ruleset=MARKING, site="")
    assert [records for _, records in told] == [1000, 2000, 2300]
    assert publishing.SO_FAR not in run.options
    assert run.result["records"] == 2300
