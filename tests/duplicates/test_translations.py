"""A translation says on purpose what its original says: no duplicate, and a leak only where one of them is held out."""

from app.duplicates import queries
from app.duplicates.models import Method, On
from app.examples import linking, translations
from app.examples.models import Example, ExampleState
from app.projects.models import Project, Split
from tests import factories
from tests.duplicates.rooms import ANSWER, GIT, KETTLE, KETTLE_AGAIN, candidate, example, import_run, keys, pairs, scan

WAYS = [Method.EXACT, Method.EMBEDDING]


def in_language(session, people, language, prompt=KETTLE, split=Split.TRAIN):
    made = example(session, people, prompt, ANSWER, split)
    made.language = language
    session.flush()
    return made


def test_original_and_translations_are_no_pairs_but_pairs_with_others(database, settings, people):
    with database.writing() as session:
        english, german, french = (in_language(session, people, one) for one in ("en", "de", "fr"))
        near = in_language(session, people, "nl", KETTLE_AGAIN)
        for one in (german, french, near):
            linking.link(session, people.annotator, one, english)
        other = example(session, people, KETTLE)
    for on in On:
        scan(database, settings, people, methods=WAYS, on=on)
        found = {key for pair in pairs(database, people) if pair.on is on for key in (pair.left_key, pair.right_key)}
        assert f"example:{other.id}" in found
        assert all(f"example:{other.id}" in (pair.left_key, pair.right_key) for pair in pairs(database, people))
    assert (f"example:{german.id}", f"example:{other.id}") in keys(database, people)


def test_a_pair_goes_at_the_next_scan_once_it_is_linked_and_comes_back_unlinked(database, settings, people):
    with database.writing() as session:
        english, german = in_language(session, people, "en"), in_language(session, people, "de", KETTLE_AGAIN)
    both = (f"example:{english.id}", f"example:{german.id}")
    scan(database, settings, people, methods=WAYS)
    assert keys(database, people) == [both]
    with database.writing() as session:
        linking.link(session, people.annotator, session.get_one(Example, german.id), english)
    scan(database, settings, people, methods=WAYS)
    assert keys(database, people) == []
    with database.writing() as session:
        linking.unlink(session, people.annotator, session.get_one(Example, german.id))
    scan(database, settings, people, methods=WAYS)
    assert keys(database, people) == [both]


def test_a_translation_that_is_held_out_from_its_original_is_a_leak(database, settings, people):
    with database.writing() as session:
        english, german = in_language(session, people, "en"), in_language(session, people, "de", split=Split.TEST)
        linking.link(session, people.annotator, german, english)
        dutch = in_language(session, people, "nl", split=Split.DEV)
        linking.link(session, people.annotator, dutch, english)
    scan(database, settings, people, methods=WAYS)
    assert {(pair.left_key, pair.right_key, pair.leak) for pair in pairs(database, people)} == {
        (f"example:{english.id}", f"example:{one.id}", True) for one in (german, dutch)
    }


def test_translations_of_an_original_that_is_elsewhere_or_out_belong_together(database, settings, people):
    with database.writing() as session:
        source = factories.project(session, people.lead)
        session.get_one(Project, people.project.id).follows_id = source.id
        there = in_language(session, people, "en", GIT)
        there.project_id, there.state = source.id, ExampleState.APPROVED
        rejected = in_language(session, people, "en")
        rejected.state = ExampleState.REJECTED
        session.flush()
        for original, prompt in ((there, GIT), (rejected, KETTLE)):
            first, second = (in_language(session, people, one, prompt) for one in ("de", "fr"))
            for one in (first, second):
                linking.link(session, people.annotator, one, original)
        again = translations.translate(session, people.annotator, people.project, second, "it")
    scan(database, settings, people, methods=WAYS)
    assert keys(database, people) == []
    with database.reading() as session:
        texts = {text.key: text.says for text in queries.texts_of(session, people.project.id)}
    assert texts[f"example:{again.id}"] == rejected.id


def test_a_translation_of_an_answer_is_none_of_the_other_answers(database, settings, people):
    with database.writing() as session:
        run = import_run(session, people)
        candidate(session, run, "1", KETTLE, thread="77")
        english = example(session, people, KETTLE)
        english.site, english.external_id, english.thread_id = "cooking.example.org", "2", "77"
        german = in_language(session, people, "de")
        linking.link(session, people.annotator, german, english)
    scan(database, settings, people, methods=WAYS)
    assert keys(database, people) == []
