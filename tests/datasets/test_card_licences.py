"""What card, LICENSE.md and ATTRIBUTION.md say of licences and authors: each licence once, each claim from counts."""

import json

import pytest
import yaml

from app.datasets.card.card import card
from app.datasets.card.croissant import croissant_document
from app.datasets.card.licensing import head_lines, licence_text
from app.datasets.comparison.comparing import Kind, Row, compare
from app.datasets.formats import Format
from app.datasets.models import VersionRow
from app.datasets.operations import export_version, freeze_version
from app.datasets.publication.cautions import cautions
from app.datasets.publication.models import Visibility
from app.projects.models import Project
from tests.datasets.gating import gate_of
from tests.datasets.material import LICENSED, approve, dialogue, reasons_for

WAYS = ("CC BY-SA 4.0", "CC-BY-SA-4.0", "cc-by-sa-4.0", "https://creativecommons.org/licenses/by-sa/4.0/")
LINKED = "[CC BY-SA 4.0](https://creativecommons.org/licenses/by-sa/4.0/)"


@pytest.fixture
def frozen(database, people):
    """`frozen(*texts, **more)` freezes texts with what each has besides its words."""

    def freeze(*texts, name="v1", **more):
        with database.writing() as session:
            project = session.get_one(Project, people.project.id)
            for place, one in enumerate(texts):
                said = dialogue(f"What of thing {place} is {'abcdefgh'[place] * 7}?")
                approve(session, project, people.annotator, people.reviewer, said, **one)
            return freeze_version(
                session, people.lead, project, name=name, overrides=reasons_for(session, project), **more
            )

    return freeze


def test_a_licence_is_counted_and_linked_once_however_texts_write_it(database, frozen, tmp_path):
    version = frozen(*({"licence": way} for way in WAYS))
    manifest = version.manifest
    assert manifest["licences"] == [{"licence": "CC BY-SA 4.0", "examples": 4}]
    assert f"| Licences | {LINKED} (4) |" in card(manifest, Format.LIMA)
    assert f"- {LINKED} (`CC-BY-SA-4.0`): 4" in licence_text(manifest)
    assert json.loads(croissant_document(manifest, Format.LIMA, []))["license"] == [
        "https://creativecommons.org/licenses/by-sa/4.0/"
    ]
    assert head_lines(manifest) == ["license: cc-by-sa-4.0"]
    with database.reading() as session:
        lines = [json.loads(row.line)["licence"] for row in session.query(VersionRow)]
        export_version(session, session.merge(version), Format.LIMA, tmp_path / "out")
    assert sorted(lines) == sorted(WAYS)
    assert (tmp_path / "out/ATTRIBUTION.md").read_text("utf-8").count(f", {LINKED}, words as imported") == 4


def test_an_earlier_manifest_that_counts_each_way_apart_is_told_as_one():
    rows = [{"licence": "MIT", "examples": 3}, *({"licence": way, "examples": 1} for way in WAYS)]
    manifest = {"licences": rows, "gates": [], "examples": {"test": 0}, "people": {}}
    assert f"- {LINKED} (`CC-BY-SA-4.0`): 4\n- [MIT]" in licence_text(manifest)
    found = yaml.safe_load("\n".join(head_lines(manifest)))
    assert found["license_name"] == "cc-by-sa-4.0-and-mit"
    (told,) = [one for one in cautions(manifest, Visibility.PUBLIC, tests_hidden=False) if one.kind == "share-alike"]
    assert told.words.startswith("4 examples under CC BY-SA 4.0: share-alike")


def test_the_gate_and_a_limit_know_a_licence_by_all_its_names(database, people, frozen):
    version = frozen(*({"licence": way, "attribution": {}} for way in WAYS), {"licence": "CC0"}, licences=[WAYS[2]])
    assert (version.row_count, version.manifest["limited_to_licences"]) == (4, ["CC BY-SA 4.0"])
    (frozen_gate,) = [gate for gate in version.manifest["gates"] if gate["gate"] == "licences"]
    assert frozen_gate["detail"].endswith("Limited to CC BY-SA 4.0.")
    gate = gate_of(database, people, "licences")
    assert {finding.words for finding in gate.findings} == {"CC BY-SA 4.0 without author or link"}
    assert "4 are share-alike" in gate.detail


def test_a_licence_written_otherwise_is_no_other_licence_in_a_comparison():
    def side(licence):
        said = {"split": "train", "source": "a", "messages": dialogue("Why?"), "attribution": {}}
        return [Row(0, 7, 1, "train", "a", licence)], lambda _: {0: json.dumps(said | {"licence": licence})}

    def kinds(one, other):
        (old, old_lines), (new, new_lines) = side(one), side(other)
        return compare(old, new, old_lines, new_lines).changes[0].kinds

    assert kinds("cc-by-sa-4.0", "CC BY-SA 4.0") == (Kind.OTHER,)
    assert kinds("cc-by-sa-3.0", "CC BY-SA 4.0") == (Kind.LICENCE,)


def test_a_text_without_an_author_is_listed_as_such_and_the_sentences_count(database, frozen, tmp_path):
    link = {"site": "x.example.org", "author_url": "https://x.example.org/users/3"}
    version = frozen(
        {"licence": "CC BY-SA 4.0", "attribution": LICENSED}, {"licence": "CC BY 4.0", "attribution": {}},
        {"licence": "CC BY 4.0", "attribution": link}, {"licence": "MIT", "attribution": {"site": "x.example.org"}},
        {"licence": "CC0", "attribution": {}},
    )  # fmt: skip
    assert version.manifest["credited"] == {"as_imported": 3, "edited": 0, "own": 2, "listed": 4, "unknown": 2}
    with database.reading() as session:
        export_version(session, session.merge(version), Format.LIMA, tmp_path / "out")
    credit, licence, readme = (
        (tmp_path / "out" / name).read_text("utf-8") for name in ("ATTRIBUTION.md", "LICENSE.md", "README.md")
    )
    entries = [line for line in credit.splitlines() if line.startswith("- ")]
    assert len(entries) == 4
    assert sum(", author not known, [CC BY 4.0](" in entry for entry in entries) == 1
    assert sum(", author not known, x.example.org, [MIT](" in entry for entry in entries) == 1
    assert sum(", by [the author at this link](https://x.example.org/users/3), " in entry for entry in entries) == 1
    assert "2 of 4 entries name neither author nor link, because none is known." in credit
    assert "1 further example was written for this data set or credited to nobody." in credit
    assert "`ATTRIBUTION.md` lists 4 texts, 2 with author or link, each with its licence." in readme
    for said in (licence, readme):
        assert "Of 2 texts in it neither author nor link is known" in said
    assert "every text from elsewhere" not in licence + readme


def test_where_all_are_known_nothing_is_said_of_unknown_ones(frozen):
    manifest = frozen({"licence": "CC BY-SA 4.0"}, {"licence": "MIT", "attribution": LICENSED}).manifest
    said = card(manifest, Format.LIMA)
    assert "`ATTRIBUTION.md` lists 2 texts, 2 with author or link, each with its licence." in said
    assert "neither author nor link" not in said
