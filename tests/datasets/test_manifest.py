"""The manifest says how a version was made: lengths in tokens, rules by their hash, agreement, house style, dates."""

import json
import zlib

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from app.datasets.card import account
from app.datasets.card.card import card, card_parts
from app.datasets.card.croissant import croissant_document
from app.datasets.card.head import front_matter
from app.datasets.card.picture import composition_svg
from app.datasets.formats import Format
from app.datasets.lengthpage import lengths_panel
from app.datasets.operations import freeze_version
from app.datasets.tokens import RowTokens, cut_at, row_tokens
from app.duplicates.models import DuplicatePair, Verdict
from app.examples.models import Example
from app.projects import tokenizers
from app.projects.models import Project, Split
from app.reviews.models import Review, ReviewVerdict
from app.sources.rulesets import PRESETS
from app.text.canonical import content_hash
from app.text.counting import ESTIMATE, read_tokenizer
from tests.datasets.material import add_revision, approve, dialogue, fixed_set, reasons_for
from tests.examples import rows

# The keys that manifests had before there was more to say.
FIRST_KEYS = {
    "format", "version", "id", "project", "frozen", "people", "approvals", "examples", "composition", "lengths",
    "languages", "licences", "sites", "gates", "software", "examples_file", "roles",
}  # fmt: skip


@pytest.fixture(scope="module")
def words() -> bytes:
    """A tokenizer of one token a word and sign."""
    made = Tokenizer(models.WordLevel({"?": 0}, unk_token="?"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return made.to_str().encode()


def frozen(database, people, name="v1"):
    with database.writing() as session:
        lead, project = session.merge(people.lead), session.get_one(Project, people.project.id)
        return dict(freeze_version(session, lead, project, name=name, overrides=reasons_for(session, project)).manifest)


def test_tokens_of_rows_are_those_of_training(words):
    counting = read_tokenizer(words)
    dialogues = [dialogue("a b", "c"), [{"role": "system", "content": "be brief"}, *dialogue("a b c", "d e")], []]
    assert row_tokens(dialogues, counting) == [RowTokens(2, 1, 5), RowTokens(5, 2, 10), RowTokens(0, 0, 0)]
    for messages, row in zip(dialogues, row_tokens(dialogues, counting), strict=True):
        assert row.total == counting.total([said["content"] for said in messages])
    assert cut_at(row_tokens(dialogues, counting), 9) == [1]
    assert cut_at(row_tokens(dialogues, counting), 10) == []
    assert row_tokens([dialogue("x" * 36, "y" * 72)], ESTIMATE) == [RowTokens(10, 20, 30)]


def test_lengths_are_counted_by_the_projects_tokenizer_and_rows_that_it_cuts(database, people, words, monkeypatch):
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        approve(session, project, people.annotator, people.reviewer, dialogue("one two three", "four"))
        approve(session, project, people.annotator, people.reviewer, dialogue("one", "two " * 30), source="authors")
        key = tokenizers.Checked("0" * 64, zlib.compress(words))
        tokenizers.set_tokenizer(session, people.lead, project, "by words", key)
    monkeypatch.setattr("app.datasets.making_queries.LIMIT", 20)
    manifest = frozen(database, people)
    assert manifest["tokens"] == {
        "exact": True, "name": "by words", "sha256": "0" * 64, "limit": 20, "total": 6 + 33, "cut": {"train": 1},
    }  # fmt: skip
    by_source = {row["source"]: row["tokens"] for row in manifest["lengths"]}
    three, one = ({"mean": size, "median": size, "max": size} for size in (3.0, 1.0))
    assert by_source["stackexchange_other"] == {"prompt": three, "response": one, "total": 6}
    assert "tokenizers" in manifest["software"]
    said = card(manifest, Format.LIMA)
    assert "39 by by words; 1 row longer than 20" in said
    assert f"whose tokenizer.json has `sha256:{'0' * 64}`" in said
    assert "Training that reads 20 tokens cuts 1 row." in said


def test_without_a_tokenizer_tokens_are_estimates_and_say_so(database, kitchen):
    manifest = frozen(database, kitchen)
    assert (manifest["tokens"]["exact"], manifest["tokens"]["sha256"]) == (False, None)
    assert "tokenizers" not in manifest["software"]
    assert "Tokens are estimated as characters / 3.6" in card(manifest, Format.LIMA)


def test_rules_of_imports_stand_there_with_a_hash_that_they_have(session, people):
    lima = PRESETS["lima"]
    run, other = rows.import_run(session, people.project), rows.import_run(session, people.project)
    run.ruleset, run.ruleset_hash = lima.as_dict(), lima.sha256
    own = {"rules": [{"rule": "score", "on": True, "minimum": 3}, {"rule": "links", "on": False}]}
    other.ruleset, other.ruleset_hash = own, content_hash([{"rule": "score", "minimum": 3}])
    for number, brought in enumerate((run, run, other, None)):
        made = approve(session, people.project, people.annotator, people.reviewer, dialogue(f"Question {number}?"))
        made.import_run_id = brought and brought.id
    left_out = approve(session, people.project, people.annotator, people.reviewer, dialogue("Rejected later?"))
    left_out.import_run_id, left_out.state = other.id, "rejected"
    left_out.approved_number = None
    session.flush()
    manifest = freeze_version(
        session, people.lead, people.project, name="v1", overrides=reasons_for(session, people.project)
    ).manifest
    assert [(one["name"], one["examples"]) for one in manifest["rules"]] == [("lima", 2), ("the project's own", 1)]
    assert [content_hash(one["rules"]) for one in manifest["rules"]] == [one["sha256"] for one in manifest["rules"]]
    said = card(manifest, Format.LIMA)
    assert f"2 examples came through an import by the rules lima (`sha256:{lima.sha256}`): top answer; score" in said
    assert "1 example came through an import by the project's own rules" in said
    assert "score (minimum 3)." in said
    made = [words for title, words in lengths_panel(manifest).made if title == "Examples by rules"]
    own_hash = other.ruleset_hash[:12]
    assert made == [f"lima: 2 ({lima.sha256[:12]}…); the project's own: 1 ({own_hash}…)"]


def test_two_second_persons_are_counted_with_kappa(session, people):
    for number, (one, two) in enumerate([("approved", "approved"), ("approved", "returned"), ("returned", "returned")]):
        made = approve(session, people.project, people.annotator, people.reviewer, dialogue(f"Q{number}?"))
        first = Review(example_id=made.id, revision_number=1, reviewer_id=people.lead.id, words="", verdict=one)
        session.add(first)
        session.flush()
        again = Review(example_id=made.id, revision_number=1, reviewer_id=people.reviewer.id, words="", verdict=two)
        again.second_to = first.id
        session.add(again)
        session.flush()
        session.add(Review(example_id=made.id, revision_number=1, reviewer_id=people.reviewer.id,
                           verdict=ReviewVerdict.APPROVED, words=""))  # fmt: skip
    manifest = freeze_version(
        session, people.lead, people.project, name="v1", overrides=reasons_for(session, people.project)
    ).manifest
    found = manifest["agreement"]
    assert (found["texts"], found["agreed"], round(found["kappa"], 3)) == (3, 2, 0.4)
    assert {"first": "approved", "second": "returned", "texts": 1} in found["verdicts"]
    assert "with the same verdict on 2 (67%; Cohen's kappa 0.40)" in card(manifest, Format.LIMA)


def test_with_one_second_person_nothing_is_said_to_be_measured(database, kitchen):
    manifest = frozen(database, kitchen)
    assert "agreement" not in manifest
    assert "no agreement to measure" in card(manifest, Format.LIMA)


def test_a_set_that_was_approved_elsewhere_does_not_pass_for_work_of_this_project(database, people):
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        for number in range(2):
            approve(session, project, None, None, dialogue(f"Q{number}?"), verdict=ReviewVerdict.IMPORTED, words="LIMA")
    manifest = frozen(database, people)
    said = card(manifest, Format.LIMA)
    assert "2 examples for aligning a language model, approved elsewhere and taken over as a set." in said
    assert "2 came approved from elsewhere and were taken as they are (LIMA)." in said
    for untrue in ("hand-picked", "People chose", "A reviewer read", "second person, never", "house style remarked"):
        assert untrue not in said
    found = json.loads(croissant_document(manifest, Format.LIMA, []))
    assert "rai:annotationsPerItem" not in found


def test_of_a_set_that_was_mostly_taken_over_only_what_was_done_here_is_said(database, people):
    """Three came approved elsewhere in a file, one of them let in unread; one was written and approved here."""
    with database.writing() as session:
        project, lead = session.get_one(Project, people.project.id), session.merge(people.lead)
        for number in range(3):
            approve(session, project, None, lead, dialogue(f"Q{number}?"), verdict=ReviewVerdict.IMPORTED,
                    attribution={"site": "alpaca.jsonl"})  # fmt: skip
        approve(session, project, people.annotator, people.reviewer, dialogue("Ours?"), attribution={}, licence="MIT")
    manifest = frozen(database, people)
    assert manifest["handled"] == {"pool": 0, "written": 1, "edited": 0, "settled": 0}
    assert [person["name"] for person in manifest["people"]["approvers"]] == [people.reviewer.name]
    assert [person["name"] for person in manifest["people"]["let_in"]] == [people.lead.name]
    said = card(manifest, Format.LIMA)
    for true in (
        "language model: 3 approved elsewhere and taken over as they are, 1 approved here by a second person.",
        "Of 4 examples, 1 was written here or without an origin on record.",
        f"Approvers: {people.reviewer.name}. Let in what was approved elsewhere: {people.lead.name}.",
        "Files: alpaca.jsonl (3).",
        "Texts whose site is not known came in alpaca.jsonl (3).",
        f"author = {{{{{manifest['project']['name']}}}}},\n  editor = {{{{{people.annotator.name}}}}},",
    ):
        assert true in said
    for untrue in ("hand-picked", "one by one", "settled", "look alike", "A reviewer read", "Sites: "):
        assert untrue not in said
    assert "https://alpaca.jsonl" not in croissant_document(manifest, Format.LIMA, []).decode()


def test_what_people_did_is_counted_and_said(database, kitchen):
    with database.writing() as session:
        project = session.get_one(Project, kitchen.project.id)
        session.add(DuplicatePair(project_id=project.id, left_key="example:1", right_key="example:2", on="prompt",
                                  method="exact", score=1, leak=False, verdict=Verdict.KEEP_BOTH,
                                  decided_by=kitchen.lead.id))  # fmt: skip
        edited = session.query(Example).filter(Example.licence == "CC BY-SA 4.0").one()
        edited.revision_number = edited.approved_number = 2
        add_revision(session, edited, kitchen.annotator, dialogue("Edited?"), 2)
    manifest = frozen(database, kitchen)
    assert manifest["handled"] == {"pool": 0, "written": 5, "edited": 1, "settled": 1}
    said = card(manifest, Format.LIMA)
    assert "Of 7 examples, 5 were written here or without an origin on record, 1 was edited since they came." in said
    assert "People of the project decided 1 pair of texts that look alike." in said
    assert "a house style remarked beside the line" in said


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (0, "Approvers: none on record. Let in what was approved elsewhere: Ann."),
        (1, "Approvers, and who let in what was approved elsewhere: Ann."),
    ],
)
def test_an_earlier_manifest_calls_nobody_an_approver_who_only_let_in(second, expected):
    people = {"writers": [], "approvers": [{"id": 1, "name": "Ann"}]}
    earlier = {"people": people, "approvals": {"imported": 2, "second_person": second}}
    assert expected in account.people(earlier, str)


def test_shapes_credit_house_style_and_days(database, kitchen):
    with database.writing() as session:
        session.get_one(Project, kitchen.project.id).guide = "Answer as one person."
    manifest = frozen(database, kitchen)
    assert manifest["shapes"] == {
        "train": {"dialogues": 1, "system": 1}, "dev": {"without_response": 1}, "test": {"without_response": 1},
    }  # fmt: skip
    assert manifest["credited"] == {"as_imported": 2, "edited": 0, "own": 5, "listed": 4, "unknown": 2}
    assert content_hash(manifest["guide"]["rules"]) == manifest["guide"]["rules_sha256"]
    assert manifest["guide"]["words"] == 4
    assert "Answer as one person." not in json.dumps(manifest)
    assert manifest["written"]["first"] == manifest["written"]["last"] == manifest["frozen"]["at"][:10]


def test_the_next_version_says_what_changed(database, kitchen):
    first = frozen(database, kitchen)
    assert "before" not in first
    assert "What changed" not in card(first, Format.LIMA)
    with database.writing() as session:
        project = session.get_one(Project, kitchen.project.id)
        approve(session, project, kitchen.annotator, kitchen.reviewer, dialogue("New?"))
        gone = session.query(Example).filter_by(split=Split.DEV).one()
        gone.split = Split.TRAIN
    second = frozen(database, kitchen, "v2")
    assert second["before"] == {"version": "v1", "id": first["id"], "added": 2, "removed": 1, "kept": 6}
    said = card(second, Format.LIMA)
    assert "Against `v1`, 2 lines of `examples.jsonl` are new, 1 is gone, and 6 are the same." in said
    assert f"`v1` is `{first['id']}`." in said


def test_all_this_leaves_the_identity_alone(database, people, words):
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        fixed_set(session, project, people.annotator, people.reviewer)
    before = frozen(database, people, "v1")
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        project.guide, project.reviews_needed = "Another guide", 2
        key = tokenizers.Checked("1" * 64, zlib.compress(words))
        tokenizers.set_tokenizer(session, people.lead, project, "by words", key)
    after = frozen(database, people, "v2")
    assert before["tokens"] != after["tokens"]
    assert before["id"] == after["id"]


def test_an_earlier_manifest_still_makes_a_card_a_picture_and_metadata(database, kitchen):
    manifest = frozen(database, kitchen)
    earlier = {name: value for name, value in manifest.items() if name in FIRST_KEYS}
    for row in earlier["lengths"]:
        row.pop("tokens")
    for form in Format:
        said = card(earlier, form)
        assert "In characters" in said
        assert "In tokens" not in said
        files = [{"path": form.path_of("train"), "sha256": "0" * 64, "bytes": 1}]
        assert json.loads(croissant_document(earlier, form, files))["recordSet"][1]["@id"] == "train"
    assert composition_svg(earlier).startswith("<svg ")
    assert front_matter(earlier, Format.LIMA).startswith("---\nlicense: ")
    assert len(card_parts(earlier, Format.LIMA)) > 10
    assert account.models(earlier, str) == ""


def test_the_version_page_shows_lengths_of_old_and_new_manifests(database, kitchen):
    manifest = frozen(database, kitchen)
    panel = lengths_panel(manifest)
    assert [table.unit for table in panel.tables] == ["tokens", "characters"]
    left_out = "2 prompts without a response are left out of the response's lengths"
    assert panel.counted_by == f"tokens are estimated; {left_out}"
    for table in panel.tables:
        assert sum(row.share for row in table.rows) == pytest.approx(100)
    by_row = {(row.title, row.split): row for row in panel.tables[0].rows}
    assert by_row["Stack Exchange, other", "train"].lima == "119 / 530"
    assert by_row["Paper authors, Group A", "dev"].response is None
    # In the order of the composition, not of their keys.
    order = [(row["title"], row["split"]) for row in manifest["composition"] if row["count"]]
    assert list(by_row) == order
    assert dict(panel.made)["Words"] == "2 as imported, 5 without anybody to credit"
    earlier = {name: value for name, value in manifest.items() if name in FIRST_KEYS}
    old = lengths_panel(earlier)
    assert ([table.unit for table in old.tables], old.made) == (["characters"], ())


def test_test_prompts_that_a_person_may_not_read_are_counted_all_the_same(database, kitchen):
    with database.writing() as session:
        session.get_one(Project, kitchen.project.id).tests_hidden = True
        assert session.query(Example).filter_by(split=Split.TEST).count() == 1
    manifest = frozen(database, kitchen)
    assert manifest["shapes"]["test"] == {"without_response": 1}
    assert [row["examples"] for row in manifest["lengths"] if row["split"] == "test"] == [1]
