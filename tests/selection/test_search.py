"""Search: every word, a phrase, -not; over titles and answers, indexed or not; nothing typed is an error."""

import pytest
from sqlalchemy import delete, text

from app.selection import queries, searching
from app.selection.queries import PoolFilter, TitleJudged
from app.selection.searching import fts5
from app.sources.models import Candidate, CandidateStatus
from app.text.search import Term
from tests.examples import rows


@pytest.fixture(params=[False, True], ids=["read through", "indexed"])
def found(request, session, people):
    run = rows.import_run(session, people.project)

    def make(**texts):
        for number, (title, answer) in enumerate(texts.items(), 1):
            rows.candidate(session, people.project, run, number, title=title, messages=rows.pair(title, answer))
        if request.param:
            searching.index_all(session)
            assert session.scalars(searching.unindexed(people.project.id)).all() == [] or not searching.on_sqlite(
                session
            )

    def ask(words, **wanted):
        query = queries.searched(session, people.project.id, PoolFilter(words=words, **wanted))
        return {candidate.title for candidate in session.scalars(query)}

    ask.make = make
    return ask


def test_words_are_found_in_titles_and_answers_in_any_order_and_case(found):
    found.make(Cheese="It keeps in a rucksack.", Butter="It melts.")
    assert found("RUCKSACK cheese") == {"Cheese"}
    assert found("it") == {"Cheese", "Butter"}
    assert found("keep") == {"Cheese"}
    assert found("rucksack butter") == set()


def test_a_phrase_keeps_its_order_and_minus_leaves_out(found):
    found.make(one="hard cheese lasts", two="cheese gets hard")
    assert found('"hard cheese"') == {"one"}
    assert found('cheese -"hard cheese"') == {"two"}
    assert found("cheese -lasts") == {"two"}
    assert found("-lasts") == {"two"}


def test_roles_are_no_words(found):
    found.make(one="nothing")
    assert found("assistant") == set()
    assert found("content") == set()


@pytest.mark.parametrize(
    "words",
    [
        '"',
        '""',
        "-",
        "--",
        "NEAR(a b",
        "a OR",
        "title:x",
        "^x",
        "x*",
        "(",
        "{",
        "'",
        "\\",
        "a\0b",
        '-"',
        "* *",
        "'x",
        "x'':*&|!",
    ],
)
def test_nothing_typed_is_an_error(found, words):
    found.make(one="x")
    found(words)


def test_a_deleted_candidate_is_forgotten_by_the_index(session, people, found):
    found.make(one="rucksack", two="rucksack")
    session.execute(delete(Candidate).where(Candidate.title == "one"))
    assert found("rucksack") == {"two"}
    if searching.on_sqlite(session):
        session.execute(text("INSERT INTO candidate_words (candidate_words) VALUES ('integrity-check')"))


def test_what_is_restored_into_an_indexed_import_is_found(session, people, found):
    found.make(one="rucksack")
    run = session.query(Candidate).first().import_run_id
    rows.candidate(
        session, people.project, session.get_one(rows.ImportRun, run), 9, title="late rucksack", published=True
    )
    assert found("late") == {"late rucksack"}


def test_filters_of_the_words_themselves(session, people):
    run = rows.import_run(session, people.project)
    code = rows.pair("a", "```\nx\n```")
    rows.candidate(session, people.project, run, 1, title="code", messages=code, flags=["e-mail"])
    rows.candidate(session, people.project, run, 2, title="long", messages=rows.pair("a", "b" * 1200), language="de")
    rows.candidate(session, people.project, run, 3, title="alone", title_alone=True, extra={"category": "Food"})

    def ask(**wanted):
        found = session.scalars(queries.searched(session, people.project.id, PoolFilter(**wanted)))
        return {candidate.title for candidate in found}

    assert ask(code=True) == {"code"}
    assert ask(shortest=1200, longest=1200) == {"long"}
    assert ask(shortest=1201) == set()
    assert ask(language="de") == {"long"}
    assert ask(flag="e-mail") == {"code"}
    assert ask(flag="e") == set()
    assert ask(title=TitleJudged.YES) == {"alone"}
    assert ask(title=TitleJudged.UNSEEN) == {"code", "long"}
    assert ask(category="Food") == {"alone"}
    assert ask(import_run_id=run.id + 1) == set()
    assert queries.flags_of(session, people.project.id) == {"e-mail": 1}
    assert queries.flags_of(session, people.project.id, CandidateStatus.REJECTED) == {}
    assert queries.judged_titles(session, people.project.id) == 1
    facets = queries.facets(session, people.project.id)
    assert (facets.language, facets.status["open"]) == ({"en": 2, "de": 1}, 3)


def test_terms_are_quoted_for_the_index():
    assert (
        fts5((Term("NOT"), Term("it"), Term('a"b'), Term("in a", phrase=True)))
        == '"NOT"* AND "it" AND "a""b" AND "in a"'
    )
