"""What a comparison says of approvals, and that page and release notes count by one rule."""

import re

from app.datasets.operations import freeze_version
from app.db import Database
from app.projects.models import Split
from app.reviews.models import ReviewVerdict
from tests import factories
from tests.datasets.material import approve, dialogue
from tests.datasets.test_compare_page import Browser, example_asking, two, url  # noqa: F401 - a fixture


def test_what_came_approved_from_elsewhere_was_not_approved_by_whoever_let_it_in(
    browser: Browser,
    database: Database,
    two: factories.People,  # noqa: F811 - the fixture
) -> None:
    with database.writing() as session:
        imported = dialogue("From elsewhere", "Whole.")
        approve(session, two.project, None, two.lead, imported, verdict=ReviewVerdict.IMPORTED)
        freeze_version(session, two.lead, two.project, name="v3")
    client = browser(two.annotator)
    page = client.get(url(two, "?old=v2&new=v3")).text
    assert f"Approved elsewhere, let in by {two.lead.name}" in page
    assert f"pproved by {two.lead.name}" not in page
    version = client.get(f"/projects/{two.project.slug}/versions/v3").text
    assert f"{two.reviewer.name}, {two.lead.name} (let in what was approved elsewhere)" in version


def test_one_rule_of_counting_holds_on_page_and_in_notes(
    browser: Browser,
    database: Database,
    two: factories.People,  # noqa: F811 - the fixture
) -> None:
    """Reworded counts what changed in form alone and what moved as well, in the headline, tabs and headings."""
    with database.writing() as session:
        example_asking(session, "How do I keep rice from sticking?").split = Split.TEST
        freeze_version(session, two.lead, two.project, name="v3")
    client = browser(two.lead)
    page = client.get(url(two, "?old=v1&new=v3")).text
    assert re.search(r"Of these only form <span class=.count.>1<", page)
    assert "A row that changed in several ways is counted in each." in page
    assert "counted in each" not in client.get(url(two)).text
    notes = client.get(f"{url(two)}/notes.md?old=v1&new=v3").text
    assert "3 reworded (1 only in form)" in notes
    assert "## Reworded (3, of these 1 only in form, 1 of them listed above)" in notes
