import pytest

from app.sources.exchanges import DEFAULT_EXCHANGES, ExchangeKind, kind_of, site_host, source_of
from app.sources.records import BadInput


def test_the_default_table_has_some_170_sites_in_three_groups():
    assert len(DEFAULT_EXCHANGES) > 165
    assert set(DEFAULT_EXCHANGES.values()) == set(ExchangeKind)


@pytest.mark.parametrize(
    ("site", "source"),
    [
        ("stackoverflow.com", "stackexchange_stem"),
        ("mathoverflow.net", "stackexchange_stem"),
        ("quantumcomputing.stackexchange.com", "stackexchange_stem"),
        ("coffee.stackexchange.com", "stackexchange_other"),
        ("brandnew.stackexchange.com", "stackexchange_other"),
        ("stackapps.com", None),
    ],
)
def test_a_site_fills_its_row_of_the_composition(site, source):
    assert source_of(site) == source


def test_the_projects_table_wins():
    assert kind_of("coffee.stackexchange.com", {"coffee.stackexchange.com": "stem"}) is ExchangeKind.STEM


def test_a_typed_site_becomes_a_host():
    assert site_host(" https://Coffee.StackExchange.com/questions ") == "coffee.stackexchange.com"


@pytest.mark.parametrize(
    "site", ["", "coffee", "a b.com", "x.com\n", "../x", "a" * 200 + ".com", "javascript:alert(1)"]
)
def test_what_is_no_host_is_refused(site):
    if site == "x.com\n":
        assert site_host(site) == "x.com"
        return
    with pytest.raises(BadInput):
        site_host(site)
