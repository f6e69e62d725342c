"""A plan is looked at, taken up to the target, taken again without effect, and put back as a whole."""

import json

import pytest

from app.accounts.models import AuditEntry
from app.errors import Denied
from app.examples import operations as examples
from app.examples import queries as example_queries
from app.examples.models import Example, ExampleState
from app.selection import operations
from app.selection.sampling import taking
from app.selection.sampling.plans import LIMA, Part, Plan, Strata
from app.sources.models import Candidate, CandidateStatus
from tests.examples import rows

SOURCE = "stackexchange_other"
FEW = Plan("few", (Part(SOURCE, count=3),))


@pytest.fixture
def six(session, people):
    run = rows.import_run(session, people.project)
    return [rows.candidate(session, people.project, run, number) for number in range(1, 7)]


def test_a_look_moves_nothing(session, people, six):
    (drawn,) = taking.look(session, people.project, FEW, 1)
    assert len(drawn.picks) == 3
    assert session.query(Example).count() == 0


def test_what_a_plan_takes_are_drafts_that_say_so_and_a_second_call_takes_nothing(session, people, six):
    made, (drawn,) = taking.take(session, people.lead, people.project, FEW, 1)
    drafts = session.query(Example).all()
    assert {one.candidate_id for one in drafts} == {pick.candidate.id for pick in drawn.picks}
    head = example_queries.head_revision(session, drafts[0])
    assert head.note == f"sampled by plan few {FEW.sha256[:12]}, seed 1"
    assert (made.plan_sha256, made.seed, made.result["taken"]) == (FEW.sha256, 1, 3)
    again, _ = taking.take(session, people.lead, people.project, FEW, 1)
    assert again is None
    assert session.query(Example).count() == 3
    assert session.query(AuditEntry).filter_by(action="sample").one().detail["taken"] == 3


def test_the_same_seed_takes_the_same_rows_after_they_were_put_back(session, people, six):
    made, (first,) = taking.take(session, people.lead, people.project, FEW, 5)
    assert taking.put_back(session, people.lead, people.project, made) == taking.PutBack(3, 0)
    assert {one.status for one in six} == {CandidateStatus.OPEN}
    _, (second,) = taking.take(session, people.lead, people.project, FEW, 5)
    assert [pick.candidate.id for pick in first.picks] == [pick.candidate.id for pick in second.picks]


def test_what_somebody_worked_on_stays_and_a_sampling_is_put_back_once(session, people, six):
    made, _ = taking.take(session, people.lead, people.project, FEW, 1)
    examples.submit_example(session, people.annotator, session.query(Example).first())
    assert taking.put_back(session, people.lead, people.project, made) == taking.PutBack(2, 1)
    with pytest.raises(taking.UndoneAlready):
        taking.put_back(session, people.lead, people.project, made)


def test_quotas_come_from_the_target_and_say_what_they_lack(session, people, six):
    drawn = taking.look(session, people.project, LIMA, 0)
    by_source = {part.part.source: part for part in drawn}
    other = by_source[SOURCE]
    assert (other.missing, len(other.picks)) == (200, 6)
    assert other.why == "194 short: the pool holds 6 open candidates."
    assert by_source["wikihow"].why == "200 short: the pool holds no open candidate of this source and split."
    assert by_source["askreddit"].part.split == "test"


def test_kept_candidates_are_taken_first_and_are_kept_again_when_put_back(session, people, six):
    for one in (six[0], six[2]):
        operations.keep_candidate(session, people.annotator, one)
    two = Plan("two", (Part(SOURCE, count=3),))
    for seed in range(5):
        (drawn,) = taking.look(session, people.project, two, seed)
        assert {pick.candidate.id for pick in drawn.picks[:2]} == {six[0].id, six[2].id}
        assert drawn.eligible == 6
    made, (drawn,) = taking.take(session, people.lead, people.project, two, 1)
    taking.put_back(session, people.lead, people.project, made)
    states = {one.id: one.status for one in six}
    assert [one for one, state in states.items() if state is CandidateStatus.KEPT] == [six[0].id, six[2].id]
    assert CandidateStatus.USED not in states.values()


def test_rejected_used_and_excluded_candidates_are_not_taken(session, people, six):
    operations.reject_candidate(session, people.annotator, six[0])
    operations.use_candidate(session, people.annotator, six[1])
    six[2].language = "de"
    session.flush()
    (drawn,) = taking.look(session, people.project, Plan("p", (Part(SOURCE, count=9),), excluded_languages=("de",)), 0)
    assert {pick.candidate.id for pick in drawn.picks} == {one.id for one in six[3:]}
    assert drawn.missing == 8


def test_only_a_lead_takes(session, people, six):
    with pytest.raises(Denied):
        taking.take(session, people.reviewer, people.project, FEW, 1)


def test_category_and_task_are_read_from_what_the_source_says(session, people):
    run = rows.import_run(session, people.project)
    for number, category in enumerate("aab"):
        rows.candidate(session, people.project, run, number, extra={"category": category})
    (drawn,) = taking.look(session, people.project, Plan("p", (Part(SOURCE, strata="category"),)), 0)
    assert {one.name: one.eligible for one in drawn.strata} == {"a": 2, "b": 1}


def test_generation_tasks_are_told_by_what_the_source_says(session, people):
    run = rows.import_run(session, people.project)
    for number, written in enumerate([True, False, True]):
        extra = {"task": f"task{number}", "generation": written}
        rows.candidate(session, people.project, run, number, extra=extra)
    part = Part(SOURCE, strata=Strata.TASK, each=1, generation=True)
    (drawn,) = taking.look(session, people.project, Plan("p", (part,)), 0)
    assert sorted(pick.stratum for pick in drawn.picks) == ["task0", "task2"]


def test_the_page_shows_the_plan_and_takes_it_and_puts_it_back(browser, database, people):
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        rows.candidate(session, people.project, run)
    path, client = f"/projects/{people.project.slug}/pool/sample", browser(people.lead)
    page = client.get(path).text
    assert "would take 1 candidate" in page
    assert "199 short" in page
    assert "A lead of the project can take them" in browser(people.annotator).get(path).text
    assert client.post(path, data={"plan": "lima", "seed": "3"}).status_code == 303
    assert "Taken as drafts: 1 candidate." in client.get(path).text
    with database.reading() as session:
        assert session.query(Candidate).one().status is CandidateStatus.USED
    assert client.post(f"{path}/1/undoing").status_code == 303
    with database.reading() as session:
        assert session.query(Candidate).one().status is CandidateStatus.OPEN


def test_the_bar_of_a_filled_quota_is_full(browser, database, people):
    with database.writing() as session:
        rows.candidate(session, people.project, rows.import_run(session, people.project))
    path, client = f"/projects/{people.project.slug}/pool/sample", browser(people.lead)
    own = json.dumps({"name": "one", "parts": [{"source": SOURCE, "count": 1}]})
    assert "100% of what the set lacks" in client.get(path, params={"document": own}).text
    assert client.post(path, data={"document": own, "seed": "3"}).status_code == 303
    page = client.get(path, params={"document": own}).text
    assert "The quota is filled." in page
    assert "The set lacks nothing of it" in page
    assert "% of what the set lacks" not in page.replace("each bar is 100% of what the set lacks", "")


def test_the_api_gives_the_document(api, database, people):
    with database.writing() as session:
        rows.candidate(session, people.project, rows.import_run(session, people.project))
    base = f"/api/v1/projects/{people.project.slug}"
    seen = api(people.annotator).get(f"{base}/sample", params={"seed": 2}).json()
    assert (seen["sampling"], seen["taken"], seen["plan_sha256"]) == (None, 1, LIMA.sha256)
    done = api(people.lead).post(f"{base}/samples", json={"seed": 2}).json()
    assert done["candidates"] == seen["candidates"]
    back = api(people.lead).post(f"{base}/samples/{done['sampling']}/undoing").json()
    assert back == {"sampling": done["sampling"], "put_back": 1, "stayed": 0}
    own = json.dumps({"parts": [{"source": SOURCE, "count": 1}]})
    assert api(people.lead).post(f"{base}/samples", json={"document": own}).json()["taken"] == 1


GERMAN = "Die Hütte steht am Rand des Waldes, und wer abends noch hinauf will, sollte eine Lampe dabei haben."
ENGLISH = "The hut stands at the edge of the wood, and whoever wants to climb up at night should bring a lamp."


def test_words_are_asked_where_an_import_knew_no_language(session, people, six):
    run = session.get_one(rows.ImportRun, six[0].import_run_id)
    for one in six:
        one.messages = rows.pair(one.title, GERMAN)
    known = rows.candidate(session, people.project, run, 8, messages=rows.pair("q", GERMAN), language="de")
    wanted = rows.candidate(session, people.project, run, 9, messages=rows.pair("q", ENGLISH))
    english = Plan("english", (Part(SOURCE, count=3),), languages=("en",))
    (drawn,) = taking.look(session, people.project, english, 1)
    assert [pick.candidate.id for pick in drawn.picks] == [wanted.id]
    assert "2 short: 7 of 8 open candidates" in drawn.why
    assert "the words of 6 turned out to be in another language" in drawn.why
    (drawn,) = taking.look(session, people.project, Plan("no", (Part(SOURCE, count=9),), excluded_languages=("de",)), 1)
    assert known.id not in {pick.candidate.id for pick in drawn.picks}
    assert len(drawn.picks) == 1


@pytest.mark.parametrize(
    "part",
    [
        Part(SOURCE, strata=Strata.TASK, each=1, count=9),
        Part(SOURCE, strata=Strata.CATEGORY, each=1, count=9),
        Part(SOURCE, strata=Strata.SITE, each=1, count=9, within="score"),
    ],
)
def test_a_stratum_that_has_given_its_each_gives_no_more_in_a_second_run(session, people, part):
    run = rows.import_run(session, people.project)
    for number in range(6):
        name = f"t{number % 3}" if number % 3 else ""
        extra = {"task": name, "category": name} if name else {}
        rows.candidate(session, people.project, run, number, site=name or "s", extra=extra)
    by_hand = session.query(Candidate).filter_by(external_id="1").one()
    operations.use_candidate(session, people.annotator, by_hand)
    plan = Plan("p", (part,))
    made, (drawn,) = taking.take(session, people.lead, people.project, plan, 1)
    assert len({pick.stratum for pick in drawn.picks}) == len(drawn.picks) == 2
    assert "t1" not in {pick.stratum for pick in drawn.picks}
    again, (drawn,) = taking.take(session, people.lead, people.project, plan, 2)
    assert (again, drawn.picks) == (None, ())
    assert "gives 1 at most, with what the set has of it" in drawn.why
    # What is put back or rejected was given by nobody.
    taking.put_back(session, people.lead, people.project, made)
    session.query(Example).one().state = ExampleState.REJECTED
    session.flush()
    (drawn,) = taking.look(session, people.project, plan, 1)
    assert len(drawn.picks) == 3
