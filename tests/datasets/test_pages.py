"""The timeline, a version, its card, its download: what each kind of person sees and may do."""

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import event, func, select
from starlette.testclient import TestClient

from app.accounts.models import AuditEntry
from app.datasets.models import Version, VersionCheck
from app.datasets.operations import freeze_version
from app.datasets.pages import VERSIONS_A_PAGE
from app.datasets.publication.models import Publication, PublicationState, Visibility, Way
from app.datasets.verify import verify_folder
from app.db import Database, now
from app.examples.models import Example
from app.projects.models import Project, Split
from app.projects.operations import archive_project
from app.runs.models import BaseModel, ModelKind, RunState, TrainingRun
from tests import factories
from tests.datasets.material import approve, dialogue

Browser = Callable[..., TestClient]


@pytest.fixture
def version(database: Database, kitchen: factories.People) -> Version:
    with database.writing() as session:
        return freeze_version(session, kitchen.lead, kitchen.project, name="v1")


def versions_url(people: factories.People, rest: str = "") -> str:
    return f"/projects/{people.project.slug}/versions{rest}"


def count_versions(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count(Version.id))) or 0


def test_an_empty_project_says_what_belongs_here(browser: Browser, people: factories.People) -> None:
    page = browser(people.lead).get(versions_url(people))
    assert page.status_code == 200
    assert "Nothing is approved yet." in page.text
    assert "fixed for ever" in page.text
    assert 'name="name"' not in page.text


def test_a_lead_sees_the_gates_and_the_form(browser: Browser, kitchen: factories.People) -> None:
    page = browser(kitchen.lead).get(versions_url(kitchen))
    assert "v1 can be frozen: 7 approved examples." in page.text
    assert "4 of 8 gates pass" in page.text
    assert 'name="name"' in page.text
    assert 'value="v1"' in page.text


def test_a_member_sees_the_gates_and_no_form(browser: Browser, kitchen: factories.People) -> None:
    page = browser(kitchen.annotator).get(versions_url(kitchen))
    assert page.status_code == 200
    assert "4 of 8 gates pass" in page.text
    assert 'name="name"' not in page.text


def test_the_timeline_says_what_each_version_changed_and_the_table_sets_them_side_by_side(
    browser: Browser, database: Database, kitchen: factories.People, version: Version
) -> None:
    with database.writing() as session:
        approve(session, kitchen.project, kitchen.annotator, kitchen.reviewer, dialogue("Something new"))
        freeze_version(session, kitchen.lead, kitchen.project, name="v2")
    client = browser(kitchen.annotator)
    page = client.get(versions_url(kitchen)).text
    assert page.count("Since v1</dt>") == 1
    assert "1 added</a>" in page
    assert "comparison?old=v1&amp;new=v2" in page
    assert "5 train, 1 dev, 1 test" in page
    assert "6 train, 1 dev, 1 test" in page
    table = client.get(f"/projects/{kitchen.project.slug}/version-table").text
    assert "2 versions." in table
    assert "comparison?old=v1&amp;new=v2&amp;kind=added" in table
    assert 'aria-label="v2: ' in table


def test_side_by_side_has_a_column_for_what_changed_and_none_for_what_never_did(
    browser: Browser, database: Database, kitchen: factories.People, version: Version
) -> None:
    table = f"/projects/{kitchen.project.slug}/version-table"
    assert ">Moved</th>" not in browser(kitchen.annotator).get(table).text
    with database.writing() as session:
        dev = session.scalars(select(Example).where(Example.split == Split.DEV)).one()
        dev.split, dev.licence = Split.TRAIN, "MIT"
        freeze_version(session, kitchen.lead, kitchen.project, name="v2")
    page = browser(kitchen.annotator).get(table).text
    for title, kind in (("Moved", "moved"), ("Licence", "licence")):
        assert f">{title}</th>" in page
        assert f"kind={kind}" in page
    assert ">Flags</th>" not in page


def test_the_timeline_says_where_a_version_is_published_and_that_one_is_broken(
    browser: Browser, database: Database, kitchen: factories.People, version: Version
) -> None:
    with database.writing() as session:
        sent = {"endpoint": "https://huggingface.co", "format": "hf", "way": Way.COMMIT, "version_id": version.id}
        for mark, repository, state in (
            ("a", "kitchen/rice", PublicationState.PUBLISHED), ("b", "kitchen/not-yet", PublicationState.WAITING),
        ):  # fmt: skip
            session.add(
                Publication(
                    **sent, mark=mark, repository=repository, state=state, visibility=Visibility.PRIVATE,
                    url="https://huggingface.co/datasets/kitchen/rice/tree/abc",
                )
            )  # fmt: skip
        check = session.get_one(VersionCheck, version.id)
        check.problem, check.checked_at = "row 3 has another hash", now()
    page = browser(kitchen.annotator).get(versions_url(kitchen)).text
    assert "kitchen/rice</a>, private" in page
    assert "kitchen/not-yet" not in page
    assert "Not what was frozen</span>" in page
    assert "row 3 has another hash" in page


def test_a_version_says_which_runs_trained_on_it(
    browser: Browser, database: Database, kitchen: factories.People, version: Version
) -> None:
    client = browser(kitchen.annotator)
    asked = f"/projects/{kitchen.project.slug}/version-runs?version=v1"
    assert asked in client.get(versions_url(kitchen)).text
    assert "no run yet" in client.get(asked).text
    with database.writing() as session:
        base = BaseModel(name="tiny", kind=ModelKind.TINY, path="tiny")
        session.add(base)
        session.flush()
        for state in (RunState.FAILED, RunState.RUNNING, RunState.PLANNED):
            session.add(
                TrainingRun(
                    project_id=kitchen.project.id, version_id=version.id, base_model_id=base.id, recipe="lima",
                    settings={}, state=state, token=state,
                )
            )  # fmt: skip
    answer = client.get(asked, headers={"hx-request": "true", "hx-target": "div#version-runs"}).text
    assert answer.count('id="used-1"') == 1
    assert "<html" not in answer
    assert "run 2</a> (under way), <a" in answer
    assert "run 1</a> (failed)" in answer
    assert "run 3" not in answer
    assert client.get(f"{asked}&version=v9").status_code == 404


@pytest.mark.parametrize("rest", ["", "/v1", "/v1/card", "/v1/rows/1", "/v1/exports/lima.zip"])
def test_a_stranger_finds_nothing(browser: Browser, kitchen: factories.People, version: Version, rest: str) -> None:
    assert browser(kitchen.stranger).get(versions_url(kitchen, rest)).status_code == 404
    assert browser().get(versions_url(kitchen, rest)).status_code in {303, 401}


@pytest.mark.parametrize("who", ["annotator", "reviewer"])
def test_members_do_not_freeze_or_export(
    browser: Browser, database: Database, kitchen: factories.People, version: Version, who: str
) -> None:
    client = browser(getattr(kitchen, who))
    assert client.post(versions_url(kitchen), data={"name": "v2"}).status_code == 403
    assert client.post(versions_url(kitchen, "/v1/exports"), data={"format": "lima"}).status_code == 403
    assert client.get(versions_url(kitchen, "/v1/exports/lima.zip")).status_code == 403
    assert count_versions(database) == 1


def test_a_lead_freezes_and_lands_on_the_version(
    browser: Browser, database: Database, kitchen: factories.People
) -> None:
    client = browser(kitchen.lead)
    answer = client.post(versions_url(kitchen), data={"name": "first-try"})
    assert (answer.status_code, answer.headers["location"]) == (303, versions_url(kitchen, "/first-try"))
    page = client.get(answer.headers["location"])
    assert "7 examples, frozen for ever" in page.text
    with database.reading() as session:
        assert f"sha256:{session.scalars(select(Version.sha256)).one()}" in page.text


def test_a_blocked_freeze_keeps_what_was_typed(browser: Browser, database: Database, kitchen: factories.People) -> None:
    with database.writing() as session:
        approve(session, kitchen.project, kitchen.annotator, kitchen.reviewer, dialogue("Name three cheeses."))
    client = browser(kitchen.lead)
    page = client.post(versions_url(kitchen), data={"name": "pilot", "reason_leakage": ""})
    assert page.status_code == 409
    assert 'value="pilot"' in page.text
    assert "was not frozen: the gate of leakage blocks" in page.text
    assert 'name="reason_leakage"' in page.text
    assert count_versions(database) == 0
    done = client.post(versions_url(kitchen), data={"name": "pilot", "reason_leakage": "only <b>a</b> trial"})
    assert done.status_code == 303
    shown = client.get(versions_url(kitchen)).text
    assert "only &lt;b&gt;a&lt;/b&gt; trial" in shown
    card = client.get(versions_url(kitchen, "/pilot/card")).text
    assert "Frozen against a gate: leakage." in card
    assert "<b>a</b>" not in card


def test_sent_by_htmx_a_freeze_leads_on_and_a_refusal_leaves_the_address(
    browser: Browser, database: Database, kitchen: factories.People
) -> None:
    with database.writing() as session:
        approve(session, kitchen.project, kitchen.annotator, kitchen.reviewer, dialogue("Name three cheeses."))
    client, sent = browser(kitchen.lead), {"hx-request": "true"}
    reasons = {"name": "pilot", "reason_leakage": ""}
    refused = client.post(versions_url(kitchen), data=reasons, headers=sent)
    assert refused.status_code == 409
    assert "hx-redirect" not in refused.headers
    form = refused.text[refused.text.index('id="freeze"') :]
    assert f'hx-post="{versions_url(kitchen)}"' in form
    assert "data-returns" in form[: form.index(">")]
    assert 'value="pilot"' in form
    done = client.post(versions_url(kitchen), data=reasons | {"reason_leakage": "a trial"}, headers=sent)
    assert (done.status_code, done.headers["hx-redirect"]) == (200, versions_url(kitchen, "/pilot"))
    assert count_versions(database) == 1


def test_the_draft_opens_what_its_gates_found_and_shows_how_it_grows(
    browser: Browser, database: Database, kitchen: factories.People, version: Version
) -> None:
    with database.writing() as session:
        for asked in ("Name three cheeses.", "Something new"):
            approve(session, kitchen.project, kitchen.annotator, kitchen.reviewer, dialogue(asked))
    client = browser(kitchen.lead)
    page = client.get(versions_url(kitchen)).text
    found = re.findall(r'href="([^"]+gates\?gate=(\w+))" aria-label="[^"]+: ([\d,]+) findings?"', page)
    assert {gate for _, gate, _ in found} >= {"leakage", "composition"}
    for address, gate, count in found:
        assert client.get(address).text.count('<li class="finding') == int(count), gate
    bars = re.findall(r'<svg class="bar [^"]*" role="img" aria-label="(v\d): ([^"]+)"', page)
    assert [title for title, _ in bars] == ["v1", "v2"]
    counts = [
        sum(int(count.replace(",", "")) for count in re.findall(r"(\d[\d,]*)(?:,|$)", words)) for _, words in bars
    ]
    assert counts[1] == counts[0] + 2
    assert "comparison/notes.md?old=v1&amp;new=draft" in page


def test_each_version_leads_to_its_export_notes_and_seal(
    browser: Browser, database: Database, kitchen: factories.People, version: Version
) -> None:
    with database.writing() as session:
        approve(session, kitchen.project, kitchen.annotator, kitchen.reviewer, dialogue("Something new"))
        freeze_version(session, kitchen.lead, kitchen.project, name="v2")
    page = browser(kitchen.lead).get(versions_url(kitchen)).text
    for name in ("v1", "v2"):
        assert f'href="{versions_url(kitchen, "/" + name)}#exports-title" aria-label="Export {name}"' in page
    assert page.count('aria-label="Release notes of ') == 1
    assert page.count("<dt>Seal</dt><dd>") == 2
    theirs = browser(kitchen.annotator).get(versions_url(kitchen)).text
    assert "#exports-title" not in theirs
    assert 'aria-label="Release notes of v2"' in theirs


@pytest.mark.parametrize("name", ["", "a b", "../x", "<script>"])
def test_a_bad_name_comes_back_with_a_sentence(
    browser: Browser, database: Database, kitchen: factories.People, name: str
) -> None:
    page = browser(kitchen.lead).post(versions_url(kitchen), data={"name": name})
    assert page.status_code == 422
    assert 'id="name-error"' in page.text
    assert "<script>x" not in page.text
    assert count_versions(database) == 0


def test_an_unknown_field_is_refused(browser: Browser, database: Database, kitchen: factories.People) -> None:
    data = {"name": "v1", "project_id": "2"}
    assert browser(kitchen.lead).post(versions_url(kitchen), data=data).status_code == 422
    assert count_versions(database) == 0


def test_a58_a_taken_name_is_a_conflict(browser: Browser, kitchen: factories.People, version: Version) -> None:
    page = browser(kitchen.lead).post(versions_url(kitchen), data={"name": "v1"})
    assert page.status_code == 409
    assert "There is a version v1 already" in page.text


def test_a_version_shows_its_rows_by_split(browser: Browser, kitchen: factories.People, version: Version) -> None:
    client = browser(kitchen.annotator)
    page = client.get(versions_url(kitchen, "/v1")).text
    assert "What is a roux?" in page
    assert "Write a poem about leeks." in page
    only_test = client.get(versions_url(kitchen, "/v1?split=test")).text
    assert "Write a poem about leeks." in only_test
    assert "What is a roux?" not in only_test
    assert client.get(versions_url(kitchen, "/v1?split=other")).status_code == 422
    assert client.get(versions_url(kitchen, "/v2")).status_code == 404


def test_the_draft_counts_what_is_new(
    browser: Browser, database: Database, kitchen: factories.People, version: Version
) -> None:
    client = browser(kitchen.lead)
    assert "Nothing has changed since v1." in client.get(versions_url(kitchen)).text
    with database.writing() as session:
        approve(session, kitchen.project, kitchen.annotator, kitchen.reviewer, dialogue("Something new"))
    page = client.get(versions_url(kitchen)).text
    assert "v2 can be frozen: 8 approved examples." in page
    assert "1 new or changed</a> since v1" in page


def test_an_export_is_noted_and_downloaded(
    browser: Browser, database: Database, kitchen: factories.People, version: Version, tmp_path: Path
) -> None:
    client = browser(kitchen.lead)
    answer = client.post(versions_url(kitchen, "/v1/exports"), data={"format": "messages"})
    assert answer.status_code == 303
    got = client.get(answer.headers["location"])
    name = f"{kitchen.project.slug}-v1-messages"
    assert got.headers["content-disposition"] == f'attachment; filename="{name}.zip"'
    zipfile.ZipFile(io.BytesIO(got.content)).extractall(tmp_path)
    assert verify_folder(tmp_path / name, version.sha256)["ok"]
    with database.reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "export version")).one()
    assert (entry.actor_id, entry.detail["format"]) == (kitchen.lead.id, "messages")
    assert client.post(versions_url(kitchen, "/v1/exports"), data={"format": "exe"}).status_code == 422


def test_a_version_of_another_project_is_not_reached_through_an_own_one(
    browser: Browser, database: Database, kitchen: factories.People, version: Version
) -> None:
    with database.writing() as session:
        other = factories.project(session, kitchen.stranger)
    client = browser(kitchen.stranger)
    for rest in ("/v1", "/v1/card", "/v1/exports/lima.zip"):
        assert client.get(f"/projects/{other.slug}/versions{rest}").status_code == 404
    assert client.post(f"/projects/{other.slug}/versions/v1/exports", data={"format": "lima"}).status_code == 404


def test_verify_says_that_nothing_changed(browser: Browser, kitchen: factories.People, version: Version) -> None:
    client = browser(kitchen.annotator)
    answer = client.post(versions_url(kitchen, "/v1/verification"))
    assert answer.status_code == 303
    assert "Verified: 7 rows" in client.get(answer.headers["location"]).text


def queries_of(client: TestClient, database: Database, url: str) -> int:
    counted = 0

    def count(*_: object) -> None:
        nonlocal counted
        counted += 1

    event.listen(database.engine, "before_cursor_execute", count)
    assert client.get(url).status_code == 200
    event.remove(database.engine, "before_cursor_execute", count)
    return counted


def test_two_and_twenty_rows_cost_the_same_queries(
    browser: Browser, database: Database, people: factories.People
) -> None:
    client = browser(people.lead)

    def grow(rows: int, versions: int) -> None:
        with database.writing() as session:
            for at in range(rows):
                approve(session, people.project, people.annotator, people.reviewer, dialogue(f"{versions} {at}"))
            for at in range(versions):
                freeze_version(session, people.lead, people.project, name=f"set-{rows}-{at}")

    def counted(*pages: str) -> list[int]:
        # Each pair of versions is compared when somebody first looks, and never again.
        for page in pages:
            assert client.get(page).status_code == 200
        return [queries_of(client, database, page) for page in pages]

    table = f"/projects/{people.project.slug}/version-table"
    grow(2, 2)
    few = counted(versions_url(people), table, versions_url(people, "/set-2-0"))
    grow(20, 15)
    many = counted(versions_url(people), table, versions_url(people, "/set-20-0"))
    assert few == many


def test_the_timeline_reads_no_row_of_a_version_once_its_pairs_were_compared(
    browser: Browser, database: Database, kitchen: factories.People
) -> None:
    with database.writing() as session:
        for at in range(VERSIONS_A_PAGE + 2):
            freeze_version(session, kitchen.lead, kitchen.project, name=f"v{at}")
    client, statements = browser(kitchen.lead), list[str]()
    earlier = versions_url(kitchen, "?page=2")
    assert "the same rows" in client.get(earlier).text

    def listen(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", listen)
    assert client.get(earlier).status_code == 200
    event.remove(database.engine, "before_cursor_execute", listen)
    assert statements
    assert not [one for one in statements if "version_row" in one]


def test_a_version_of_an_archived_project_is_verified_and_exported_and_none_is_frozen(
    browser: Browser, database: Database, kitchen: factories.People, version: Version
) -> None:
    with database.writing() as session:
        archive_project(session, kitchen.lead, session.get_one(Project, kitchen.project.id))
    client = browser(kitchen.lead)
    assert client.post(versions_url(kitchen, "/v1/verification")).status_code == 303
    assert client.post(versions_url(kitchen, "/v1/exports"), data={"format": "lima"}).status_code == 303
    assert client.post(versions_url(kitchen), data={"name": "v2"}).status_code == 410
    assert count_versions(database) == 1
