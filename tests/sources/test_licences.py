from datetime import UTC, date, datetime

import pytest

from app.sources.licences import attribution, licence_url, stackexchange_licence


@pytest.mark.parametrize(
    ("day", "version"),
    [("2011-04-07", "2.5"), ("2011-04-08", "3.0"), ("2018-05-01", "3.0"), ("2018-05-02", "4.0"), ("2026-01-01", "4.0")],
)
def test_the_licence_goes_by_the_date_of_contribution(day, version):
    assert stackexchange_licence(date.fromisoformat(day)) == f"CC BY-SA {version}"
    assert stackexchange_licence(datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC)) == f"CC BY-SA {version}"


def test_a_stated_licence_wins():
    assert stackexchange_licence(date(2009, 1, 1), "CC BY-SA 4.0") == "CC BY-SA 4.0"


def test_creative_commons_and_few_others_have_a_known_address():
    assert licence_url("CC BY-SA 3.0") == "https://creativecommons.org/licenses/by-sa/3.0/"
    assert licence_url("Apache 2.0") == "https://www.apache.org/licenses/LICENSE-2.0"
    assert licence_url("our own") is None
    assert licence_url(None) is None


def test_the_attribution_names_author_site_and_licence():
    said = attribution(
        site="coffee.stackexchange.com", title="How?", question="7", url="https://coffee.stackexchange.com/a/9",
        author="Ada", author_url="https://coffee.stackexchange.com/users/3", licence="CC BY-SA 3.0",
    )  # fmt: skip
    assert said.sentence == '"How?", answered by Ada on coffee.stackexchange.com, under CC BY-SA 3.0.'
    assert said.question_url == "https://coffee.stackexchange.com/questions/7"
    assert said.licence_url.endswith("/by-sa/3.0/")
