import json
import tracemalloc
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.sources.formats import open_source, recognise
from app.sources.readers.base import ReadOptions
from app.sources.readers.reddit_text import asked, plain, untagged
from app.sources.records import BadInput, BadLines
from app.sources.rules import TopAnswer
from app.sources.rulesets import PRESETS, Funnel


def submission(number, title="[WP] A door opens.", **more):
    facts = {"id": number, "title": title, "selftext": "", "subreddit": "WritingPrompts", "author": "ann",
             "score": 5, "created_utc": 1_400_000_000, "over_18": False, "is_self": True,
             "permalink": f"/r/WritingPrompts/comments/{number}/a/"}  # fmt: skip
    return {**facts, **more}


def comment(number, post="p1", **more):
    facts = {"id": number, "link_id": f"t3_{post}", "parent_id": f"t3_{post}", "body": f"Story {number}.",
             "author": "bob", "score": 1, "created_utc": 1_400_000_100, "subreddit": "WritingPrompts"}  # fmt: skip
    return {**facts, **more}


@pytest.fixture
def dump(tmp_path):
    def write(submissions=(), comments=(), **options):
        for name, rows in (("RC_2014", comments), ("RS_2014", submissions)):
            if rows:
                lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
                (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        return open_source(tmp_path, options=ReadOptions(**options))

    return write


def top(reader):
    reader.prepare()
    return [record.external_id for record in reader.records() if record.is_top]


def test_a_comment_is_the_answer_to_its_submission(dump):
    reader = dump(
        [submission("p1", selftext="Be bold &amp; brief.")], [comment("c1", body="&gt; said\r\nA &lt;b&gt;.")]
    )
    assert reader.format == "reddit"
    (record,) = reader.records()
    assert (record.title, record.prompt) == ("A door opens.", "A door opens.\n\nBe bold & brief.")
    assert record.responses[0].content == "> said\nA <b>."
    assert (record.site, record.external_id, record.thread_id) == ("reddit.com", "t1_c1", "p1")
    assert (record.source, record.split, record.is_top) == ("writingprompts", None, True)


def test_both_writers_and_addresses_travel_with_it(dump):
    (record,) = dump([submission("p1")], [comment("c1", author="[deleted]")], licence="CC0").records()
    assert (record.author, record.author_url, record.licence) == (None, None, "CC0")
    assert record.url == "https://www.reddit.com/comments/p1/_/c1/"
    assert record.posted_at == datetime(2014, 5, 13, 16, 55, tzinfo=UTC)
    assert record.extra == {
        "subreddit": "WritingPrompts",
        "over_18": False,
        "removed": None,
        "tags": ["WP"],
        "question_url": "https://www.reddit.com/r/WritingPrompts/comments/p1/a/",
        "question_author": "ann",
        "question_author_url": "https://www.reddit.com/user/ann",
        "question_score": 5,
    }


def test_the_best_is_the_highest_and_on_a_tie_the_older(dump):
    later, earlier = 1_400_000_300, 1_400_000_200
    comments = [
        comment("c1", score=7, created_utc=later),
        comment("c2", score=7, created_utc=earlier),
        comment("c3", score=6),
        comment("c4", post="p2", score=-3),
        comment("c5", post="p3", score=None),
    ]
    assert top(dump([submission("p1"), submission("p2")], comments)) == ["t1_c2", "t1_c4", "t1_c5"]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"body": "[deleted]"}, "its words are gone"),
        ({"body": "[removed]"}, "its words are gone"),
        ({"parent_id": "t1_c1"}, "it replies to another comment"),
        ({"stickied": True}, "it is pinned"),
        ({"distinguished": "moderator"}, "it is pinned"),
    ],
)
def test_what_is_gone_pinned_or_a_reply_is_never_the_best_and_says_why(dump, other, why):
    reader = dump([submission("p1")], [comment("c1"), comment("c2", score=99, **other)])
    assert top(reader) == ["t1_c1"]
    first, second = reader.records()
    assert TopAnswer().objection(first) is None
    assert TopAnswer().objection(second).startswith(why)


def test_what_is_gone_or_for_adults_says_so_for_the_rules(dump):
    posts = [submission("p1"), submission("p2", over_18=True), submission("p3", selftext="[removed]")]
    comments = [
        comment("c1", body="[deleted]"),
        comment("c2", "p2"),
        comment("c3", "p3"),
        comment("c4", parent_id="t1_c1"),
    ]
    records = list(dump(posts, comments).records())
    assert [record.extra.get("removed") for record in records] == ["deleted", None, "removed", None]
    assert [record.extra["over_18"] for record in records] == [False, True, False, False]
    assert [record.extra.get("reply") for record in records] == [None, None, None, True]
    assert records[2].prompt == "A door opens."


def test_titles_of_askreddit_are_test_prompts_and_its_answers_are_not_read(dump):
    ask = submission("a1", "[Serious] Why? [NSFW]", subreddit="AskReddit", selftext="Mine is …")
    records = list(dump([ask, submission("p1")], [comment("c1", "a1"), comment("c2")]).records())
    assert [(record.external_id, record.prompt, record.split) for record in records] == [
        ("t1_c2", "A door opens.", None),
        ("t3_a1", "Why?", "test"),
    ]
    assert (records[1].source, records[1].responses, records[1].score) == ("askreddit", (), 5)


def test_which_subreddits_give_titles_alone_is_a_setting(dump):
    ask = submission("a1", "Why?", subreddit="AskReddit")
    rows = [ask], [comment("c1", "a1", subreddit="AskReddit")]
    assert [record.external_id for record in dump(*rows, settings={"titles_only": []}).records()] == ["t1_c1"]
    assert [record.external_id for record in dump(*rows, settings={"titles_only": "r/askreddit"}).records()] == [
        "t3_a1"
    ]
    with pytest.raises(BadInput, match="list of subreddits"):
        dump(*rows, settings={"titles_only": 7})


def test_submissions_alone_are_prompts(dump):
    records = list(dump([submission("p1", selftext="More."), submission("p2", "Two")]).records())
    assert [(record.prompt, record.split) for record in records] == [("A door opens.\n\nMore.", None), ("Two", None)]


def test_a_comment_whose_submission_is_missing_has_no_question(dump):
    reader = dump([], [comment("c1"), comment("c2", score=9)])
    records = list(reader.records())
    assert [(record.title, len(record.messages), record.is_top) for record in records] == [
        ("", 1, False),
        ("", 1, True),
    ]
    assert not any(PRESETS["none"].decide(record).kept for record in records)


BAD = [
    ('{"body": "x", "link_id": "t3_p1", "parent_id": "t3_p1"', "not valid JSON"),
    (comment("c9", body=None), "body is missing"),
    (comment("?"), "id is '.'"),
    (comment("c9", score="many"), "score is 'many'"),
    (comment("c9", score=1 << 31), "score is '2147483648'"),
    (comment("c9", created_utc=True), "created_utc is 'True'"),
    (comment("c9", body="\ud800"), "lone surrogate"),
    (comment("c1"), "c1 stands in the dump twice"),
    ({"id": "c9"}, "neither a submission"),
    (comment("c9", author="x" * 201), "longer than 200"),
    ("7", "not a JSON object"),
]


@pytest.mark.parametrize(("row", "reason"), BAD, ids=[reason for _, reason in BAD])
def test_a38_a_bad_row_is_named_before_anything_is_given_or_left_out(dump, row, reason):
    with pytest.raises(BadLines, match=f"line 2: .*{reason}"):
        dump([], [comment("c1"), row, comment("c3")]).prepare()
    reader = dump([], [comment("c1"), row, comment("c3")], skip_bad=True)
    assert [record.external_id for record in reader.records()] == ["t1_c1", "t1_c3"]
    assert len(reader.errors) == 1


def test_a_record_is_read_again_from_its_places(dump):
    reader = dump(
        [submission("p1"), submission("p2", "Two")], [comment("c1"), comment("c2", "p2"), comment("c3", "p9")]
    )
    records = list(reader.records())
    # A row that is found by its byte does not know its line.
    again = [replace(reader.record_at(record.place), line=record.line) for record in records]
    assert again == records
    assert records[1].place.beside is not None


def test_memory_grows_by_the_thread_and_not_by_its_text(tmp_path):
    def peak(words):
        with (tmp_path / "RS").open("w") as posts, (tmp_path / "RC").open("w") as comments:
            for number in range(2000):
                posts.write(json.dumps(submission(f"{number:05}", selftext=words)) + "\n")
                comments.write(json.dumps(comment(f"c{number:05}", f"{number:05}", body=words)) + "\n")
        tracemalloc.start()
        reader = open_source(tmp_path)
        reader.prepare()
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    assert peak("x" * 4000) < peak("x") + 1_000_000


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("[WP] A door.", ("A door.", ["WP"])),
        ("[ WP ] A door .", ("A door .", ["WP"])),
        ("{ WP } A door", ("A door", ["WP"])),
        ("[WP][TT] A door", ("A door", ["WP", "TT"])),
        ("[update]My dad", ("My dad", ["update"])),
        ("A door? [possibly NSFW]", ("A door?", ["possibly NSFW"])),
        ("A door [NSFW]?", ("A door?", ["NSFW"])),
        ("That [shutter] sound", ("That [shutter] sound", [])),
        ("[Modpost]", ("[Modpost]", [])),
        ("f[x] = [y", ("f[x] = [y", [])),
    ],
)
def test_bracket_tags_at_the_ends_of_a_title_go(title, expected):
    assert untagged(title) == expected


def test_escapes_are_undone_once():
    assert plain("&amp;lt; &lt;b&gt; &quot;") == "&lt; <b> &quot;"


@pytest.mark.parametrize("text", ["", " ", ".", "[deleted]", "[removed]"])
def test_an_empty_or_lost_text_adds_nothing_to_a_title(text):
    assert asked("Title", text) == "Title"


@pytest.fixture
def december(shared_data, tmp_path):
    zstandard = pytest.importorskip("zstandard")
    packed = shared_data / "reddit_pushshift_comments_2005-12" / "RC_2005-12.zst"
    path = tmp_path / "RC_2005-12"
    with packed.open("rb") as file, path.open("wb") as out:
        # The window of a true Pushshift dump is 2 GiB.
        zstandard.ZstdDecompressor(max_window_size=1 << 31).copy_stream(file, out)
    return path


def test_shared_comments_are_as_many_as_their_note_says(december):
    assert recognise(december) == "reddit"
    records = list(open_source(december).records())
    direct = [record for record in records if "reply" not in record.extra]
    there = [record for record in direct if not record.extra["removed"]]
    best = [record for record in records if record.is_top]
    assert (len(records), len({record.external_id for record in records})) == (1075, 1075)
    assert (len(direct), len(there), len(best)) == (746, 654, 364)
    assert sum(record.score >= 10 for record in records) == 23
    assert sum(record.score >= 10 for record in there) == 13
    assert sum(record.score >= 10 for record in best) == 8
    assert Counter(record.extra.get("removed") for record in records) == {None: 955, "deleted": 105, "removed": 15}
    assert (min(record.score for record in records), max(record.score for record in records)) == (-21, 27)
    assert sum(record.author is None for record in records) == 185
    assert len({record.thread_id for record in records}) == 396


def test_each_rule_keeps_as_many_shared_comments_as_their_note_says(december):
    left, kept = list(open_source(december).records()), {}
    for rule in PRESETS["lima-reddit"].rules[:4]:
        left = [record for record in left if rule.objection(record) is None]
        kept[rule.name] = len(left)
    assert kept == {"removed": 955, "over_18": 955, "top_answer": 364, "score": 8}


def test_shared_comments_are_dropped_for_want_of_their_questions(december):
    funnel = Funnel(PRESETS["none"])
    for record in open_source(december).records():
        assert not record.has_question
        funnel.add(funnel.ruleset.decide(record))
    assert funnel.rows() == [{"rule": "question", "kept": 0, "dropped": 1075}]
