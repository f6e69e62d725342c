import re
import socket
import time
import tracemalloc
from xml.sax.saxutils import quoteattr

import pytest

from app.sources.formats import open_source
from app.sources.readers.base import PromptChoice, ReadOptions
from app.sources.records import BadInput, BadLines

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
    start = time.monotonic()
    with pytest.raises(BadInput, match="Line 1: the file declares a document type or entities"):
        read(path).prepare()
    assert time.monotonic() - start < 1
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


BAD_ROWS = [
    (answer(2, 1, Score="many"), "Score is 'many'"),
    (answer(2, 1).replace("ParentId", "Parent"), "no ParentId"),
    (answer(2, 1, CreationDate="soon"), "CreationDate is 'soon'"),
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
