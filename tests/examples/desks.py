"""What a desk posts, and what stands in the database afterwards."""

import re
from html.parser import HTMLParser

from sqlalchemy import select, update

from app.examples import operations
from app.examples.models import Example, WorkingCopy

TOLD = {"split": "train", "source": "wikihow", "language": "en", "flags": "", "note": "", "was": ""}


def typed(response="Half a thou", counter=0, copy_key="copy-key-1", **more):
    form = {**TOLD, "based_on": "1", "key": "form-key-1", "system": "", "turn_1": "How deep do roots go?"}
    return {**form, "turn_2": response, "counter": str(counter), "copy_key": copy_key, **more}


def desk_form(response, counter, **more):
    form = typed(response, counter, **more)
    return {name: value for name, value in form.items() if name != "copy_key"} | {"act": more.get("act", "save")}


def copies(database):
    """All working copies but those that were thrown away."""
    with database.reading() as session:
        found = session.scalars(select(WorkingCopy).order_by(WorkingCopy.id))
        return [copy for copy in found if "thrown" not in copy.description]


def counter_of(database):
    """Where the newest copy stands: what a page shows that follows it."""
    return copies(database)[-1].counter


def free(database):
    """Nobody's claim is alive: others may save."""
    with database.writing() as session:
        session.execute(update(Example).values(claimed_until=None))


def theirs(database, people, made, *messages):
    free(database)
    with database.writing() as session:
        example = session.get_one(Example, made.id)
        operations.save_revision(session, people.colleague, example, based_on=1, messages=list(messages))
    free(database)


def hidden(page):
    return dict(re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)">', page))


class Fields(HTMLParser):
    """What a browser posts of a desk that nobody touched, by the names of its fields."""

    def __init__(self):
        super().__init__()
        self.posted, self.inside, self.choice, self.text = {}, False, "", ""

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        name = given.get("name")
        if tag == "form":
            self.inside = given.get("id") == "desk-form"
        if not self.inside or "form" in given:
            return
        if tag == "input" and name and (given.get("type") not in ("checkbox", "radio") or "checked" in given):
            self.posted[name] = given.get("value") or ""
        elif tag == "select":
            self.choice = name
        elif tag == "option" and "selected" in given and self.choice:
            self.posted[self.choice] = given["value"]
        elif tag == "textarea":
            self.text, self.posted[name] = name, ""

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "form"
        self.choice = "" if tag == "select" else self.choice
        self.text = "" if tag == "textarea" else self.text

    def handle_data(self, data):
        if self.text:
            self.posted[self.text] += data


def shown(page):
    """The fields of the desk on a page, as they stand there."""
    found = Fields()
    found.feed(page)
    return {
        name: value.removeprefix("\n") if name.startswith("turn_") else value for name, value in found.posted.items()
    }
