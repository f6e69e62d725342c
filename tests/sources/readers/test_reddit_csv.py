import csv
from collections import Counter

import pytest

from app.sources.formats import open_source, recognise
from app.sources.readers.base import ReadOptions
from app.sources.records import BadInput, BadLines
from app.sources.rulesets import PRESETS, Funnel

FACTS = {
    "created_utc": "1335842178.0",
    "score": "12",
    "id": "t0ynr",
    "title": "[Serious] Why &amp; how?",
    "permalink": "http://www.reddit.com/r/AskReddit/comments/t0ynr/why/",
    "selftext": "I ask\nbecause.",
    "over_18": "False",
    "subreddit_id": "t5_2qh1i",
    "is_self": "True",
}


@pytest.fixture
def table(tmp_path):
    def write(*rows, **options):
        path = tmp_path / "top.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(FACTS))
            writer.writeheader()
            writer.writerows(FACTS | row for row in rows)
        return open_source(path, options=ReadOptions(**options))

    return write


def test_a_title_of_askreddit_is_a_test_prompt_by_itself(table):
    reader = table({})
    (record,) = reader.records()
    assert (reader.format, record.prompt, record.responses) == ("reddit_csv", "Why & how?", ())
    assert (record.split, record.source, record.score) == ("test", "askreddit", 12)
    assert (record.site, record.external_id) == ("reddit.com", "t3_t0ynr")
    assert (record.url, record.posted_at.isoformat()) == (
        "https://www.reddit.com/r/AskReddit/comments/t0ynr/why/", "2012-05-01T03:16:18+00:00")  # fmt: skip
    assert record.extra == {"subreddit": "AskReddit", "over_18": False, "removed": None, "tags": ["Serious"]}


def test_elsewhere_the_text_goes_with_the_title(table):
    place = {"permalink": "http://www.reddit.com/r/explainlikeimfive/comments/t0ynr/why/"}
    (record,) = table(place).records()
    assert (record.prompt, record.split, record.source) == ("Why & how?\n\nI ask\nbecause.", None, None)
    (only,) = table(place, settings={"titles_only": "explainlikeimfive"}).records()
    assert (only.prompt, only.split) == ("Why & how?", "test")
    with pytest.raises(BadInput, match="list of subreddits"):
        table(place, settings={"titles_only": 1})


def test_what_is_gone_or_for_adults_says_so_for_the_rules(table):
    rows = {"over_18": "True"}, {"id": "b", "selftext": "[deleted]"}
    assert [(record.extra["over_18"], record.extra.get("removed")) for record in table(*rows).records()] == [
        (True, None),
        (False, "deleted"),
    ]


def test_a_licence_that_is_given_goes_before_the_collections(table):
    assert next(table({}).records()).licence == "PDDL 1.0 (the collection)"
    assert next(table({}, licence="CC0").records()).licence == "CC0"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"id": "b", "permalink": "http://example.org/"}, "permalink names no subreddit"),
        ({"id": "b", "title": " "}, "title is empty"),
        ({"id": "?"}, "no id of Reddit's"),
        ({"id": "b", "score": "x"}, "score is 'x'"),
        ({"title": "other"}, "with other words"),
    ],
)
def test_a38_a_bad_row_is_named_with_its_line(table, row, reason):
    with pytest.raises(BadLines, match=f"line 4: .*{reason}"):
        list(table({}, row).records())
    assert len(list(table({}, row, skip_bad=True).records())) == 1


def test_a_post_is_read_again_from_its_place(table):
    reader = table({}, {"id": "b"})
    assert [reader.record_at(record.place) for record in reader.records()] == list(reader.records())


@pytest.mark.parametrize(
    ("name", "over_18", "titles", "scores", "split"),
    [
        ("AskReddit", 40, 998, (1825, 12914), "test"),
        ("explainlikeimfive", 7, 998, (334, 3405), None),
    ],
)
def test_shared_lists_are_what_their_note_says(shared_data, name, over_18, titles, scores, split):
    path = shared_data / "reddit_top_posts_csv" / f"{name}.csv"
    assert recognise(path) == "reddit_csv"
    records = list(open_source(path).records())
    assert (len(records), len({record.external_id for record in records})) == (1000, 1000)
    assert Counter(record.extra["over_18"] for record in records) == {True: over_18, False: 1000 - over_18}
    # Tags are gone from the titles; their note counts them as they are written.
    assert len({" ".join(record.title.lower().split()) for record in records}) <= titles
    assert (min(record.score for record in records), max(record.score for record in records)) == scores
    assert {record.split for record in records} == {split}
    assert all(len(record.messages) == 1 and record.url for record in records)
    funnel = Funnel(PRESETS["lima-reddit"])
    for record in records:
        funnel.add(funnel.ruleset.decide(record))
    assert {row["rule"]: row["dropped"] for row in funnel.rows()} == {
        "removed": 0, "over_18": over_18, "top_answer": 0, "score": 0, "duplicate_titles": 2}  # fmt: skip
