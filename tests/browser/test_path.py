"""The whole path by hand, in two browsers: from the set-up link to a model that answers."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from tests.browser import path_people as people
from tests.browser import path_sources as sources
from tests.browser import path_texts as texts
from tests.browser import path_versions as versions
from tests.browser.looking import Complaints, Eyes
from tests.browser.serving import Site
from tests.browser.walk import Walk


@pytest.fixture
def walk(
    site: Site, eyes: Eyes, complaints: Complaints, visitor: Callable[..., BrowserContext], tmp_path: Path
) -> Walk:
    """Two browsers before the set-up link was used."""
    first, second = visitor(), visitor()
    return Walk(site, eyes, complaints, visitor, tmp_path, first.new_page(), second.new_page())


@pytest.mark.own_server
def test_two_people_go_the_whole_path(walk: Walk) -> None:
    people.set_up(walk)
    people.make_project(walk)
    people.invite(walk)
    sources.import_the_dump(walk)
    sources.import_the_pairs(walk)
    sources.settle_duplicates(walk)
    sources.pick_from_the_pool(walk)
    number = texts.write(walk)
    texts.refuse_own(walk, number)
    texts.review(walk, number)
    texts.save_stale(walk)
    texts.approve_imported(walk)
    sources.settle_the_rest(walk)
    versions.freeze(walk)
    versions.export(walk)
    versions.register_model(walk)
    versions.train(walk)
    versions.ask(walk)
    people.look_at_people(walk)
    people.sign_out(walk)
    walk.complaints.none()
    walk.eyes.clean()
