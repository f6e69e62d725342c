"""The inbox of each person, and the letter that says the same."""

import email.policy
import json
import socket
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner

from app.accounts.models import User
from app.cli import build
from app.config import Settings
from app.db import now
from app.examples import claims, skips
from app.examples.models import Example, Revision
from app.home.inbox import inbox_of
from app.home.letters import letter_for, send_letters
from app.reviews import operations as reviews
from app.reviews.models import Comment, CommentMention
from tests.counting import count_queries
from tests.examples import rows


@pytest.fixture
def base(people):
    return f"/projects/{people.project.slug}"


def fill(session, people, count=1):
    """So many of each kind for the annotator."""
    for _ in range(count):
        back = rows.submitted(session, people.annotator, people.project, "Came back?")
        reviews.return_example(session, people.reviewer, back, 1, "Cut the <last> line.")
        given = rows.example(session, people.colleague, people.project, "Handed?")
        skips.hand_over(session, people.colleague, given, people.annotator, "You know gardens.")
        held = rows.example(session, people.annotator, people.project, "Held?")
        claims.claim(session, people.annotator, held)
        ending = rows.example(session, people.annotator, people.project, "Ending?")
        ending.claimed_by, ending.claimed_until = people.annotator.id, now() + timedelta(minutes=5)
        named(session, people, held)
    session.flush()


def named(session, people, example):
    said = Comment(
        example_id=example.id, revision_number=1, message=0, start=0, end=0, quote="", words="Look at this, please.",
        author_id=people.reviewer.id,
    )  # fmt: skip
    session.add(said)
    session.flush()
    session.add(CommentMention(comment_id=said.id, user_id=people.annotator.id))
    session.flush()


def test_the_inbox_has_every_kind_and_only_ones_own(session, people):
    fill(session, people)
    mine = inbox_of(session, people.annotator, people.project)
    kinds = [item.kind for item in mine.items]
    assert kinds == ["returned", "mentioned", "handed", "expiring", "claimed"]
    assert mine.waiting == 3
    assert mine.returned[0].who == people.reviewer.name
    assert mine.handed[0].words == "You know gardens."
    assert inbox_of(session, people.colleague, people.project).items == []


def test_the_day_begins_with_what_waits_in_the_inbox(browser, database, people, base):
    with database.writing() as session:
        given = rows.example(session, people.colleague, people.project, "Handed?")
        skips.hand_over(session, people.colleague, given, people.annotator, "You know gardens.")
    day = browser(people.annotator).get(base).text
    assert "<strong>1 thing waits for your answer.</strong>" in day
    assert "Nothing waits for you" not in day
    with database.writing() as session:
        given = session.get_one(Example, given.id)
        given.handed_to = None
        given.claimed_by, given.claimed_until = people.annotator.id, now() + timedelta(minutes=5)
    assert "<strong>1 claim ends within minutes.</strong>" in browser(people.annotator).get(base).text


def test_the_page_shows_it_and_the_rail_counts_it(browser, database, people, base):
    with database.writing() as session:
        fill(session, people)
    page = browser(people.annotator).get(f"{base}/inbox").text
    for words in ("Cut the &lt;last&gt; line.", "Look at this, please.", "You know gardens.", "3 things wait"):
        assert words in page
    assert '3<span class="hidden"> in your inbox</span>' in page
    assert "You know gardens." in browser(people.annotator).get(base).text
    empty = browser(people.colleague).get(f"{base}/inbox").text
    assert "An empty inbox" in empty


def test_what_was_answered_leaves_the_inbox(session, people):
    fill(session, people)
    handed = session.scalars(select(Example).where(Example.handed_to == people.annotator.id)).one()
    skips.skip(session, people.annotator, handed, skips.SkipReason.NOT_MY_FIELD)
    session.execute(update(Comment).values(settled_at=now(), settled_by=people.annotator.id))
    assert inbox_of(session, people.annotator, people.project).waiting == 1


@pytest.mark.parametrize("path", ["inbox", "", "?view=day"])
def test_the_inbox_costs_the_same_for_2_and_20(browser, database, people, base, path):
    client, seen = browser(people.annotator), []
    for count in (2, 18):
        with database.writing() as session:
            fill(session, people, count)
        with count_queries(database) as asked:
            assert client.get(f"{base}/{path}" if path == "inbox" else base + path).status_code == 200
        seen.append(asked.count)
    assert seen[0] == seen[1]


def test_the_api_and_the_command_say_the_same(api, database, people, settings, monkeypatch, closing):
    with database.writing() as session:
        fill(session, people)
    said = api(people.annotator).get(f"/api/v1/projects/{people.project.slug}/inbox").json()
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("HANDPICKED_DATA_DIR", str(settings.data_dir))
    typed = ["inbox", people.project.slug, "--as", people.annotator.email, "--json"]
    assert json.loads(CliRunner().invoke(build(), typed).stdout) == said
    assert [item["kind"] for item in said["items"]][:2] == ["returned", "mentioned"]


class MailServer:
    """A small SMTP server on this machine; `refuse` makes it turn away what it is given."""

    def __init__(self):
        self.letters, self.refuse = [], False
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    @property
    def url(self):
        return f"smtp://127.0.0.1:{self.listening.getsockname()[1]}"

    def _serve(self):
        while True:
            client, _ = self.listening.accept()
            with client, client.makefile("rwb") as stream:
                if not self._talk(stream):
                    return

    def _talk(self, stream):
        def say(words):
            stream.write(words.encode() + b"\r\n")
            stream.flush()

        say("220 test")
        while line := stream.readline().decode().strip():
            word = line[:4].upper()
            if word == "STOP":
                return False
            if word == "QUIT":
                say("221 bye")
                return True
            if word == "MAIL" and self.refuse:
                say("451 not now")
                continue
            if word == "DATA":
                say("354 go on")
                lines = []
                while (part := stream.readline()) != b".\r\n":
                    lines.append(part.decode())
                self.letters.append("".join(lines))
            say("250 ok")
        return True

    def close(self):
        with socket.create_connection(self.listening.getsockname()) as client:
            client.sendall(b"STOP\r\n")
            self.thread.join()
        self.listening.close()


@pytest.fixture
def mail():
    server = MailServer()
    yield server
    server.close()


def wanting(database, people, *persons):
    with database.writing() as session:
        fill(session, people)
        ids = [person.id for person in persons]
        session.execute(update(User).where(User.id.in_(ids)).values(daily_letter=True))


def with_mail(settings, url):
    return Settings(**{**settings.model_dump(), "smtp_url": url, "base_url": "https://hand.example.org"})


def test_a_letter_goes_once_a_day_to_who_asked_and_has_something(database, people, settings, mail):
    wanting(database, people, people.annotator, people.stranger)
    ours = with_mail(settings, mail.url)
    send_letters(database, ours)
    send_letters(database, ours)
    assert len(mail.letters) == 1
    letter = email.message_from_string(mail.letters[0], policy=email.policy.default)
    assert letter["To"] == people.annotator.email
    for words in ("came back to you", "You know gardens.", "Look at this, please.", "https://hand.example.org"):
        assert words in letter.get_content()
    with database.writing() as session:
        session.execute(update(User).values(letter_at=now() - timedelta(hours=24)))
    send_letters(database, ours)
    assert len(mail.letters) == 2


def test_a_letter_that_was_refused_is_tried_again(database, people, settings, mail):
    wanting(database, people, people.annotator)
    mail.refuse = True
    send_letters(database, with_mail(settings, mail.url))
    assert mail.letters == []
    mail.refuse = False
    send_letters(database, with_mail(settings, mail.url))
    assert len(mail.letters) == 1


def test_no_letters_without_a_server_and_none_harm_when_it_is_gone(database, people, settings):
    wanting(database, people, people.annotator)
    send_letters(database, settings)
    send_letters(database, with_mail(settings, "smtp://127.0.0.1:1"))
    with database.reading() as session:
        assert session.get(User, people.annotator.id).letter_at is None


def test_nobody_writes_into_the_head_of_a_letter(session, people, settings):
    example = rows.submitted(session, people.annotator, people.project, "Subject?")
    session.execute(update(Revision).values(title="x\r\nBcc: all@example.org"))
    reviews.return_example(session, people.reviewer, example, 1, "y\r\n.\r\nRCPT TO:<all@example.org>")
    letter = letter_for(session, settings, people.annotator)
    assert letter["Bcc"] is None
    assert letter["Subject"] == "Handpicked: what waits for you"


def test_the_letter_is_switched_by_its_owner(browser, database, people):
    client = browser(people.annotator)
    switched_on = 'name="letter" value="true" checked'
    assert switched_on not in client.get("/account").text
    assert client.post("/account/letter", data={"letter": "true"}).status_code == 303
    assert switched_on in client.get("/account").text
    client.post("/account/letter")
    with database.reading() as session:
        assert session.get(User, people.annotator.id).daily_letter is False
