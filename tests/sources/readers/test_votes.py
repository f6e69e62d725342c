"""The votes of a dump beside its scores: what differs is said, nothing is dropped, and a broken file stops nothing."""

import tracemalloc

import pytest

from app.sources.formats import open_source
from app.sources.readers.base import ReadOptions
from app.sources.readers.votes import Tally
from tests.sources import rooms
from tests.sources.readers.test_stackexchange import answer, question, row

SITE = "coffee.stackexchange.com"


@pytest.fixture
def dump(tmp_path):
    def write(posts, votes):
        (tmp_path / "Posts.xml").write_text(f"<posts>\n{chr(10).join(posts)}\n</posts>")
        (tmp_path / "Votes.xml").write_text(votes)
        return tmp_path

    return write


def votes_of(*pairs):
    """Votes as (post, kind)."""
    lines = [row(Id=number, PostId=post, VoteTypeId=kind) for number, (post, kind) in enumerate(pairs, 1)]
    return f"<votes>\n{chr(10).join(lines)}\n</votes>"


def notes_of(folder, **options):
    reader = open_source(folder, site=SITE, options=ReadOptions(**options))
    return reader, list(reader.records()), reader.notes


POSTS = (question(1, Score=2), answer(3, 1, 1), answer(2, 1, -1))


def test_scores_that_the_votes_make_are_said_to_fit(dump):
    folder = dump(POSTS, votes_of((1, 2), (1, 2), (3, 2), (3, 2), (3, 3), (2, 3), (2, 5), (9, 2)))
    _, records, notes = notes_of(folder)
    assert notes == ("The votes in Votes.xml make the scores of all 3 posts.",)
    assert len(records) == 2


def test_scores_that_they_do_not_make_are_counted_and_nothing_is_dropped(dump):
    _, records, (note,) = notes_of(dump(POSTS, votes_of((1, 2), (3, 2), (2, 2))))
    assert "The scores of 2 of 3 posts are not what Votes.xml makes" in note
    assert "such as 1 (2 against 1); 2 (-1 against 1)" in note
    assert "Nothing was dropped" in note
    assert [record.score for record in records] == [1, -1]


def test_votes_that_cannot_be_read_stop_nothing(dump):
    _, records, (note,) = notes_of(dump(POSTS, "<votes>\n" + row(Id=1, PostId=3, VoteTypeId=2)))
    assert note.startswith("Votes.xml could not be compared with the scores: the XML ends in the middle")
    assert len(records) == 2


def test_a_preview_counts_no_votes(dump):
    assert notes_of(dump(POSTS, votes_of((1, 2))), sample_bytes=1 << 20)[2] == ()


def test_memory_follows_the_posts_and_not_the_votes(tmp_path):
    path = tmp_path / "Votes.xml"
    path.write_text(votes_of(*((1 + number % 50, 2) for number in range(40_000))))
    tracemalloc.start()
    try:
        tally = Tally(range(1, 51))
        tally.count(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [tally.of(post) for post in (1, 50)] == [800, 800]
    assert peak < 1_000_000


def test_of_a_whole_site_every_score_is_what_its_votes_make(shared_data):
    _, records, notes = notes_of(shared_data / "se_quantumcomputing_2018")
    assert notes == ("The votes in Votes.xml make the scores of all 1,672 posts.",)
    assert len(records) == 1060


def test_the_note_stands_in_the_result_and_on_the_page(browser, database, settings, people, dump):
    folder = dump(POSTS, votes_of((1, 2)))
    run = rooms.imported(database, settings, people, folder, site=SITE)
    assert "are not what Votes.xml makes" in run.result["notes"][0]
    page = browser(people.annotator).get(f"/projects/{people.project.slug}/imports/{run.id}").text
    assert "The scores of 3 of 3 posts are not what Votes.xml makes" in page
