"""What settles findings: a licence and a name that are given, a reason that goes past them."""

import pytest
from sqlalchemy import select

from app.accounts.models import AuditEntry
from app.datasets.gate_operations import set_gates
from app.examples.licensing import NoLicence, NothingGiven, give_licence
from app.examples.models import Example
from tests.datasets.gating import address, gate_of, put


def test_a_licence_is_given_to_what_has_none_and_a_name_to_what_names_nobody(browser, database, people):
    none = put(database, people, "Under nothing?", licence=None, attribution={})
    unnamed = put(database, people, "By nobody?", attribution={"site": "x.example.org"})
    known = put(database, people, "By somebody?")
    client = browser(people.lead)
    empty = client.post(address(people, "/licences"), data={"licence": " ", "author": ""})
    assert empty.status_code == 422
    assert "nothing was changed" in empty.text
    given = client.post(address(people, "/licences"), data={"licence": "CC BY 4.0", "author": "The kitchen team"})
    assert given.status_code == 303
    assert gate_of(database, people, "licences").state == "pass"
    with database.reading() as session:
        rows = {row.id: row for row in session.scalars(select(Example))}
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "give licence"))
    assert (rows[none].licence, rows[none].attribution) == ("CC BY 4.0", {"author": "The kitchen team"})
    assert rows[unnamed].licence == "CC BY-SA 3.0"
    assert rows[unnamed].attribution == {"site": "x.example.org", "author": "The kitchen team"}
    assert rows[known].attribution["author"] == "A. Baker"
    assert (entry.detail["licensed"], entry.detail["credited"]) == (1, 2)
    assert all(row.state == "approved" for row in rows.values())


@pytest.mark.parametrize("written", ["unknown", "all rights reserved"])
def test_what_is_no_licence_is_not_given_and_gives_way_to_one(database, people, written):
    number = put(database, people, "Under nothing?", licence="n/a")
    with pytest.raises(NoLicence, match="nothing was changed"), database.writing() as session:
        give_licence(session, people.lead, people.project, licence=written, author="")
    with database.writing() as session:
        assert give_licence(session, people.lead, people.project, licence="CC0", author="").licensed == 1
    with database.reading() as session:
        assert session.get_one(Example, number).licence == "CC0"


def test_nothing_given_is_refused_and_too_long_a_licence_too(api, database, people):
    with pytest.raises(NothingGiven), database.writing() as session:
        give_licence(session, people.lead, people.project, licence=" ", author="")
    answer = api(people.lead).post(f"/api/v1{address(people, '/licences')}", json={"licence": "x" * 81})
    assert answer.status_code == 422


def test_an_override_is_given_by_the_form_whatever_the_gate(browser, database, people):
    put(database, people, "What now?", "As an AI, I cannot say.")
    with database.writing() as session:
        set_gates(session, people.lead, people.project, {"style": "block"})
    versions = f"/projects/{people.project.slug}/versions"
    client = browser(people.lead)
    assert 'name="reason_style"' in client.get(versions).text
    assert client.post(versions, data={"name": "v1"}).status_code == 409
    unknown = client.post(versions, data={"name": "v1", "reason_weather": "It rains."})
    assert unknown.status_code == 422
    long = client.post(versions, data={"name": "v1", "reason_style": "x" * 501})
    assert long.status_code == 422
    assert "At most 500" in long.text
    assert client.post(versions, data={"name": "v1", "reason_style": "We study such answers."}).status_code == 303
    assert "We study such answers." in client.get(f"{versions}/v1/card").text
