import re
import time
from datetime import UTC, datetime

import pytest

from app.sources.formats import open_source, recognise
from app.sources.readers.base import ReadOptions
from app.sources.readers.wikihow_page import opening_of
from app.sources.records import BadInput, BadLines
from app.sources.weblinks import without_addresses

HEAD = (
    "<!DOCTYPE html><html><head><title>How to Boil an Egg - wikiHow</title>"
    '<link rel="canonical" href="https://www.wikihow.com/Boil-an-Egg">'
    '<script type="application/ld+json">{"datePublished": "2012-03-04", "dateModified": "2020-01-02"}</script></head>'
)
CRUMBS = '<ul class="breadcrumbs"><li>Categories</li><li>Food and Entertaining</li><li>Eggs</li></ul>'
INTRO = (
    '<div id="intro" class="section"><div class="article_byline">Co-authored by <a href="#x">a cook</a></div>'
    '<div id="method_toc">Explore this Article</div><p>This wikiHow teaches you to boil an egg.</p></div>'
)
STEPS = (
    '<div class="section steps"><h3><div class="altblock">Method 1 of 1:</div>'
    '<span class="mw-headline">Boiling</span></h3><div class="section_text"><ol>'
    '<li><div class="mwimg"><img src="a.jpg" alt="Image titled Boil"></div><div class="step_num">1</div>'
    '<div class="step"><b class="whb">Heat the water.</b> Use <a href="/Boil-Water">a pot</a>.'
    '<sup class="reference"><a href="#_note-1">[1]</a><span class="ts_popup">X Research source</span></sup>'
    "<ul><li>Salt it, as www.example.org/salt?x=1 says.</li></ul></div></li>"
    '<li><div class="step"><b class="whb">Lower the egg.</b></div><div class="wh_ad_inner">Advertisement</div></li>'
    "</ol></div></div>"
)
TIPS = (
    '<div class="section tips"><h2><span class="mw-headline">Tips</span></h2><div class="section_text">'
    '<ul><li>Eggs float.<div class="wh_vote_container">Helpful 0</div></li></ul></div></div>'
)
NEEDED = (
    '<div class="section"><h2><span class="mw-headline">Things You’ll Need</span></h2>'
    '<div class="section_text"><ul><li>A pot</li></ul></div></div>'
)
RELATED = (
    '<div class="section relatedwikihows"><h2>Related wikiHows</h2>'
    '<div class="section_text">How to Fry an Egg</div></div>'
)


def page(*parts, title="How to Boil an Egg", head=HEAD):
    body = "".join(parts or (INTRO, STEPS, TIPS, NEEDED, RELATED))
    return f'{head}<body>{CRUMBS}<h1>{title}</h1><div class="mw-parser-output">{body}</div></body></html>'


@pytest.fixture
def saved(tmp_path):
    def write(*pages, **options):
        for number, text in enumerate(pages):
            (tmp_path / f"{number}.html").write_text(text, encoding="utf-8")
        return open_source(tmp_path, options=ReadOptions(**options))

    return write


def only(reader):
    (record,) = reader.records()
    return record


def test_a_page_becomes_a_question_and_numbered_steps(saved):
    record = only(saved(page()))
    assert (record.title, record.prompt) == ("How to Boil an Egg", "How to Boil an Egg?")
    assert record.responses[0].content == (
        "The following answer teaches you to boil an egg.\n\n## Boiling\n\n"
        "1. **Heat the water.** Use a pot.\n   - Salt it, as example.org says.\n2. **Lower the egg.**"
    )


def test_where_it_came_from_travels_with_it(saved):
    record = only(saved(page()))
    assert (record.site, record.external_id, record.source) == ("wikihow.com", "Boil-an-Egg", "wikihow")
    assert (record.author, record.licence) == ("wikiHow", "CC BY-NC-SA 3.0")
    assert (record.url, record.posted_at) == ("https://www.wikihow.com/Boil-an-Egg", datetime(2012, 3, 4, tzinfo=UTC))
    assert record.extra["category"] == "Food and Entertaining"
    assert record.extra == record.extra | {"categories": ["Food and Entertaining", "Eggs"], "steps": 2}


def test_which_sections_are_left_out_is_a_setting(saved):
    tips = "\n\n## Tips\n\n- Eggs float."
    needed = "\n\n## Things You’ll Need\n\n- A pot"
    answer = only(saved(page(), settings={"pruned": []})).responses[0].content
    assert answer.endswith(tips + needed)
    assert only(saved(page(), settings={"pruned": ["things you'll need"]})).responses[0].content.endswith(tips)
    assert only(saved(page(), settings={"pruned": " TIPS ,, Warnings\n"})).responses[0].content.endswith(needed)
    with pytest.raises(BadInput, match="list of headings"):
        saved(page(), settings={"pruned": 3})


@pytest.mark.parametrize(
    ("opening", "expected"),
    [
        ("This article tells", "The following answer tells"),
        ("<p>THIS ARTICLE tells", "<p>The following answer tells"),
        ("this wikiHow article tells", "The following answer tells"),
        ("<p><b>This wikiHow</b> tells", "<p><b>The following answer</b> tells"),
        ("Read it. This article tells", "Read it. This article tells"),
        ("This articles tells", "This articles tells"),
    ],
)
def test_only_the_opening_is_called_the_following_answer(opening, expected):
    assert opening_of(opening) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see https://www.pge.com/a/b?c=d.", "see pge.com."),
        ("(http://example.org/x) and www.example.com, too", "(example.org) and example.com, too"),
        ("at https://a.example.org/b_(c)#d!", "at a.example.org!"),
        ("no address here", "no address here"),
    ],
)
def test_an_address_leaves_the_name_of_its_host(text, expected):
    assert without_addresses(text) == expected


def test_a_page_with_one_list_of_steps_calls_it_so(saved):
    plain = '<div class="section steps"><ol><li><div class="step">Wait.</div></li></ol></div>'
    assert only(saved(page(plain))).responses[0].content == "## Steps\n\n1. Wait."


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (page(INTRO), "no wikiHow article"),
        (page().replace("<h1>", "<h4>").replace("</h1>", "</h4>"), "no title in an h1"),
        (page(STEPS.replace("Heat", "He\x00at")), "NUL"),
        (page() + "x" * (2 << 20), "longer than 1 MB"),
        (page("<div>" * 20_000, STEPS), "nested too deep"),
    ],
)
def test_a38_a_page_that_is_no_article_is_named_and_can_be_left_out(saved, text, reason):
    good = page(STEPS, title="How to Poach an Egg", head=HEAD.replace("Boil-an-Egg", "Poach-an-Egg"))
    with pytest.raises(BadLines, match=f"1.html, line .*{reason}"):
        list(saved(good, text, longest=1 << 20).records())
    reader = saved(good, text, longest=1 << 20, skip_bad=True)
    assert [record.external_id for record in reader.records()] == ["Poach-an-Egg"]
    assert len(reader.errors) == 1


def test_the_same_article_twice_is_marked_and_two_versions_of_it_are_refused(saved):
    assert [record.repeats for record in saved(page(), page()).records()] == [None, 1]
    with pytest.raises(BadLines, match=r"its article stands in 0\.html too, in other words"):
        list(saved(page(), page(STEPS)).records())


def test_a_page_is_read_again_from_its_place(saved):
    reader = saved(page(), page(STEPS, head=HEAD.replace("Boil-an-Egg", "Egg")))
    assert [reader.record_at(record.place) for record in reader.records()] == list(reader.records())


@pytest.mark.parametrize(
    "junk", ["<script>" * 200_000, "<script " * 200_000, "<!-- >" * 200_000, "<![ >" * 200_000, "<a " * 200_000]
)
def test_a36_what_is_opened_and_never_closed_costs_no_more_than_its_length(saved, junk):
    began = time.process_time()
    (record,) = saved(page() + junk).records()
    assert record.extra["steps"] == 2
    assert time.process_time() - began < 5


def test_another_web_page_is_not_taken_for_it(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("<html><h1>How to sue</h1><p>nothing</p></html>", encoding="utf-8")
    with pytest.raises(BadInput):
        recognise(path)


SHARED = {
    "Cope-with-the-Stress-of-Homeschooling-for-Parents": (
        "How to Cope with the Stress of Homeschooling (for Parents)", [5, 7, 5], "Education and Communications"),
    "Pass-a-Coding-Interview": ("How to Pass a Coding Interview", [7, 7, 5], "Education and Communications"),
    "Grill-Zucchini": ("How to Grill Zucchini", [6, 7, 4], "Food and Entertaining"),
    "Know-when-Your-Power-Will-Go-Out-in-California-Rolling-Blackouts": (
        "How to Know when Your Power Will Go Out in California Rolling Blackouts", [6], "Home and Garden"),
    "Marinate-Pork": ("How to Marinate Pork", [7, 6], "Food and Entertaining"),
    "Find-Good-Exercises-for-Your-Kids-to-Do-Online": (
        "How to Find Good Exercises for Your Kids to Do Online", [6, 5], "Sports and Fitness"),
    "Know-if-You-Are-in-Ketosis": ("How to Know if You Are in Ketosis", [4, 5], "Health"),
}  # fmt: skip


def counted(answer):
    """Steps under each heading that has numbered ones."""
    parts = re.split(r"^## .*$", answer, flags=re.MULTILINE)
    return [len(steps) for part in parts if (steps := re.findall(r"^\d+\. ", part, flags=re.MULTILINE))]


def test_shared_pages_have_the_titles_and_steps_of_their_note(shared_data):
    folder = shared_data / "wikihow_html_2020-08-21"
    assert recognise(folder / "Grill-Zucchini.html") == "wikihow"
    reader = open_source(folder)
    records = list(reader.records())
    assert [one.path for one in reader.left_out] == ["SOURCE.md"]
    assert len(records) == 7
    assert sum(record.extra["steps"] for record in records) == 92
    for record in records:
        name = reader.files[record.place.member].name.removesuffix(".html")
        title, steps, category = SHARED[name]
        assert (record.title, record.prompt, record.extra["category"]) == (title, f"{title}?", category)
        assert counted(record.responses[0].content) == steps, name
        assert record.url == f"https://www.wikihow.com/{record.external_id}"


RESIDUE = (
    *("advertisement", "wikihow", "research source", "co-authored", "trustworthy", "helpful 0", "community q&a"),
    *("## tips", "## warnings", "## things you", "references", "submit a tip"),
)


def test_nothing_of_the_shared_pages_but_their_text_is_left(shared_data):
    for record in open_source(shared_data / "wikihow_html_2020-08-21").records():
        answer = record.responses[0].content
        assert not re.search(r"https?:|www\.|!\[|\]\(|<\w|\[\d+\]|smallUrl|Image titled", answer)
        lowered = answer.lower()
        assert [words for words in RESIDUE if words in lowered] == []
