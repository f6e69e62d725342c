import json
import re
import socket
import time
import tracemalloc
from dataclasses import asdict
from xml.sax.saxutils import quoteattr

import pytest

from app.sources.formats import open_source
from app.sources.readers.base import PromptChoice, ReadOptions
from app.sources.records import BadInput, BadLines, Place
from app.sources.rulesets import ruleset_from

SITE = "coffee.stackexchange.com"


def row(**attributes):
    return "<row " + " ".join(f"{name}={quoteattr(str(value))}" for name, value in attributes.items()) + " />"


def question(number, **more):
    facts = {
        "Id": number,
        "PostTypeId": 1,
        "CreationDate": "2015-01-01T00:00:00.000",
        "Score": 1,
        "Body": f"<p>body {number}</p>",
        "Title": f"title {number}",
        "OwnerUserId": 5,
        "Tags": "<a><b>",
    }
    return row(**{**facts, **more})


def answer(number, parent, score=1, **more):
    facts = {
        "Id": number,
        "PostTypeId": 2,
        "ParentId": parent,
        "CreationDate": "2015-01-02T00:00:00.000",
        "Score": score,
        "Body": f"<p>answer {number}</p>",
        "OwnerUserId": 6,
    }
    return row(**{**facts, **more})


@pytest.fixture
def dump(tmp_path):
    def write(*rows, head='<?xml version="1.0" encoding="utf-8"?>\n<posts>\n', tail="\n</posts>\n"):
        path = tmp_path / "Posts.xml"
        path.write_bytes(b"\xef\xbb\xbf" + (head + "\n".join(rows) + tail).encode())
        return path

    return write


def read(path, **options):
    return open_source(path, site=SITE, options=ReadOptions(**options))


def test_an_answer_becomes_a_record_with_its_question(dump, tmp_path):
    (tmp_path / "Users.xml").write_text('<users><row Id="6" DisplayName="Ada"/><row Id="5" DisplayName="Bo"/></users>')
    path = dump(question(1, AcceptedAnswerId=2), answer(2, 1, 12))
    record = next(open_source(path, site=SITE, options=ReadOptions(prompt=PromptChoice("title"))).records())
    assert (record.site, record.external_id, record.thread_id, record.line) == (SITE, "2", "1", 4)
    assert [(m.role, m.content) for m in record.messages] == [("user", "title 1"), ("assistant", "answer 2")]
    assert (record.score, record.is_top, record.author) == (12, True, "Ada")
    assert record.url == "https://coffee.stackexchange.com/a/2"
    assert record.author_url == "https://coffee.stackexchange.com/users/6"
    assert record.licence == "CC BY-SA 3.0"
    assert record.extra["question_author"] == "Bo"
    assert record.extra["accepted"]
    assert record.extra["tags"] == ["a", "b"]


def test_the_top_answer_has_the_highest_score_and_the_lower_id_on_a_tie(dump):
    path = dump(question(1), answer(9, 1, 5), answer(3, 1, 5), answer(4, 1, -2), question(20), answer(21, 20, -7))
    assert {r.external_id: r.is_top for r in read(path).records()} == {"9": False, "3": True, "4": False, "21": True}


def test_answers_may_stand_before_their_question(dump):
    path = dump(answer(2, 1), question(1), answer(3, 1))
    records = list(read(path, prompt=PromptChoice("body")).records())
    assert [(r.external_id, r.title, r.prompt) for r in records] == [
        ("2", "title 1", "body 1"),
        ("3", "title 1", "body 1"),
    ]


def test_an_answer_without_its_question_is_yielded_without_a_prompt(dump):
    reader = read(dump(question(1), answer(2, 99)))
    assert [message.role for message in next(reader.records()).messages] == ["assistant"]
    reader.prepare()
    assert reader.counts.missing_questions == 1


def test_wikis_are_no_answers(dump):
    path = dump(question(1), answer(2, 1), row(Id=3, PostTypeId=4, Body="x"), row(Id=4, PostTypeId=5, Body="y"))
    assert [record.external_id for record in read(path).records()] == ["2"]


def test_deleted_authors_keep_the_name_their_row_states(dump):
    reader = read(dump(question(1), answer(2, 1).replace('OwnerUserId="6"', 'OwnerDisplayName="user99"')))
    record = next(reader.records())
    assert (record.author, record.author_url) == ("user99", None)


def test_the_coin_is_seeded_and_fair():
    choice, other = PromptChoice(seed=1), PromptChoice(seed=2)
    first = [choice.takes_title(SITE, number) for number in range(2000)]
    assert first == [PromptChoice(seed=1).takes_title(SITE, number) for number in range(2000)]
    assert first != [other.takes_title(SITE, number) for number in range(2000)]
    assert 900 < sum(first) < 1100
    assert not any(PromptChoice(title_share=0).takes_title(SITE, number) for number in range(99))


def test_a_question_that_is_only_a_picture_asks_by_its_title(dump):
    path = dump(question(1, Body="<p><img src='x'></p>"), answer(2, 1))
    assert next(read(path, prompt=PromptChoice("body")).records()).prompt == "title 1"


def test_records_can_be_read_twice_and_progress_is_told(dump):
    told = []
    reader = read(dump(question(1), answer(2, 1)), on_progress=lambda *step: told.append(step))
    assert [r.external_id for r in reader.records()] == [r.external_id for r in reader.records()] == ["2"]
    assert told[0][0] == "checking"
    assert told[-1] == ("reading", reader.total_bytes, reader.total_bytes)


def test_real_authors_are_found(shared_data):
    reader = open_source(shared_data / "se_quantumcomputing_2018", site="quantumcomputing.stackexchange.com")
    missing = [record.external_id for record in reader.records() if record.author is None]
    assert len(missing) <= 2


def comment(number, post, by, text, day=3, **more):
    when = f"2015-01-{day:02}T00:00:00.000"
    return row(Id=number, PostId=post, Score=0, Text=text, CreationDate=when, UserId=by, **more)


def beside(path, name, *rows):
    root = name.lower()
    (path.parent / f"{name}.xml").write_text(f"<{root}>\n" + "\n".join(rows) + f"\n</{root}>")


def test_what_falls_by_its_numbers_is_dropped_without_a_look_at_its_words(dump):
    path = dump(question(1), answer(2, 1, 3), answer(3, 1, 30), answer(4, 99))
    low, high, orphan = read(path).records()
    path.unlink()
    rules = ruleset_from("lima")
    assert [rules.decide(low).rule, rules.decide(orphan).rule] == ["top_answer", "score"]
    assert ruleset_from("none").decide(orphan).rule == "question"
    with pytest.raises(FileNotFoundError):
        rules.decide(high)


def test_every_record_is_found_again_at_its_place(shared_data):
    folder = shared_data / "se_coffee_2015"
    records = list(open_source(folder, site=SITE).records())
    fresh = open_source(folder, site=SITE)
    assert len(records) == 327
    for record in records:
        again = fresh.record_at(record.place)
        assert {**asdict(again), "line": record.line} == asdict(record)
        assert again.place == record.place


def test_places_say_which_answer_is_the_best_and_whose_question_is_missing(dump):
    path = dump(question(1), answer(2, 1, 9), answer(3, 1, 30), answer(4, 99))
    reader = read(path)
    again = [reader.record_at(record.place) for record in reader.records()]
    assert [(one.external_id, one.is_top, one.has_question) for one in again] == [
        ("2", False, True),
        ("3", True, True),
        ("4", True, False),
    ]
    with pytest.raises(BadInput, match="The file changed"):
        reader.record_at(Place(0, path.stat().st_size - 5))


def test_names_are_found_in_whatever_order_people_stand(dump):
    path = dump(question(1), answer(2, 1))
    beside(path, "Users", *(row(Id=number, DisplayName=f"N{number}") for number in (9, 6, -1, 5)))
    record = next(read(path).records())
    again = read(path).record_at(record.place)
    for one in (record, again):
        assert (one.author, one.extra["question_author"]) == ("N6", "N5")


@pytest.mark.parametrize(("fact", "how"), [("ClosedDate", "closed"), ("DeletionDate", "deleted")])
def test_a_closed_or_deleted_question_is_said_to_be_that(dump, fact, how):
    path = dump(question(1, **{fact: "2016-02-03T00:00:00.000"}), answer(2, 1), question(5), answer(6, 5))
    closed, other = read(path).records()
    rule = ruleset_from({"rules": [{"rule": "closed"}]})
    assert rule.decide(closed).reason == f"its question is {how} since 2016-02-03"
    assert rule.decide(other).kept


def test_known_duplicates_are_those_whose_two_questions_are_there(dump, shared_data):
    path = dump(question(1), question(2), answer(3, 1))
    link = {"Id": 1, "CreationDate": "2015-01-01T00:00:00.000", "PostId": 2, "RelatedPostId": 1, "LinkTypeId": 3}
    beside(path, "PostLinks", *(row(**{**link, **more}) for more in ({}, {"LinkTypeId": 1}, {"RelatedPostId": 3})))
    reader = read(path)
    reader.prepare()
    assert reader.known_duplicates == ((2, 1),)
    folder = shared_data / "se_quantumcomputing_2018"
    real = open_source(folder, site="quantumcomputing.stackexchange.com")
    real.prepare()
    stated = json.loads((folder / "EXPECTED.json").read_text())["duplicate_pairs(PostId,RelatedPostId)"]
    assert [list(pair) for pair in real.known_duplicates] == stated
    assert len(stated) == 11
    assert {one.path for one in real.left_out} == {"EXPECTED.json", "SOURCE.md"}


TALK = [
    comment(1, 2, 6, "And mind this."),
    comment(2, 2, 5, "Why?"),
    comment(3, 2, 77, "A third says so."),
    comment(4, 2, 5, "And how?"),
    comment(5, 2, 6, "Like *this*.", day=4),
    comment(6, 2, 5, "Thanks!", day=5),
    comment(7, 1, 5, "Below the question."),
]


def dialogues(path, setting=True):
    reader = read(path, prompt=PromptChoice("title"), settings={"dialogues": setting})
    return [record for record in reader.records() if "#" in record.external_id]


def test_comments_between_asker_and_answerer_are_a_dialogue(dump):
    path = dump(question(1), answer(2, 1, 12))
    beside(path, "Comments", *reversed(TALK))
    beside(path, "Users", row(Id=5, DisplayName="Bo"), row(Id=6, DisplayName="Ada"))
    (found,) = dialogues(path)
    assert found.external_id == "2#comments"
    assert [(message.role, message.content) for message in found.messages] == [
        ("user", "title 1"),
        ("assistant", "answer 2\n\nAnd mind this."),
        ("user", "Why?\n\nAnd how?"),
        ("assistant", "Like *this*."),
    ]
    assert (found.author, found.extra["question_author"], found.extra["turns"]) == ("Ada", "Bo", 4)
    assert (found.licence, found.score, found.is_top) == ("CC BY-SA 3.0", 12, None)
    again = read(path, prompt=PromptChoice("title")).record_at(found.place)
    assert (again.external_id, again.messages) == (found.external_id, found.messages)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@Ada: Why?", "Why?"),
        ("@JuanGonzález Why, @Ada?", "Why, @Ada?"),
        ("a@b is no call", "a@b is no call"),
        (
            'See [this (one)](https://a.example.org/b_(c)) and [that](http://b.example.org "x").',
            "See this (one) and that.",
        ),
        ("`[x](https://a.example.org)` and [y](z), `curl https://c.example.org/d`", None),
        (
            "[`f`](https://a.example.org/f) (https://c.example.org/pub/3). Or WWW.D.example.org?",
            "`f` (c.example.org). Or D.example.org?",
        ),
        (
            "[https://a.example.org/b](https://a.example.org/b) *http://e.example.org/x_(y)*",
            "a.example.org *e.example.org*",
        ),
    ],
)
def test_a_comment_loses_its_call_links_and_addresses_as_answers_do(dump, text, said):
    path = dump(question(1), answer(2, 1))
    beside(path, "Comments", comment(3, 2, 5, "Well?", day=2), comment(4, 2, 6, text))
    (found,) = dialogues(path)
    assert found.messages[-1].content == (said or text)


def test_dialogues_are_read_only_when_they_are_wanted(dump):
    path = dump(question(1), answer(2, 1, 12))
    beside(path, "Comments", *TALK)
    assert [len(dialogues(path, setting)) for setting in (False, "", "off", "on", "true")] == [0, 0, 0, 1, 1]
    with pytest.raises(BadInput, match="dialogues is true or false"):
        dialogues(path, "perhaps")


@pytest.mark.parametrize(
    "rows",
    [
        [question(1), answer(2, 1, OwnerUserId=5)],
        [question(1).replace('OwnerUserId="5"', 'OwnerDisplayName="x"'), answer(2, 1)],
        [answer(2, 1)],
    ],
)
def test_nobody_talks_to_themselves_or_to_somebody_who_has_left(dump, rows):
    path = dump(*rows)
    beside(path, "Comments", *TALK)
    assert dialogues(path) == []


def test_a_question_that_nobody_answered_below_makes_no_dialogue(dump):
    path = dump(question(1), answer(2, 1))
    beside(path, "Comments", TALK[1], row(Id=8, PostId=2, Text="left", CreationDate="soon", UserId=6))
    assert dialogues(path) == []


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]><posts><row Body='&j;'/></posts>"
)
EXTERNAL = (
    '<?xml version="1.0"?><!DOCTYPE posts [<!ENTITY x SYSTEM "file:///etc/passwd">]><posts><row Body="&x;"/></posts>'
)
REMOTE = '<!DOCTYPE posts SYSTEM "http://127.0.0.1:{port}/x.dtd"><posts><row Id="1"/></posts>'
BLOW_UP = '<!DOCTYPE p [<!ENTITY a "' + "a" * 100_000 + '">]><posts><row Body="' + "&a;" * 10_000 + '"/></posts>'


@pytest.mark.parametrize("text", [BOMB, EXTERNAL, REMOTE, BLOW_UP])
def test_a30_declarations_are_refused_at_once_and_nothing_is_fetched(tmp_path, text):
    canary = socket.create_server(("127.0.0.1", 0))
    canary.settimeout(0.05)
    path = tmp_path / "Posts.xml"
    path.write_text(text.replace("{port}", str(canary.getsockname()[1])))
    tracemalloc.start()
    start = time.process_time()
    with pytest.raises(BadInput, match="Line 1: the file declares a document type or entities"):
        read(path).prepare()
    assert time.process_time() - start < 1
    assert tracemalloc.get_traced_memory()[1] < 50 << 20
    tracemalloc.stop()
    with pytest.raises(TimeoutError):
        canary.accept()
    canary.close()


def test_a_truncated_file_names_its_last_line(dump, shared_data, tmp_path):
    with pytest.raises(BadInput, match=r"Line 4: .*cut off"):
        read(dump(question(1), answer(2, 1)[:60], tail="")).prepare()
    whole = (shared_data / "se_coffee_2015" / "Posts.xml").read_bytes()
    (tmp_path / "cut.xml").write_bytes(whole[: len(whole) // 2])
    line = whole[: len(whole) // 2].count(b"\n") + 1
    with pytest.raises(BadInput, match=f"Line {line}: .*cut off"):
        read(tmp_path / "cut.xml").prepare()


def test_invalid_utf8_names_line_and_byte(tmp_path):
    path = tmp_path / "Posts.xml"
    data = f"<posts>\n{question(1)}\n{answer(2, 1)}\n</posts>".encode().replace(b"answer 2", b"answer \xff")
    path.write_bytes(data)
    with pytest.raises(BadInput, match=f"Line 3: byte {data.index(bytes([255]))} is not valid UTF-8"):
        read(path).prepare()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<users><row/></users>", "holds <users>, not <posts>"),
        ("<posts><post/></posts>", "<post> has no place"),
        ("<posts><row><row/></row></posts>", "<row> has no place"),
        ("<posts></posts>", "no question and no answer"),
        ("<posts><row Id='1' Id='2'/></posts>", "duplicate attribute"),
        ("<posts><row Body='&#0;'/></posts>", "reference to invalid character number"),
        ("<posts><row Body='&#xD800;'/></posts>", "reference to invalid character number"),
        ("<posts/><posts/>", "junk after document element"),
    ],
)
def test_a34_broken_files_are_refused_with_a_sentence(tmp_path, text, reason):
    (tmp_path / "Posts.xml").write_text(text)
    with pytest.raises(BadInput, match=re.escape(reason)):
        read(tmp_path / "Posts.xml").prepare()


def test_a36_a_row_without_end_is_refused_in_bounded_memory(tmp_path):
    path = tmp_path / "Posts.xml"
    path.write_bytes(b"<posts><row Body='" + b"x" * (40 << 20))
    with pytest.raises(BadInput, match="longer than 8 MB"):
        read(path).prepare()
    with pytest.raises(BadInput, match="longer than 8 MB"):
        read(path, skip_bad=True).prepare()


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_a36_a_row_that_is_too_long_is_bad_and_the_rest_is_read(dump, place):
    good = [question(1, Body="ü"), answer(2, 1), answer(3, 1, Body="it's > that")]
    long = answer(9, 1, Body="it's > that\n" * 30_000)
    path = dump(*good[:place], long, long.replace('"9"', '"10"'), *good[place:])
    reader = read(path, longest=1 << 17, skip_bad=True)
    records = list(reader.records())
    assert [record.external_id for record in records] == ["2", "3"]
    assert [record.prompt for record in records if record.extra["prompt"] == "body"] in (["ü"] * 2, ["ü"], [])
    assert [(bad.line, bad.reason) for bad in reader.errors] == [
        (3 + place, "a row is longer than 0 MB (HANDPICKED_MAX_RECORD_MB)"),
        (4 + place, "a row is longer than 0 MB (HANDPICKED_MAX_RECORD_MB)"),
    ]
    at = [number for number, one in enumerate([*good[:place], "", "", *good[place:]]) if one in good[1:]]
    assert [record.line for record in records] == [3 + one for one in at]
    assert [reader.record_at(record.place).messages for record in records] == [record.messages for record in records]
    with pytest.raises(BadLines, match=rf"2 lines cannot be read: lines {3 + place}, {4 + place}: a row is longer"):
        read(path, longest=1 << 17).prepare()


def test_a36_what_follows_a_long_row_is_checked_by_its_line_and_byte(dump):
    long = answer(9, 1, Body="x" * 300_000)
    path = dump(question(1), long, "<row Id='3' <", answer(2, 1))
    byte = path.read_bytes().index(b"<row Id='3' <")
    with pytest.raises(BadInput, match=rf"Line 5: the XML is broken near byte {byte + 12} "):
        read(path, longest=1 << 17, skip_bad=True).prepare()
    path = dump(question(1), long, tail="")
    with pytest.raises(BadInput, match="Line 4: the XML ends in the middle"):
        read(path, longest=1 << 17, skip_bad=True).prepare()


def two_dumps(folder):
    for name, number in (("a", 1), ("b", 11)):
        (folder / name).mkdir()
        rows = question(number) + answer(number + 1, number)
        (folder / name / "Posts.xml").write_text(f"<posts>{rows}</posts>")
    return folder


@pytest.mark.parametrize("format", ["auto", "stackexchange"])
def test_the_dumps_of_two_sites_are_refused_by_their_names(tmp_path, format):
    folder = two_dumps(tmp_path)
    with pytest.raises(BadInput, match=r"There are 2 dumps in .* \(a/Posts\.xml, b/Posts\.xml\).*import each"):
        open_source(folder, format, SITE)
    assert [record.external_id for record in open_source(folder / "b", format, SITE).records()] == ["12"]


def test_people_of_another_folder_are_not_those_of_a_dump(tmp_path):
    folder = two_dumps(tmp_path)
    (folder / "b" / "Posts.xml").rename(folder / "b" / "old.txt")
    (folder / "b" / "old.txt").write_text("Posts of another site.")
    for name, person in (("a", "Ada"), ("b", "Eve")):
        (folder / name / "Users.xml").write_text(f'<users><row Id="6" DisplayName="{person}"/></users>')
    (folder / "a").rename(folder / "z")
    reader = open_source(folder, site=SITE)
    assert [record.author for record in reader.records()] == ["Ada"]
    assert [one.path for one in reader.left_out] == ["b/Users.xml", "b/old.txt"]


BAD_ROWS = [
    (answer(2, 1, Score="many"), "Score is 'many'"),
    (answer(2, 1).replace("ParentId", "Parent"), "no ParentId"),
    (answer(2, 1, CreationDate="soon"), "CreationDate is 'soon'"),
    (answer(2, 1, CreationDate="0001-01-01T00:00:00+09:00"), "CreationDate is '0001-01-01T"),
    (answer(2, 1).replace("Body", "Text"), "no Body"),
    (answer(2, 1, Id="-4"), "Id is '-4'"),
    (answer(2, 1, ContentLicense="x" * 81), "ContentLicense is longer than 80"),
    (answer(1, 1), "Id 1 stands in the dump twice"),
]


@pytest.mark.parametrize(("bad", "reason"), BAD_ROWS)
def test_bad_rows_are_refused_with_their_line_or_skipped(dump, bad, reason):
    path = dump(question(1), bad, answer(8, 1))
    with pytest.raises(BadLines, match=f"line 4: .*{reason}") as caught:
        read(path).prepare()
    assert caught.value.status == 422
    reader = read(path, skip_bad=True)
    assert [record.external_id for record in reader.records()] == ["8"]
    assert [(error.line, reason in error.reason) for error in reader.errors] == [(4, True)]


def test_memory_grows_by_numbers_and_not_by_text(dump):
    count, body = 4000, "<p>" + "words " * 300 + "</p>"
    rows = [text for n in range(count) for text in (question(2 * n + 1, Body=body), answer(2 * n + 2, 2 * n + 1))]
    reader = read(dump(*rows))
    del rows
    tracemalloc.start()
    reader.prepare()
    assert tracemalloc.get_traced_memory()[1] < 1_500_000 + 300 * count
    tracemalloc.stop()
