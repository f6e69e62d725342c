"""Test prompts kept out of sight: nobody who writes here meets their words on any way in, and others still do."""

import json
import re
from dataclasses import dataclass

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from app.cli import build
from app.datasets.operations import freeze_version
from app.duplicates.models import DuplicatePair, DuplicateScan, Method, On
from app.duplicates.texts import candidate_key, example_key
from app.examples import claims, operations, skips
from app.examples.models import Example, SkipReason
from app.examples.sight import as_seen_by, everything, visible_to
from app.home.letters import letter_for
from app.jobs.running import run_now
from app.projects import roles
from app.projects.models import Project, Split
from app.reviews import commenting
from app.reviews.operations import approve, return_example
from app.runs.decoding import Decoding
from app.runs.models import Answer, BaseModel, Checkpoint, ModelKind, RunState, TrainingRun
from app.sources.models import ImportState
from app.sources.operations import ImportPlan, draft_import, start_import
from app.sources.rulesets import Ruleset
from app.worker import worker_name
from tests.access.table import ALLOWED, TABLE
from tests.datasets.material import reasons_for
from tests.examples.rows import candidate, example, import_run, pair, submitted

WORD = "Quokkaberry"
"""It stands in whatever says what a hidden test prompt says, and nowhere else."""


@dataclass
class Planted:
    """A project in which test prompts left their words wherever there is a place for words."""

    people: object
    waiting: int = 0
    approved: int = 0
    own: int = 0
    candidate: int = 0
    pair: int = 0
    scan: int = 0
    brought: int = 0
    draft: int = 0
    run: int = 0

    def addresses(self):
        """Every page and document to read, with each number that fits its places."""
        fill = {
            "slug": [self.people.project.slug], "example_id": [self.waiting, self.approved, self.own],
            "candidate_id": [self.candidate], "pair_id": [self.pair], "scan_id": [self.scan],
            "import_id": [self.brought, self.draft], "name": ["v1"], "number": [self.run], "form": ["lima"],
            "job_id": [1], "user_id": [self.people.annotator.id], "position": [1, 2],
        }  # fmt: skip
        for row, least in TABLE.items():
            method, path = row.split(" ")
            if method != "GET" or "annotator" not in ALLOWED[least]:
                continue
            paths = [path]
            for place in re.findall(r"\{(\w+)\}", path):
                paths = [one.replace(f"{{{place}}}", str(value)) for one in paths for value in fill.get(place, ["1"])]
            yield from (one + question for one in paths for question in _questions(path))


def _questions(path):
    """What may be asked of a page: its words, its lists."""
    if path.endswith(("/examples", "/pool", "/candidates")):
        return ["", f"?words={WORD}", "?split=test"] if "api" not in path else ["", f"?words={WORD}"]
    if path.endswith(("/colleagues", "/colleagues/{example_id}", "/examples/near")):
        return [f"?q={WORD}", f"?q=What+is+a+{WORD}"]
    if path.endswith("/imports/{import_id}"):
        return ["", "?after=read", "?marked=true"]
    if path.endswith("/versions/{name}"):
        return ["", "?split=test", f"?words={WORD}"] if "api" not in path else [""]
    if path.endswith("/imports/{import_id}/versions"):
        return [""]
    return ["?show=settled", ""] if path.endswith("/duplicates") and "api" not in path else [""]


@pytest.fixture
def planted(database, settings, people, tmp_path):
    """The words of two test prompts of the lead's in every list, page, record, version and answer."""
    found = Planted(people)
    file = tmp_path / "tests.jsonl"
    rows = [{"id": f"t{n}", "split": "test", "messages": pair(f"{WORD} of import {n}?")[:1]} for n in range(2)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with database.writing() as session:
        plan = ImportPlan(path=file, name="tests", format="messages", ruleset=Ruleset(()))
        brought = start_import(session, people.lead, people.project, plan, "tests.jsonl")
    run_now(database, settings, brought.job_id, worker_name())
    with database.writing() as session:
        found.draft = draft_import(session, people.lead, people.project, file, file.name, "messages").id
        brought = session.merge(brought)
        session.refresh(brought)
        assert brought.state is ImportState.PUBLISHED, brought.result
        found.brought = brought.id
        _plant(session, people, found)
        hide(session, people)
    return found


def hide(session, people, hidden=True):
    roles.hide_tests(session, people.lead, session.get_one(Project, people.project.id), hidden=hidden)


def _plant(session, people, found):
    project, lead, reviewer, writer = people.project, people.lead, people.reviewer, people.annotator
    waiting = submitted(session, lead, project, f"{WORD}, waiting?", split="test", source="authors_b")
    note = commenting.comment(session, reviewer, waiting, f"Is {WORD} a word? @{writer.name}")
    commenting.settle(session, reviewer, waiting, note.id)
    commenting.comment(session, reviewer, waiting, f"@{writer.name} says {WORD} twice")
    done = submitted(session, lead, project, f"{WORD}, done?", split="test", source="authors_b")
    approve(session, reviewer, done, 1)
    back = submitted(session, lead, project, f"{WORD}, back?", split="test", source="authors_b")
    return_example(session, reviewer, back, 1, f"{WORD} is unclear.")
    claims.claim(session, lead, back)
    skips.skip(session, reviewer, back, SkipReason.UNCLEAR, f"{WORD}?")
    lead_draft = example(session, lead, project, f"{WORD}, draft?", split="test", source="authors_b")
    claims.claim(session, lead, lead_draft)
    own = submitted(session, writer, project, "What is a quokka?", source="wikihow")
    approve(session, reviewer, own, 1)
    run = import_run(session, project)
    shelf = candidate(session, project, run, 1, title=f"{WORD} in the pool?", split=Split.TEST)
    untouched = candidate(session, project, run, 2, title=f"{WORD} to take?", split=Split.TEST)
    operations.example_from_candidate(session, lead, untouched)
    scan = DuplicateScan(
        project_id=project.id, methods=["exact"], on=On.PROMPT, threshold=0.9, created_by=lead.id, result={}
    )
    session.add(scan)
    session.flush()
    for left, right in (
        (example_key(own.id), example_key(waiting.id)),
        (candidate_key(shelf.site, shelf.external_id), example_key(own.id)),
    ):
        session.add(
            DuplicatePair(
                project_id=project.id, scan_id=scan.id, left_key=left, right_key=right, method=Method.EXACT,
                on=On.PROMPT, score=1.0, leak=True,
            )
        )  # fmt: skip
    session.flush()
    found.pair = session.scalar(select(DuplicatePair.id).order_by(DuplicatePair.id).limit(1))
    version = freeze_version(session, lead, project, name="v1", overrides=reasons_for(session, project))
    base = BaseModel(name="tiny", kind=ModelKind.TINY, path="tiny")
    session.add(base)
    session.flush()
    trained = TrainingRun(
        project_id=project.id, version_id=version.id, base_model_id=base.id, recipe="smoke", settings={},
        state=RunState.SUCCEEDED, token="t" * 16, created_by=lead.id,
    )  # fmt: skip
    session.add(trained)
    session.flush()
    checkpoint = Checkpoint(run_id=trained.id, name="epoch-1", epoch=1, step=1, sha256="0" * 64)
    session.add(checkpoint)
    session.flush()
    asked = [{"role": "user", "content": f"{WORD}, done?"}]
    session.add(
        Answer(
            checkpoint_id=checkpoint.id,
            asked_by=lead.id,
            messages=asked,
            settings=Decoding().model_dump(),
            response=f"A {WORD}.",
        )
    )
    session.flush()
    found.waiting, found.approved, found.own = waiting.id, done.id, own.id
    found.candidate, found.scan, found.run = shelf.id, scan.id, trained.id


def says_it(answer):
    # What was looked for is shown again; what a prompt says goes on after the word.
    said = rf"{WORD}(?: |,)"
    return any(re.search(said, text, re.IGNORECASE) for text in (answer.text, re.sub(r"<[^>]+>", "", answer.text)))


def walk(planted, browser, api, person):
    """Every address with what it answered to that person."""
    clients = browser(person), api(person, "read")
    for address in planted.addresses():
        yield address, clients["/api/" in address].get(address)


def test_no_page_and_no_document_shows_a_writer_a_word_of_a_hidden_test_prompt(planted, browser, api, people):
    answers = dict(walk(planted, browser, api, people.annotator))
    assert [address for address, answer in answers.items() if says_it(answer)] == []
    assert [address for address, answer in answers.items() if answer.status_code >= 500] == []
    assert sum(answer.status_code == 200 for answer in answers.values()) > 60


def test_who_leads_the_project_meets_the_same_words_on_those_ways(planted, browser, api, people):
    told = [
        address.partition("?")[0] for address, answer in walk(planted, browser, api, people.lead) if says_it(answer)
    ]
    ways = {re.sub(rf"/projects/{people.project.slug}|/api/v1|[0-9]+", "", address) for address in told}
    assert {
        "/examples", "/examples/", "/examples//history", "/reviews", "/review", "/queue", "/pool", "/candidates",
        "/duplicates", "/duplicates/", "/versions/v", "/versions/v/examples.jsonl", "/imports/", "/runs/",
        "/runs//answers", "/colleagues", "/examples/near",
    } <= ways  # fmt: skip


def test_what_is_hidden_cannot_be_changed_either(planted, browser, api, people, database):
    slug = people.project.slug
    client, caller = browser(people.annotator), api(people.annotator, "write")
    for row, least in TABLE.items():
        method, path = row.split(" ")
        if method == "GET" or "{example_id}" not in path or "annotator" not in ALLOWED[least]:
            continue
        address = re.sub(r"\{\w+\}", "1", path.replace("{slug}", slug).replace("{example_id}", str(planted.waiting)))
        answer = (caller if "/api/" in path else client).request(method, address)
        assert answer.status_code in {404, 422}, row
        assert not says_it(answer), row
    with database.reading() as session:
        hidden = session.get_one(Example, planted.waiting)
        assert (hidden.state.value, hidden.revision_number, hidden.claimed_by) == ("review", 1, None)


def test_who_wrote_a_test_prompt_sees_their_own_and_no_other(planted, browser, api, people, database):
    with database.writing() as session:
        own = submitted(session, people.colleague, people.project, f"{WORD} of mine?", split="test", source="authors_b")
    slug = people.project.slug
    mine = api(people.colleague).get(f"/api/v1/projects/{slug}/examples?split=test").json()
    assert [one["id"] for one in mine["examples"]] == [own.id]
    assert browser(people.colleague).get(f"/projects/{slug}/examples/{own.id}/history").status_code == 200
    assert browser(people.annotator).get(f"/projects/{slug}/examples/{own.id}").status_code == 404


def test_a_reviewer_reads_tests_only_where_a_lead_lets_them(planted, browser, people):
    slug, reviewer = people.project.slug, browser(people.reviewer)
    assert reviewer.get(f"/projects/{slug}/review/{planted.waiting}").status_code == 404
    form = {"group": "", "reads_tests": "true"}
    assert (
        browser(people.reviewer).post(f"/projects/{slug}/members/{people.reviewer.id}/author", data=form).status_code
        == 403
    )
    browser(people.lead).post(f"/projects/{slug}/members/{people.reviewer.id}/author", data=form)
    assert says_it(reviewer.get(f"/projects/{slug}/review/{planted.waiting}"))
    # Shown to everybody again, everybody reads them.
    browser(people.lead).post(f"/projects/{slug}/tests", data={"hidden": "false"})
    assert says_it(browser(people.annotator).get(f"/projects/{slug}/examples/{planted.waiting}"))


def test_a_pair_with_a_hidden_prompt_says_that_there_is_one_and_a_lead_settles_it(
    planted, browser, api, people, database
):
    with database.writing() as session:
        session.get_one(DuplicatePair, planted.pair).score = 0.9876
    slug, writer = people.project.slug, browser(people.annotator)
    shown = writer.get(f"/projects/{slug}/duplicates/{planted.pair}").text
    assert "which is kept out of sight" in shown
    assert "A lead of the project settles this pair" in shown
    assert "A test prompt, kept out of sight" in writer.get(f"/projects/{slug}/examples/{planted.own}/duplicates").text
    documents = api(people.annotator).get(f"/api/v1/projects/{slug}/duplicates?threshold=1").json()["pairs"]
    [told] = [one for one in documents if one["id"] == planted.pair]
    assert told == api(people.annotator).get(f"/api/v1/projects/{slug}/duplicates/{planted.pair}").json()
    assert (told["method"], told["score"]) == (None, None)
    assert {told["left"], told["right"]} == {None, f"example:{planted.own}"}
    whole = api(people.lead).get(f"/api/v1/projects/{slug}/duplicates/{planted.pair}").json()
    assert (whole["method"], whole["score"], whole["left"] and whole["right"]) == ("exact", 0.9876, whole["right"])
    for page in ("duplicates", f"duplicates/{planted.pair}", f"examples/{planted.own}/duplicates"):
        assert ".98" not in writer.get(f"/projects/{slug}/{page}").text
        assert ".987" in browser(people.lead).get(f"/projects/{slug}/{page}").text
    decision = {"verdict": "keep_left"}
    address = f"/api/v1/projects/{slug}/duplicates/{planted.pair}/decision"
    refused = api(people.annotator, "write").post(address, json=decision)
    assert (refused.status_code, "A lead settles this pair" in refused.text) == (403, True)
    assert api(people.lead, "write").post(address, json=decision).json()["verdict"] == "keep_left"
    assert api(people.annotator, "write").post(address.replace("decision", "reversal")).status_code == 403


def test_a_version_with_tests_is_no_file_for_writers_and_its_counts_are_for_all(planted, browser, api, people):
    slug = people.project.slug
    refused = api(people.annotator).get(f"/api/v1/projects/{slug}/versions/v1/examples.jsonl")
    assert (refused.status_code, "kept out of sight" in refused.text) == (403, True)
    assert WORD in api(people.lead).get(f"/api/v1/projects/{slug}/versions/v1/examples.jsonl").text
    assert (
        "1 test prompt of this version is kept out of your sight"
        in browser(people.annotator).get(f"/projects/{slug}/versions/v1").text
    )
    for document in ("next-version", "progress", "versions/v1/verification"):
        asked = [
            api(person).get(f"/api/v1/projects/{slug}/{document}").json() for person in (people.annotator, people.lead)
        ]
        assert asked[0] == asked[1], document


def test_queue_candidates_and_handing_over_lead_to_none(planted, api, people, database):
    slug, caller = people.project.slug, api(people.annotator, "write")
    assert caller.post(f"/api/v1/projects/{slug}/examples/next").json()["example"] is None
    assert caller.post(f"/api/v1/projects/{slug}/candidates/{planted.candidate}/example").status_code == 404
    lead = api(people.lead, "write")
    lead.post(f"/api/v1/projects/{slug}/examples/{planted.waiting}/withdrawal")
    handed = lead.put(
        f"/api/v1/projects/{slug}/examples/{planted.waiting}/handing", json={"to": people.annotator.email}
    )
    assert (handed.status_code, "does not read" in handed.text) == (422, True)


def test_the_daily_letter_names_no_hidden_prompt(planted, settings, people, database):
    with database.reading() as session:
        letter = letter_for(session, settings, people.annotator)
        assert letter is None or WORD not in letter.get_content()
        with as_seen_by(session, people.annotator):
            seen = set(session.scalars(select(Example.id)))
            with everything(session):
                told = set(session.scalars(select(Example.id).where(visible_to(people.annotator))))
                every = set(session.scalars(select(Example.id)))
        assert seen == told < every
        with as_seen_by(session, people.admin):
            assert set(session.scalars(select(Example.id))) == every


def test_the_command_line_shows_the_same_to_whom_it_acts_as(planted, closing, settings, monkeypatch, people):
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("HANDPICKED_DATA_DIR", str(settings.data_dir))
    slug, command = people.project.slug, build()
    commands = (
        ("example", "list", slug), ("example", "show", slug, planted.waiting), ("review", "list", slug),
        ("pool", "list", slug), ("duplicates", "list", slug), ("inbox", slug), ("example", "next", slug),
    )  # fmt: skip
    for words in commands:
        said = CliRunner().invoke(command, [*map(str, words), "--as", people.annotator.email])
        assert WORD not in said.output, words
    told = [CliRunner().invoke(command, [*map(str, words), "--as", people.lead.email]).output for words in commands]
    assert sum(WORD in output for output in told) >= 4
