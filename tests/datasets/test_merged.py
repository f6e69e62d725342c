"""A text that was merged of several is under all their licences and credits all their writers, wherever it goes."""

import json

import pytest
from sqlalchemy import select

from app.datasets import operations
from app.datasets.comparison.entries import _told
from app.datasets.formats import Format
from app.datasets.licences import is_named, tallied, unnamed
from app.datasets.tracing.pages import credits_of
from app.datasets.verify import verify_folder
from app.duplicates.merging import Merging, merge
from app.duplicates.models import DuplicatePair, On, Verdict
from app.examples.licensing import TooLong, give_licence
from app.examples.models import Example
from app.sources.readers.chat_rows import BadRow
from app.sources.readers.exported import _credit
from tests.datasets.gating import gate_of, told
from tests.datasets.material import LICENSED, approve, dialogue, reasons_for
from tests.datasets.test_round_trip import imported

GRACE = {"author": "Grace Hopper", "url": "https://example.org/a/2", "site": "example.org"}
MIT = "MIT"


@pytest.fixture
def both(database, people):
    """Two approved texts of other writers and under other licences, made one and approved again."""

    def make(first=LICENSED, second=GRACE, licences=("CC BY-SA 3.0", MIT)):
        texts = zip(("How warm?", "How hot?"), licences, (first, second), strict=True)
        with database.writing() as session:
            kept, other = (
                approve(session, people.project, people.annotator, people.reviewer, dialogue(asked),
                        licence=licence, attribution=attribution)
                for asked, licence, attribution in texts
            )  # fmt: skip
            pair = DuplicatePair(
                project_id=people.project.id, left_key=f"example:{kept.id}", right_key=f"example:{other.id}",
                on=On.PROMPT, method="embedding", score=0.95, leak=False, verdict=Verdict.OPEN, effect={},
            )  # fmt: skip
            session.add(pair)
            session.flush()
            words = dialogue("How warm, or hot?")
            merge(session, people.annotator, people.project, pair, Merging(Verdict.KEEP_LEFT, words))
            row = session.get_one(Example, kept.id)
            row.state, row.approved_number = "approved", row.revision_number
            return kept.id

    return make


def frozen(database, people, tmp_path):
    with database.writing() as session:
        lead, project = session.merge(people.lead), session.merge(people.project)
        version = operations.freeze_version(session, lead, project, name="v1", overrides=reasons_for(session, project))
        operations.export_version(session, version, Format.MESSAGES, tmp_path / "out")
        return dict(version.manifest)


def test_the_version_names_both_and_is_verified(database, people, both, tmp_path):
    both()
    manifest = frozen(database, people, tmp_path)
    assert manifest["licences"] == [{"licence": "CC BY-SA 3.0", "examples": 1}, {"licence": MIT, "examples": 1}]
    folder = tmp_path / "out"
    credit = (folder / "ATTRIBUTION.md").read_text("utf-8")
    assert "by [A. Baker](https://cooking.stackexchange.com/users/7), cooking.stackexchange.com, 2016-03-04, " in credit
    assert "[CC BY-SA 3.0](https://creativecommons.org/licenses/by-sa/3.0/), edited; merged with " in credit
    assert "merged with [another text](https://example.org/a/2), by Grace Hopper, example.org, [MIT](" in credit
    assert "counted under each" in (folder / "LICENSE.md").read_text("utf-8")
    [line] = map(json.loads, (folder / "examples.jsonl").read_text("utf-8").splitlines())
    assert line["licence"] == "CC BY-SA 3.0 AND MIT"
    assert [one["author"] for one in line["attribution"]["merged"]] == ["Grace Hopper"]
    assert verify_folder(folder)["problems"] == []
    assert [(one.of, one.author, one.licence) for one in credits_of(line)] == [
        ("text", "A. Baker", "CC BY-SA 3.0"), ("merged", "Grace Hopper", MIT),
    ]  # fmt: skip


def test_a_version_under_one_of_them_leaves_it_out_and_under_both_takes_it(database, people, both, tmp_path):
    number = both()
    with database.writing() as session:
        approve(session, people.project, people.annotator, people.reviewer, dialogue("What else?"), licence=MIT)
    for licences, count in ((["MIT"], 1), (["MIT", "CC BY-SA 3.0"], 2)):
        with database.writing() as session:
            lead, project = session.merge(people.lead), session.merge(people.project)
            version = operations.freeze_version(session, lead, project, name=f"v{count}", licences=licences)
            assert version.row_count == count
    assert number


@pytest.mark.parametrize(
    ("second", "licence", "words"),
    [
        (GRACE, None, "“CC BY-SA 3.0 AND unknown” is no licence"),
        ({"site": "example.org"}, MIT, "CC BY-SA 3.0 AND MIT without author or link"),
        (GRACE, "All rights reserved", "“CC BY-SA 3.0 AND All rights reserved” lets nobody else use it"),
    ],
)
def test_the_gate_of_licences_asks_of_each(database, people, both, second, licence, words):
    number = both(second=second, licences=("CC BY-SA 3.0", licence))
    assert told(gate_of(database, people, "licences")) == [(number, words)]


def test_a_licence_that_is_given_later_takes_the_place_of_the_missing_one_alone(database, people, both):
    number = both(licences=("CC BY-SA 3.0", None))
    with database.writing() as session:
        project = session.merge(people.project)
        with pytest.raises(TooLong):
            give_licence(session, people.lead, project, licence="x" * 80, author="")
        assert give_licence(session, people.lead, project, licence=MIT, author="").licensed == 1
        row = session.get_one(Example, number)
        assert (row.licence, row.attribution["licence"]) == ("CC BY-SA 3.0 AND MIT", "CC BY-SA 3.0")
        assert row.attribution["merged"][0]["licence"] == MIT
    assert told(gate_of(database, people, "licences")) == []


def test_names_are_asked_for_where_a_licence_asks():
    nameless = {"author": "A", "licence": MIT, "merged": [{"licence": MIT}]}
    assert not is_named(nameless)
    assert unnamed("MIT", nameless)
    assert is_named(nameless | {"merged": [{"licence": "CC0 1.0"}]})
    assert tallied([("MIT AND n/a", 2), ("MIT", 1)]) == [
        {"licence": "MIT", "examples": 3}, {"licence": None, "examples": 2},
    ]  # fmt: skip


def test_a_comparison_says_what_a_text_was_merged_with():
    assert _told([GRACE | {"licence": MIT}, {}]) == (
        "Grace Hopper, https://example.org/a/2, MIT; a text that names nobody"
    )


def test_what_is_exported_comes_back_as_it_was(database, settings, people, both, tmp_path):
    number = both()
    frozen(database, people, tmp_path)
    project, _ = imported(database, settings, people, tmp_path / "out")
    with database.reading() as session:
        back = session.scalars(select(Example).where(Example.project_id == project.id)).one()
        row = session.get_one(Example, number)
        assert (back.licence, back.attribution) == (row.licence, row.attribution)


def test_an_export_comes_back_with_all_of_its_credit():
    credit = {"author": "A", "merged": [{"author": "Grace", "url": "https://example.org/a", "licence": MIT}]}
    assert _credit({"attribution": credit}) == credit
    assert _credit({"attribution": {"author": "A"}}) == {"author": "A"}
    hostile = {"merged": [{"url": "javascript:alert(1)"}]}
    for wrong in (hostile, {"merged": "x"}, {"merged": ["x"]}, {"merged": [{"author": 1}]}, {"other": ["x"]}):
        with pytest.raises(BadRow):
            _credit({"attribution": wrong})
