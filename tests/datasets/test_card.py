"""The card as a stranger reads it on the Hub, and the page that shows it."""

import json
import re
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

from app.datasets.card.card import LONGEST_SHOWN, ROWS_NAMED, Shown, card, card_parts
from app.datasets.card.croissant import croissant_document
from app.datasets.card.head import bibtex, front_matter
from app.datasets.card.licensing import HUB_IDS, head_lines, licence_text
from app.datasets.card.picture import composition_svg
from app.datasets.credits import Credits, plain
from app.datasets.formats import Format
from app.datasets.models import Version, VersionRow
from app.datasets.operations import export_version, freeze_version
from app.datasets.trainers import configurations
from app.projects.models import Project
from tests.datasets.material import LICENSED, approve, dialogue, reasons_for
from tests.datasets.test_cli import document

HTML = MarkdownIt("commonmark").enable("table")


@pytest.fixture
def version(database, kitchen) -> Version:
    with database.writing() as session:
        lead, project = session.merge(kitchen.lead), session.get_one(Project, kitchen.project.id)
        return freeze_version(session, lead, project, name="v1", overrides=reasons_for(session, project, "a pilot"))


def head(manifest: Any, form: Format = Format.HF) -> dict[str, Any]:
    return dict(yaml.safe_load(front_matter(manifest, form).strip("-\n")))


def turned_round(value: Any) -> Any:
    """The same JSON with every object's keys in the opposite order: PostgreSQL keeps them in one of its own."""
    if isinstance(value, dict):
        return {key: turned_round(one) for key, one in reversed(value.items())}
    return [turned_round(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("form", Format)
def test_what_an_export_says_does_not_hang_on_the_order_of_the_manifests_keys(version, form):
    manifest, other = version.manifest, turned_round(version.manifest)
    assert card(other, form).splitlines() == card(manifest, form).splitlines()
    assert licence_text(other) == licence_text(manifest)
    assert composition_svg(other) == composition_svg(manifest)
    assert croissant_document(other, form, ()) == croissant_document(manifest, form, ())
    assert configurations(other, form) == configurations(manifest, form)


def under(*licences: str | None) -> dict[str, Any]:
    return {"licences": [{"licence": licence, "examples": 9 - place} for place, licence in enumerate(licences)]}


def line(question: str, answer: str | None = "So.", split: str = "train", **more: Any) -> dict[str, Any]:
    found = {"split": split, "source": "authors", "messages": dialogue(question, answer), "licence": None}
    return found | {"attribution": {}} | more


@pytest.mark.parametrize(
    ("licences", "expected"),
    [
        (("CC BY-SA 4.0",), {"license": "cc-by-sa-4.0"}),
        (("Apache 2.0",), {"license": "apache-2.0"}),
        (("CC BY-SA 2.5",), {"license": "other", "license_name": "cc-by-sa-2.5", "license_link": "LICENSE.md"}),
        (("CC BY-SA 3.0", "CC BY-SA 4.0"), {"license": "other", "license_name": "cc-by-sa-3.0-and-cc-by-sa-4.0",
                                            "license_link": "LICENSE.md"}),
        (("MIT", None), {"license": "other", "license_name": "mit-and-none-stated", "license_link": "LICENSE.md"}),
        (("a", "b", "c", None), {"license": "other", "license_name": "4-licences", "license_link": "LICENSE.md"}),
        ((None,), {"license": "unknown"}),
    ],
)  # fmt: skip
def test_the_head_names_a_licence_that_the_hub_knows_or_says_other(licences, expected):
    found = yaml.safe_load("\n".join(head_lines(under(*licences))))
    assert found == expected
    assert found["license"] in HUB_IDS | {"other", "unknown"}


@pytest.mark.parametrize("form", list(Format))
def test_the_head_is_yaml_that_names_each_file_of_the_format(version, form):
    found = head(version.manifest, form)
    (config,) = found["configs"]
    assert {row["split"]: row["path"] for row in config["data_files"]} == {
        split: form.path_of(split) for split in ("train", "dev", "test")
    }
    assert (found["language"], found["multilinguality"]) == (["en"], ["monolingual"])
    assert found["size_categories"] == ["n<1K"]
    assert found["language_creators"] == ["found", "expert-generated"]
    assert found["pretty_name"] == f"{version.manifest['project']['name']}, v1"


def test_names_of_people_cannot_break_the_head(version):
    manifest = version.manifest | {"project": {"slug": "x", "name": '---\nlicense: mit\n"quoted": yes'}}
    assert head(manifest)["pretty_name"] == '---\nlicense: mit\n"quoted": yes, v1'


def test_every_section_is_there_and_says_something(version):
    parts = card_parts(version.manifest, Format.LIMA, line("Why?"))
    assert [part.title for part in parts] == [
        "", "What it is for", "An example", "How to load it", "Composition", "What the prompts are", "Lengths",
        "Sources, licences and duties", "How it was made", "Gates", "Personal data and sensitive prompts",
        "Known limits", "Files", "How to cite it", "How to verify this copy",
    ]  # fmt: skip
    assert all(len(part.text) > 40 for part in parts)


@pytest.mark.parametrize("form", list(Format))
def test_each_formats_card_is_markdown_whose_tables_are_whole(version, form):
    said = card(version.manifest, form, line("Why?"))
    body = said.split("\n---\n", 1)[1]
    assert form.path_of("train") in body
    for column in form.layout().columns:
        assert f"| `{column.name}` |" in body
    # A row that has more or fewer cells than its head is no row any more.
    widths = [len(re.findall(r"(?<!\\)\|", text)) for text in body.splitlines() if text.startswith("|")]
    rules = [len(re.findall(r"\|", text)) for text in body.splitlines() if text.startswith("| ---")]
    assert set(widths) == set(rules)
    assert "<table>" in HTML.render(body)


def test_what_it_says_of_tokens_licences_gates_and_identity(version):
    manifest = dict(version.manifest)
    said = card(manifest, Format.LIMA)
    assert "5 train, 1 dev, 1 test; 1 dialogue of several turns" in said
    assert f"`{manifest['id']}`, the SHA-256 of `examples.jsonl`" in said
    assert "Some texts are share-alike" in said
    assert "without their writers' leave" in said
    assert "![The composition by source" in said
    held = manifest | {"licences": [{"licence": "CC BY-NC 4.0", "examples": 7}]}
    assert "may not be used commercially" in card(held, Format.LIMA)
    assert "share-alike" not in card(held, Format.LIMA).split("## Gates")[0]


def test_an_overridden_gate_prints_its_reason_and_the_rows_it_is_about(version):
    rows = [[f"{number:064x}"] for number in range(ROWS_NAMED + 2)]
    gate = {
        "gate": "leakage",
        "state": "overridden",
        "policy": "block",
        "detail": "Two | alike.",
        "reason": "a *pilot*",
    }
    said = card(version.manifest | {"gates": [gate | {"rows": rows}]}, Format.LIMA)
    assert r"| leakage | overridden | Two \| alike. | a \*pilot\* |" in said
    assert "Frozen against a gate: leakage." in said
    assert said.count("- leakage: `") == ROWS_NAMED
    assert "- leakage: more in `manifest.json`" in said
    assert "It was frozen against 1 gate (leakage)" in said


def test_the_example_shown_is_of_train_short_without_code_and_the_same_each_time():
    shown = Shown()
    shown.offer(line("Asked of models", None, "test"))
    assert shown.example is None
    long, code = line("Long", "word " * LONGEST_SHOWN), line("Code", "```\nx\n```" + "y" * 40)
    flagged, fits = line("Flagged", flags=["sensitive"]), line("Fits")
    for example in (long, code, flagged):
        shown.offer(example)
    assert (shown.example, shown.found) == (code, False)
    for example in (fits, line("Later")):
        shown.offer(example)
    assert (shown.example, shown.found) == (fits, True)


def test_the_example_is_shown_with_its_credit_and_nothing_in_it_is_live(version):
    wild = line(
        "<img src=x onerror=1> [click](javascript:1)\n\n# A heading", "```\ncode\n```\n![x](https://tracker/x.png)",
        licence="CC BY-SA 3.0", attribution=LICENSED,
    )  # fmt: skip
    said = next(part.text for part in card_parts(version.manifest, Format.LIMA, wild) if part.title == "An example")
    html = HTML.render(said)
    assert not re.search(r"<(img|script|pre|h\d)\b", html)
    assert "javascript" not in "".join(re.findall(r'href="([^"]*)"', html))
    assert "tracker" not in "".join(re.findall(r'(?:href|src)="([^"]*)"', html))
    assert f"by [A. Baker]({LICENSED['author_url']})" in said
    assert f"[from cooking.stackexchange.com]({LICENSED['url']})" in said


@pytest.mark.parametrize(
    "text", ["[x](javascript:1)", "![x](http://a/b)", "<b>", "`c`", "a_b_c *d*", "| cell |", "$x$"]
)
def test_plain_text_is_shown_as_it_is(text):
    html = HTML.render(plain(text))
    assert "<a " not in html
    assert "<img" not in html
    shown = html.replace("&lt;", "<").replace("&gt;", ">").strip()
    assert shown == f"<p>{text}</p>"


def test_the_citation_is_one_entry_whatever_people_are_called(version):
    people = {"writers": [{"id": 1, "name": "A{B} & Söhne \\input"}, {"id": 2, "name": "C ``` D"}], "approvers": []}
    entry = bibtex(version.manifest | {"people": people})
    assert entry.count("{") == entry.count("}")
    assert r"{A B  \& Söhne  input} and {C     D}" in entry
    assert version.manifest["id"] in entry
    alone = bibtex(version.manifest | {"people": {"writers": [], "approvers": []}})
    assert f"author = {{{{{version.manifest['project']['name']}}}}}" in alone


def test_license_md_counts_and_links_each_licence(version):
    said = licence_text(version.manifest)
    assert "[CC BY-SA 3.0](https://creativecommons.org/licenses/by-sa/3.0/) (`CC-BY-SA-3.0`): " in said
    assert "- none stated: " in said
    assert "disclaim warranties" in said


def test_attribution_names_title_source_author_licence_and_changes_of_question_and_answer(tmp_path):
    asked = {
        "question_author": "Q. Asker", "question_author_url": "https://x.example/users/9",
        "question_url": "https://x.example/questions/1", "question_licence": "CC BY-SA 2.5",
    }  # fmt: skip
    file = tmp_path / "ATTRIBUTION.md"
    with file.open("w") as opened:
        told = Credits(opened)
        told.add(line("Why <b>?", licence="CC BY-SA 3.0", attribution=LICENSED | asked), edited=True)
        told.add(line("Ours?"), edited=False)
        told.close()
    *_, entry, _, own = file.read_text("utf-8").rstrip().splitlines()
    assert entry == (
        f"- [Why &lt;b&gt;?]({LICENSED['url']}), by [A. Baker]({LICENSED['author_url']}), cooking.stackexchange.com, "
        "2016-03-04, [CC BY-SA 3.0](https://creativecommons.org/licenses/by-sa/3.0/), edited; "
        "[the question](https://x.example/questions/1), by [Q. Asker](https://x.example/users/9), "
        "[CC BY-SA 2.5](https://creativecommons.org/licenses/by-sa/2.5/)"
    )
    assert own == "1 further example was written for this data set or credited to nobody."
    assert "without warranties" in file.read_text("utf-8")


def test_attribution_of_an_answer_of_ours_credits_the_question_alone(tmp_path):
    asked = {"question_author": "Q. Asker", "question_url": "https://x.example/questions/1", "site": "x.example"}
    file = tmp_path / "ATTRIBUTION.md"
    with file.open("w") as opened:
        told = Credits(opened)
        told.add(line("Why?", licence="CC BY-SA 3.0", attribution=asked), edited=True)
        told.close()
    assert file.read_text("utf-8").splitlines()[-3] == (
        "- Why?, the answer written for this data set, x.example, "
        "[CC BY-SA 3.0](https://creativecommons.org/licenses/by-sa/3.0/); "
        "[the question](https://x.example/questions/1), by Q. Asker"
    )


def test_api_and_command_give_the_card_of_an_export_word_for_word(
    database, handpicked, version, kitchen, api, tmp_path
):
    form = Format.CSV
    with database.reading() as session:
        export_version(session, session.merge(version), form, tmp_path / "out")
    expected = (tmp_path / "out/README.md").read_text("utf-8")
    slug = kitchen.project.slug
    answer = api(kitchen.annotator).get(f"/api/v1/projects/{slug}/versions/v1/card", params={"format": form.value})
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert answer.text == expected
    done = document(handpicked("card", f"{slug}@v1", "--format", form.value, "--json"))
    assert (done["id"], done["card"]) == (version.manifest["id"], expected)
    assert api(kitchen.annotator).get(f"/api/v1/projects/{slug}/versions/v9/card").status_code == 404
    assert api(kitchen.stranger).get(f"/api/v1/projects/{slug}/versions/v1/card").status_code == 404


def test_the_page_has_contents_picture_and_every_section(browser, version, kitchen):
    client, here = browser(kitchen.annotator), f"/projects/{kitchen.project.slug}/versions/v1"
    page = client.get(f"{here}/card").text
    ids = re.findall(r'<li><a href="#(part-\d+)">', page)
    assert len(ids) >= 13
    assert all(page.count(f'id="{name}"') == 1 for name in ids)
    assert f'src="{here}/composition.svg"' in page
    assert "composition.svg)" not in page
    assert "What is a roux?" in page or "Spätzle" in page or "rice from sticking" in page or "A twin" in page
    picture = client.get(f"{here}/composition.svg")
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert picture.text.startswith("<svg ")
    assert browser(kitchen.stranger).get(f"{here}/composition.svg").status_code == 404


def test_the_page_shows_the_first_example_that_fits_as_an_export_does(browser, database, people):
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        for number in range(3):
            approve(session, project, people.annotator, people.reviewer, dialogue(f"Question number {number}?"))
        freeze_version(session, people.lead, project, name="v1", overrides=reasons_for(session, project))
    with database.reading() as session:
        texts = [json.loads(row.line) for row in session.query(VersionRow).order_by(VersionRow.position)]
    page = browser(people.annotator).get(f"/projects/{people.project.slug}/versions/v1/card").text
    assert texts[0]["messages"][0]["content"] in page
    assert texts[1]["messages"][0]["content"] not in page
