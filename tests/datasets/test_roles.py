"""What prompts are, in a version: on the lines that have something to say, in counts, in every form that holds it."""

import json

import pyarrow.parquet as pq
import pytest

from app.datasets.canonical import line_of
from app.datasets.card.card import card
from app.datasets.formats import Format
from app.datasets.operations import export_version, freeze_version, training_rows
from app.datasets.verify import verify_folder
from app.projects.models import AuthorGroup, Project, Split
from tests.datasets.material import approve, dialogue, only_warn

PLAIN = {"split": "train", "source": "s", "messages": dialogue("A?"), "licence": None, "attribution": {}}


@pytest.fixture
def version(database, people):
    """Two dev and test prompts without a response, flagged ones of both groups, a translation, and a plain one."""
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        only_warn(session, project, "licences")

        def add(question, answer="So.", split=Split.TRAIN, **told):
            made = approve(
                session, project, people.annotator, people.reviewer, dialogue(question, answer), split=split,
                source="authors", attribution={},
            )  # fmt: skip
            for name, value in told.items():
                setattr(made, name, value)
            return made

        first = add("In three bullets, please?", author_group=AuthorGroup.A, format_constraint=True)
        add("Something of ill intent?", author_group=AuthorGroup.A, sensitive=True, acknowledges_first=True)
        add("Plain?")
        add("In drei Punkten?", translation_of_id=first.id, translation_seen=1)
        add("A dev prompt?", None, Split.DEV, author_group=AuthorGroup.A)
        add("A test prompt?", None, Split.TEST, author_group=AuthorGroup.B, sensitive=True)
        return freeze_version(session, people.lead, project, name="v1")


def exported(database, version, form, folder):
    with database.reading() as session:
        export_version(session, version, form, folder)
    return folder


def rows_in(file):
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def test_a_line_without_anything_to_say_is_what_it_was_before_there_was_any():
    before = line_of(**PLAIN)
    assert line_of(**PLAIN, told={}) == before
    assert set(json.loads(before.text)) == set(PLAIN)
    assert line_of(**PLAIN, told={"group": "A"}).sha256 != before.sha256


def test_the_manifest_counts_groups_flags_prompts_alone_and_translations(version):
    assert version.manifest["roles"] == {
        "groups": {"A": 3, "B": 1},
        "groups_written": {"A": 3, "B": 1},
        "flags": {"acknowledges_first": 1, "format_constraint": 1, "sensitive": 2},
        "without_response": {"dev": 1, "test": 1},
        "translations": 1,
    }
    assert version.manifest["examples"] == {"train": 4, "dev": 1, "test": 1}
    filled = {(row["source"], row["split"]): row["count"] for row in version.manifest["composition"] if row["count"]}
    assert filled == {("authors", "train"): 4, ("authors", "dev"): 1, ("authors", "test"): 1}


def test_the_card_says_it_and_says_nothing_where_there_is_nothing(version):
    said = card(version.manifest, Format.MESSAGES)
    assert "Prompts without a response: 1 dev, 1 test." in said
    assert "- Written by the team, by group of authors: group A 3, group B 1; `group` on their lines." in said
    assert "From elsewhere" not in said
    assert "sensitive 2" in said
    assert "1 example was written as the translation of another." in said
    silent = {name: value for name, value in version.manifest.items() if name != "roles"}
    assert "What the prompts are" not in card(silent, Format.LIMA)


def test_a_group_of_what_others_wrote_is_not_the_teams(database, people):
    """An imported post has a group by its file or a lead; the card names nobody here as its writer."""
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        only_warn(session, project, "licences")
        for question, about in (("Theirs?", {"author": "ann"}), ("Also theirs?", {"url": "https://a.test/1"})):
            made = approve(
                session, project, people.annotator, people.reviewer, dialogue(question), attribution=about
            )  # fmt: skip
            made.author_group = AuthorGroup.A
        manifest = freeze_version(session, people.lead, project, name="v1").manifest
        approve(
            session, project, people.annotator, people.reviewer, dialogue("Ours?"), attribution={}
        ).author_group = AuthorGroup.B
        mixed = freeze_version(session, people.lead, project, name="v2").manifest
    theirs = "- From elsewhere, put into a group of authors by an import or by a lead: group A 2; `group` on"
    said = card(manifest, Format.LIMA)
    assert f"{theirs} their lines." in said
    assert "Written by the team" not in said
    assert manifest["roles"] == {"groups": {"A": 2}, "groups_written": {}}
    said = card(mixed, Format.LIMA)
    assert f"{theirs} their lines." in said
    assert "- Written by the team, by group of authors: group B 1; `group` on their lines." in said
    earlier = mixed | {"roles": {"groups": {"A": 2, "B": 1}}}
    assert "- By group of authors: group A 2, group B 1; `group` on their lines." in card(earlier, Format.LIMA)


@pytest.mark.parametrize("form", list(Format))
def test_every_form_holds_prompts_alone_and_its_copy_is_verified(database, version, tmp_path, form):
    folder = exported(database, version, form, tmp_path / "out")
    assert verify_folder(folder)["problems"] == []
    if form is Format.LIMA:
        assert rows_in(folder / "test.jsonl") == [
            {"conversations": ["A test prompt?"], "source": "authors", "group": "B", "flags": ["sensitive"]}
        ]
    if form is Format.MESSAGES:
        assert rows_in(folder / "test.jsonl") == [{"messages": dialogue("A test prompt?", None)}]
        assert "a service refuses it as training data" in (folder / "README.md").read_text("utf-8")
    if form is Format.PARQUET:
        table = pq.read_table(folder / "train.parquet").to_pylist()
        assert {row["group"] for row in table} == {"A", None}
        assert [row["flags"] for row in table if row["flags"]] in (
            [["format_constraint"], ["acknowledges_first", "sensitive"]],
            [["acknowledges_first", "sensitive"], ["format_constraint"]],
        )


def test_a_table_without_groups_and_flags_has_no_columns_for_them(database, people, tmp_path):
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        approve(session, project, people.annotator, people.reviewer, dialogue("Plain?"))
        plain = freeze_version(session, people.lead, project, name="v1")
    assert "roles" not in plain.manifest
    folder = exported(database, plain, Format.PARQUET, tmp_path / "out")
    assert pq.read_schema(folder / "train.parquet").names == [
        "id", "source", "messages", "licence", "author", "url", "attribution",
    ]  # fmt: skip


def test_training_rows_are_asked_of_the_splits_as_they_are(database, version):
    with database.reading() as session:
        tests = list(training_rows(session, version, Split.TEST))
    assert [row["messages"] for row in tests] == [dialogue("A test prompt?", None)]
