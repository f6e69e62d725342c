"""A27: names of downloads are made by us; nothing that a person typed can split a header or leave a folder."""

import pytest

from app.datasets.operations import BadName, freeze_version
from app.sources import operations as sources
from app.sources.models import ImportState
from tests.factories import People

HOSTILE = ('a"b', "a\r\nSet-Cookie: x=1", "../../etc/passwd", "x" * 300, "🥬", "a b", "")


@pytest.mark.parametrize("name", HOSTILE)
def test_a27_a_version_cannot_have_a_name_that_a_header_or_a_path_would_trip_over(name, database, people: People):
    with database.writing() as session, pytest.raises(BadName):
        freeze_version(session, people.lead, people.project, name=name)


@pytest.mark.parametrize("name", HOSTILE[:5])
def test_a27_a_report_is_named_by_its_number_whatever_its_import_is_called(name, browser, database, people, tmp_path):
    with database.writing() as session:
        run = sources.draft_import(session, people.lead, people.project, tmp_path / "x", name[:120], "lima")
        run.state = ImportState.PUBLISHED
    answer = browser(people.lead).get(f"/projects/{people.project.slug}/imports/{run.id}/report.jsonl")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="import-{run.id}.jsonl"'
    assert "set-cookie" not in answer.headers
