"""A language is told where somebody stated it; lengths of responses are those of responses."""

import json

import pytest
import yaml

from app.datasets.card.card import card
from app.datasets.card.croissant import croissant_document
from app.datasets.card.head import front_matter
from app.datasets.comparison.comparisons import side_named
from app.datasets.formats import Format
from app.datasets.lengthpage import lengths_panel
from app.datasets.operations import freeze_version
from app.projects.models import Project, Split
from app.projects.roles import set_language
from tests.datasets.material import approve, dialogue
from tests.examples import rows


def frozen(session, people):
    project = session.get_one(Project, people.project.id)
    return dict(freeze_version(session, people.lead, project, name="v1").manifest)


def brought(session, people, count, *, form="chat", ruleset=None, result=None, language="en"):
    run = rows.import_run(session, people.project)
    run.format, run.ruleset, run.result = form, ruleset or {"rules": []}, result or {}
    for number in range(count):
        said = dialogue(f"What of {form} {run.id} {number}?")
        made = approve(session, people.project, people.annotator, people.reviewer, said)
        made.import_run_id, made.language = run.id, language
    session.flush()


def told(manifest):
    head = yaml.safe_load(front_matter(manifest, Format.HF).strip("-\n"))
    metadata = json.loads(croissant_document(manifest, Format.HF, []))
    return head.get("language"), head.get("multilinguality"), metadata.get("inLanguage")


def test_where_nobody_stated_a_language_none_is_named(session, people):
    brought(session, people, 2)
    manifest = frozen(session, people)
    assert (manifest["languages"], manifest["languages_not_stated"]) == ({}, 2)
    assert told(manifest) == (None, None, None)
    said = card(manifest, Format.HF)
    assert "| Languages | not stated |" in said
    assert "Of 2 examples nobody stated the language." in said
    assert "one language" not in said


ENGLISH = {"rules": [{"rule": "language", "on": True, "keep": ["en"]}]}
OFF = {"rules": [{"rule": "language", "on": False, "keep": ["en"]}]}
SEVERAL = {"rules": [{"rule": "language", "on": True, "keep": ["en", "de"]}]}


@pytest.mark.parametrize(
    ("more", "stated"),
    [
        ({"result": {"language_stated": True}}, True),
        ({"form": "stackexchange"}, True),
        ({"ruleset": ENGLISH}, True),
        ({"ruleset": OFF}, False),
        ({"ruleset": SEVERAL}, False),
        ({"language": "de"}, True),
        ({}, False),
    ],
)
def test_rows_rules_and_sites_state_a_language(session, people, more, stated):
    brought(session, people, 1, **more)
    manifest = frozen(session, people)
    code = more.get("language", "en")
    assert (code in manifest["languages"], "languages_not_stated" in manifest) == (stated, not stated)
    assert told(manifest)[0] == ([code] if stated else None)


def test_what_is_written_here_is_in_the_language_that_its_writer_saw(session, people):
    brought(session, people, 1)
    approve(session, people.project, people.annotator, people.reviewer, dialogue("Ours?"))
    manifest = frozen(session, people)
    assert (manifest["languages"], manifest["languages_not_stated"]) == ({"en": 1}, 1)
    assert told(manifest) == (["en"], None, ["en"])
    assert "| Languages | en (1), not stated (1) |" in card(manifest, Format.HF)


def test_a_project_states_the_language_of_what_states_none_also_afterwards(session, people):
    brought(session, people, 2)
    brought(session, people, 1, result={"language_stated": True})
    brought(session, people, 1, language="fr")
    project = session.get_one(Project, people.project.id)
    set_language(session, people.lead, project, "de")
    manifest = frozen(session, people)
    assert manifest["languages"] == {"de": 2, "en": 1, "fr": 1}
    assert manifest["languages_of_project"] == {"de": 2}
    assert "languages_not_stated" not in manifest
    assert told(manifest)[0] == ["de", "en", "fr"]
    said = card(manifest, Format.HF)
    assert "Of 2 examples no text states its language itself; the project states de for all of them." in said
    assert "nobody stated" not in said
    set_language(session, people.lead, project, None)
    again = dict(freeze_version(session, people.lead, project, name="v2").manifest)
    assert again["languages_not_stated"] == 2
    assert again["id"] == manifest["id"]


def test_an_earlier_manifest_is_told_as_it_is(session, people):
    approve(session, people.project, people.annotator, people.reviewer, dialogue("Ours?"))
    manifest = frozen(session, people)
    assert told(manifest) == (["en"], ["monolingual"], ["en"])
    assert "| Languages | en (1) |" in card(manifest, Format.HF)


def test_prompts_without_a_response_have_no_length_of_one(session, people):
    who = (session, people.project, people.annotator, people.reviewer)
    approve(*who, dialogue("1234567890", "a" * 100), split=Split.TEST)
    approve(*who, dialogue("12345678901", "a" * 50), split=Split.TEST)
    approve(*who, dialogue("123456789012", None), split=Split.TEST)
    approve(*who, dialogue("Alone, of another source?", None), split=Split.DEV)
    manifest = frozen(session, people)
    test, dev = (next(row for row in manifest["lengths"] if row["split"] == split) for split in ("test", "dev"))
    assert (test["examples"], test["responses"], test["prompt"]["mean"]) == (3, 2, 11.0)
    assert test["response"] == {"mean": 75.0, "median": 75.0, "max": 100}
    assert test["tokens"]["response"]["mean"] == pytest.approx(21, abs=1)
    assert (dev["responses"], dev["response"]) == (0, {"mean": 0.0, "median": 0.0, "max": 0})
    left_out = "2 prompts without a response are left out of the response's lengths"
    said = card(manifest, Format.HF)
    assert f"{left_out}.\n" in said
    assert "| test | 3 | 11 | 11 | 12 | 75 | 75 | 100 |" in said
    panel = lengths_panel(manifest)
    assert panel.counted_by.endswith(left_out)
    assert [row.response is None for row in panel.tables[1].rows if row.split == "dev"] == [True]
    project = session.get_one(Project, people.project.id)
    for name in ("v1", "draft"):
        assert side_named(session, project, name).means[1] == 75
    earlier = [{key: value for key, value in row.items() if key != "responses"} for row in manifest["lengths"]]
    assert "left out" not in card(manifest | {"lengths": earlier}, Format.HF)
