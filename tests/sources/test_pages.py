"""The pages of Sources: upload, set-up, start, funnel, exchanges; and what they refuse."""

import html
import json
import re

import pytest
from sqlalchemy import select

from app import sample
from app.accounts.models import AuditEntry
from app.db import now
from app.jobs.models import Job, JobState
from app.projects.models import Project
from app.sources import operations, publishing
from app.sources.firstrecords import rough
from app.sources.models import Candidate, ImportRun, ImportState
from app.sources.rulefiles import ruleset_from_text
from app.sources.rulesets import LIMA, NONE
from tests import factories
from tests.counting import count_queries
from tests.sources import rooms

EXPECTED = json.loads(sample.expected_file().read_text("utf-8"))["dump"]
PAIR = '{"conversations": ["Why?", "Because."]}\n'
COUNTED = {"hx-request": "true", "hx-target": "div#counted"}


@pytest.fixture
def base(people):
    return f"/projects/{people.project.slug}"


@pytest.fixture
def draft(browser, people, base):
    """Where the set-up of the uploaded sample stands."""
    return brought_in(browser(people.annotator), base, rooms.dump_files())


@pytest.fixture
def done(database, settings, people):
    """The sample, imported."""
    return rooms.imported(database, settings, people, sample.dump_folder())


def brought_in(client, base, files):
    answer = client.post(f"{base}/sources/new", files=files)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def test_a_date_that_utc_cannot_have_is_a_bad_record_with_its_line(browser, database, settings, people):
    client = browser(people.annotator)
    rows = [{"prompt": "p", "completion": "c", "date": date} for date in ("0001-01-01T00:00:00+09:00", "2020-01-01")]
    content = "".join(json.dumps(row) + "\n" for row in rows)
    at = brought_in(client, f"/projects/{people.project.slug}", rooms.upload("dates.jsonl", content))
    page = client.get(at)
    assert (page.status_code, "line 1" in page.text.casefold()) == (200, True)
    assert "0001-01-01T00:00:00+09:00" in page.text
    assert started(client, at, site="", skip_bad="true").status_code == 303
    run = rooms.work(database, settings, people, int(at.rsplit("/", 1)[1]))
    assert (run.result["created"], [bad["line"] for bad in run.result["errors"]]) == (1, [1])


def typed(page):
    """The fields of the set-up form as a browser would post them."""
    fields = {}
    form = re.search(r'<form id="setup".*?</form>', page, re.DOTALL)[0]
    for tag in re.findall(r"<input[^>]*>", form):
        kind = (re.search(r'type="(\w+)"', tag) or ["", "text"])[1]
        name, value = re.search(r'name="([^"]+)"', tag)[1], (re.search(r'value="([^"]*)"', tag) or ["", ""])[1]
        if kind not in {"checkbox", "radio"} or " checked" in tag:
            fields[name] = html.unescape(value)
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option(?: value="([^"]*)")? selected>([^<]*)', options)
        fields[name] = "" if not chosen else chosen[2] if chosen[1] is None else chosen[1]
    for name, text in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        fields[name] = html.unescape(text)
    return fields


def started(client, at, **changes):
    fields = typed(client.get(at).text) | {"site": rooms.SITE} | changes
    return client.post(at, data={name: value for name, value in fields.items() if value is not None})


def shown_records(page):
    opened = page[page.index('id="opened"') :]
    total = int(re.search(r"to [\d,]+ of ([\d,]+)", opened)[1].replace(",", ""))
    return total, opened.count('class="words')


# --- who may see it


def test_a_stranger_sees_nothing_of_it(browser, people, base, done, draft):
    stranger = browser(people.stranger)
    for path in ("/sources", "/sources/new", "/sources/exchanges", f"/imports/{done.id}"):
        assert stranger.get(base + path).status_code == 404
        assert browser().get(base + path).status_code == 303
    assert stranger.get(f"{draft}/rules.toml").status_code == 404
    again = f"{base}/imports/{done.id}/again"
    for path in (draft, f"{draft}/rules", f"{draft}/discard", again, f"{base}/sources/exchanges"):
        assert stranger.post(path).status_code == 404
        assert browser().post(path).status_code == 401


def test_every_member_sees_all_of_it(browser, people, base, done, draft):
    for person in (people.annotator, people.reviewer, people.lead, people.admin):
        client = browser(person)
        for path in ("/sources", "/sources/new", "/sources/exchanges", f"/imports/{done.id}"):
            assert client.get(base + path).status_code == 200
        assert client.get(draft).status_code == 200


def test_an_import_of_another_project_is_not_there_even_through_one_s_own(browser, database, people, done, draft):
    with database.writing() as session:
        other = factories.people(session)
    elsewhere = f"/projects/{other.project.slug}/imports"
    client = browser(other.lead)
    for number in (done.id, int(draft.rsplit("/", 1)[1])):
        for path in (f"{elsewhere}/{number}", f"{elsewhere}/{number}?after=read", f"{elsewhere}/{number}/report.jsonl"):
            assert client.get(path).status_code == 404
        for path in ("", "/discard", "/again"):
            assert client.post(f"{elsewhere}/{number}{path}", data={"name": "x"}).status_code == 404
        assert client.get(f"/projects/{people.project.slug}/imports/{number}").status_code == 404


# --- the list


def test_an_empty_list_says_what_belongs_there(browser, people, base):
    page = browser(people.annotator).get(f"{base}/sources").text
    assert "Nothing has been imported yet" in page
    assert "Add a source" in page


def test_two_imports_cost_as_many_queries_as_twenty(browser, database, people, base):
    def counted(number):
        with database.writing() as session:
            for _ in range(number):
                operations.draft_import(
                    session, people.annotator, people.project, sample.pairs_file(), "pairs.jsonl", "lima"
                )
        client = browser(people.annotator)
        with count_queries(database) as tally:
            page = client.get(f"{base}/sources").text
        return page.count("pairs.jsonl"), tally.count

    few, more = counted(2), counted(18)
    assert (few[0], more[0]) == (2, 20)
    assert few[1] == more[1]


# --- from the file to the funnel


def test_the_sample_goes_from_upload_to_a_funnel_whose_numbers_open(browser, database, settings, people, base, draft):
    client = browser(people.annotator)
    setup = client.get(draft).text
    assert f"Of {EXPECTED['answers']} records {len(EXPECTED['final_answer_ids'])} pass the rules." in setup
    assert "Users.xml" in setup
    assert started(client, draft).headers["location"] == draft
    assert "under way" in client.get(draft).text
    run = rooms.work(database, settings, people, int(draft.rsplit("/", 1)[1]))
    assert run.state is ImportState.PUBLISHED
    page = client.get(draft).text
    assert "Import finished" in page
    assert re.search(r"grew by \d+ MB, to [\d,]+ MB|Worker’s peak memory", page)
    pool = re.search(r'href="([^"]+)"[^>]*>Open in the pool<', page)[1]
    assert pool == f"{base}/pool?import_id={run.id}"
    assert f">{run.result['created']:,} found<" in client.get(pool).text
    links = re.findall(rf'<a href="{draft}(\?(?:rule|after)=\w+)#opened">([\d,]+)</a>', page)
    assert len(links) > len(EXPECTED["funnel"])
    for query, number in links:
        total, rows = shown_records(client.get(draft + query).text)
        assert (total, rows) == (int(number.replace(",", "")), min(20, total)), query


def test_words_that_a_rule_objects_to_are_marked(browser, people, base, done):
    page = browser(people.annotator).get(f"{base}/imports/{done.id}?rule=first_person").text
    shown = page[page.index('id="opened"') :].split('class="words')[1:]
    assert len(shown) == shown_records(page)[0] > 0
    assert all('<mark class="pin">' in one for one in shown)
    assert "at character" in page


def test_counting_again_follows_the_switches_without_javascript_too(browser, people, draft):
    client = browser(people.annotator)
    fields = typed(client.get(draft).text) | {"rule.score.minimum": "1,000"}
    assert "none passes the rules" in client.get(draft, params=fields).text
    assert 'value="1,000"' in client.get(draft, params=fields).text
    fields.pop("rule.score.on")
    page = client.get(draft, params=fields).text
    assert "0 pass the rules" not in page
    assert re.search(r'id="on-score"[^>]*checked', page) is None


def rules_in_order(page):
    """The rules of the table that are on, with what they dropped."""
    rows = re.findall(r"<tr>\s*<th scope=\"row\">.*?</tr>", page[page.index('id="rule-order"') :], re.DOTALL)
    names = [re.search(r'id="on-(\w+)"', row) for row in rows]
    drops = [re.search(r'data-label="Dropped">(?:<a[^>]*>)?([\d,]+)', row) for row in rows]
    return {name[1]: dropped and dropped[1] for name, dropped in zip(names, drops, strict=True) if name}


def test_a_rule_is_moved_by_its_buttons_without_javascript(browser, people, draft):
    client = browser(people.annotator)
    page = client.get(draft).text
    assert list(rules_in_order(page)) == ["top_answer", "score", "length", "first_person", "references"]
    moved = client.get(draft, params=typed(page) | {"move": "length:up"}).text
    assert list(rules_in_order(moved)) == ["top_answer", "length", "score", "first_person", "references"]
    assert rules_in_order(moved)["score"] != rules_in_order(page)["score"]
    back = client.get(draft, params=typed(moved) | {"move": "length:down"}).text
    assert rules_in_order(back) == rules_in_order(page)
    same = client.get(draft, params=typed(page) | {"move": "top_answer:up"}).text
    assert rules_in_order(same) == rules_in_order(page)
    assert re.search(r'id="up-top_answer"[^>]* aria-disabled="true"', page)
    assert re.search(r'id="down-references"[^>]* aria-disabled="true"', page)


@pytest.mark.parametrize("move", ["", "score", "score:left", "nonsense:up", "links:up"])
def test_a_move_of_nothing_moves_nothing(browser, people, draft, move):
    client = browser(people.annotator)
    page = client.get(draft).text
    assert rules_in_order(client.get(draft, params=typed(page) | {"move": move}).text) == rules_in_order(page)


def test_the_order_on_the_page_is_that_of_the_import(browser, database, settings, people, draft):
    order = "references length top_answer score first_person"
    started(browser(people.annotator), draft, **{"rule.order": order, "rule.links.on": "on"})
    run = rooms.work(database, settings, people, int(draft.rsplit("/", 1)[1]))
    assert [row["rule"] for row in run.result["funnel"]] == [
        *("references", "length", "links", "top_answer", "score", "first_person"),
    ]
    assert [rule["rule"] for rule in run.ruleset["rules"]] == [row["rule"] for row in run.result["funnel"]]


def test_other_rules_are_folded_away_and_come_into_their_place(browser, people, draft):
    client = browser(people.annotator)
    page = html.unescape(client.get(draft).text)
    more = page[page.index('id="more-rules"') : page.index('id="meanings"')]
    assert "Crude words" in more
    assert "It looks at posts of Reddit, and there are none here." in more
    assert more.index("Personal data") < more.index("Over 18")
    switched = client.get(draft, params=typed(page) | {"rule.tokens.on": "on"}).text
    assert list(rules_in_order(switched))[2:4] == ["length", "tokens"]
    assert 'name="rule.tokens.maximum" value="2,048"' in switched


def test_a_rule_that_has_nothing_to_look_at_says_so(browser, people, base):
    client = browser(people.annotator)
    at = brought_in(client, base, rooms.upload("pairs.jsonl", PAIR))
    page = client.get(at, params=typed(client.get(at).text) | {"rule.score.on": "on"}).text
    assert "It looks at records with a score, and there are none." in page


def test_what_each_rule_dropped_can_be_opened_with_its_passage_marked(browser, people, draft):
    page = browser(people.annotator).get(draft).text
    dropped = {name: int(number.replace(",", "")) for name, number in rules_in_order(page).items()}
    for name, number in dropped.items():
        if not number:
            continue
        assert f'href="#behind-{name}"' in page
        behind = page[page.index(f'id="behind-{name}"') :]
        behind = behind[: behind.index("</details>\n</div>") if "</details>\n</div>" in behind else None]
        behind = behind.split('class="drawer"')[0]
        shown = behind.split('class="words')[1:]
        assert len(shown) == min(3, number)
        assert {'<mark class="pin">' in one for one in shown} == {name in {"first_person", "references"}}


def test_what_a_rule_marks_is_kept_and_shown(browser, database, settings, people, base):
    client = browser(people.annotator)
    row = {"conversations": ["Whom do I ask?", "Write to a.lid@kettle.org, who knows."]}
    at = brought_in(client, base, rooms.upload("pairs.jsonl", json.dumps(row) + "\n" + PAIR))
    page = client.get(at, params=typed(client.get(at).text) | {"rule.personal_data.on": "on"}).text
    assert "Of 2 records 2 pass the rules." in page
    assert re.search(r'data-label="Marked"><a href="#behind-personal_data">1', page)
    assert '<mark class="pin">a.lid@kettle.org</mark>' in page
    assert "Kept, marked: e-mail address" in page
    assert client.post(at, data=typed(page)).status_code == 303
    run = rooms.work(database, settings, people, int(at.rsplit("/", 1)[1]))
    assert (run.result["created"], run.result["flagged"]) == (2, 1)
    with database.reading() as session:
        flags = session.scalars(select(Candidate.flags).order_by(Candidate.id)).all()
    assert flags == [["e-mail address"], []]
    assert re.search(r"Marked</dt>\s*<dd>1 record</dd>", client.get(at).text)


def test_the_rules_of_the_page_are_a_file(browser, people, draft):
    client = browser(people.annotator)
    fields = typed(client.get(draft).text) | {"rule.score.minimum": "7", "rule.order": "length score"}
    page = client.get(draft, params=fields).text
    link = html.unescape(re.search(r'id="download-rules" href="([^"]+)"', page)[1])
    answer = client.get(link)
    assert answer.headers["content-disposition"].startswith('attachment; filename="rules-')
    written = ruleset_from_text(answer.text)
    assert next(rule.minimum for rule in written.rules if rule.name == "score") == 7
    assert [rule.name for rule in written.rules].index("length") < [rule.name for rule in written.rules].index("score")
    assert ruleset_from_text(client.get(f"{draft}/rules.toml").text) == LIMA
    assert client.get(f"{draft}/rules.toml", params={"rule.nonsense.on": "on"}).status_code == 422


TOML = '[[rule]]\nrule = "length"\nminimum = 7\n[[rule]]\nrule = "score"\nminimum = 12\n'


@pytest.mark.parametrize("how", ["file", "text"])
def test_a_rules_file_sets_the_page_up_and_the_rest_stays(browser, database, people, draft, how):
    client = browser(people.annotator)
    fields = typed(client.get(draft).text) | {"name": "Mine", "seed": "5"}
    given = {"files": {"rules.file": ("mine.toml", TOML)}} if how == "file" else {"files": {"rules.file": ("", b"")}}
    answer = client.post(f"{draft}/rules", data=fields | ({} if how == "file" else {"rules.text": TOML}), **given)
    assert answer.status_code == 303
    page = client.get(answer.headers["location"]).text
    assert list(rules_in_order(page)) == ["length", "score"]
    kept = {"name": "Mine", "seed": "5", "rule.length.minimum": "7", "rule.score.minimum": "12"}
    assert typed(page).items() >= kept.items()
    with database.reading() as session:
        assert session.get_one(ImportRun, int(draft.rsplit("/", 1)[1])).ruleset == {}


def test_a_bad_rules_file_is_refused_beside_it_and_nothing_is_lost(browser, people, draft):
    client = browser(people.annotator)
    fields = typed(client.get(draft).text) | {"name": "Mine", "rules.text": "rules: [{rule: scores}]"}
    answer = client.post(f"{draft}/rules", data=fields)
    assert answer.status_code == 422
    said = html.unescape(answer.text)
    assert "There is no rule called 'scores'" in said
    assert "rules: [{rule: scores}]" in said
    assert typed(answer.text)["name"] == "Mine"
    assert client.post(f"{draft}/rules", files={"rules.file": ("a.toml", b"\xff\x00")}).status_code == 422
    assert client.post(f"{draft}/rules", files={"rules.file": ("a.toml", b"#" * 2_000_000)}).status_code == 413
    anew = client.get(f"{draft}/rules", follow_redirects=False)
    assert (anew.status_code, anew.headers["location"]) == (303, draft)
    assert started(client, draft, **{"rules.text": "left in the box"}).status_code == 303


def test_htmx_gets_the_counts_alone(browser, people, draft):
    client = browser(people.annotator)
    fragment = client.get(draft, params=typed(client.get(draft).text), headers=COUNTED).text
    assert "<html" not in fragment
    assert 'id="counted"' in fragment
    assert "hx-swap-oob" in fragment


def test_counting_writes_nothing(browser, database, people, draft):
    browser(people.annotator).get(draft)
    with database.reading() as session:
        assert session.scalars(select(Candidate)).all() == []
        assert session.scalars(select(Job)).all() == []


@pytest.mark.parametrize(("changes", "words"), [
    ({"name": " "}, "This is needed."),
    ({"site": ""}, "does not name its site"),
    ({"site": "no site"}, "is no site"),
    ({"rule.score.minimum": "ten"}, "Score, at least: it must be a whole number, not 'ten'."),
    ({"rule.length.minimum": "5000"}, "minimum above its maximum"),
    ({"rule.references.phrases": "a\x00b"}, "NUL"),
    ({"seed": "-1"}, "must be at least 0"),
    ({"source": "nonsense"}, "no source nonsense"),
    ({"rule.nonsense.on": "on"}, "no rule called"),
    ({"state": "published"}, ""),
])  # fmt: skip
def test_what_does_not_fit_is_said_and_what_was_typed_stays(browser, database, people, draft, changes, words):
    client = browser(people.annotator)
    answer = started(client, draft, **({"rule.length.maximum": "4321"} | changes))
    assert answer.status_code == 422
    assert words in html.unescape(answer.text)
    assert 'value="4,321"' in answer.text
    with database.reading() as session:
        assert session.scalars(select(Job)).all() == []
        assert session.get_one(ImportRun, int(draft.rsplit("/", 1)[1])).state is ImportState.DRAFT


def test_rules_as_set_are_those_that_run(browser, database, settings, people, draft):
    client = browser(people.annotator)
    started(client, draft, **{"rule.score.minimum": "30", "rule.length.on": None, "prompt": "title", "name": "Mine"})
    run = rooms.work(database, settings, people, int(draft.rsplit("/", 1)[1]))
    assert run.name == "Mine"
    assert [row["rule"] for row in run.result["funnel"]] == ["top_answer", "score", "first_person", "references"]
    with database.reading() as session:
        for candidate in session.scalars(select(Candidate)):
            assert candidate.score >= 30
            assert candidate.messages[0]["content"] == candidate.title


def test_a_draft_started_twice_runs_once(browser, database, people, draft):
    client = browser(people.annotator)
    fields = typed(client.get(draft).text) | {"site": rooms.SITE}
    assert [client.post(draft, data=fields).status_code for _ in range(2)] == [303, 409]
    with database.reading() as session:
        assert len(session.scalars(select(Job)).all()) == 1


def test_a_draft_that_is_discarded_leaves_nothing(browser, database, settings, people, draft):
    assert len(rooms.uploads_in(settings)) == 1
    assert browser(people.annotator).post(f"{draft}/discard").status_code == 303
    assert rooms.uploads_in(settings) == []
    with database.reading() as session:
        assert session.scalars(select(ImportRun)).all() == []
        actions = session.scalars(select(AuditEntry.action)).all()
    assert "discard upload" in actions


def test_an_import_can_be_run_again_with_its_settings(browser, database, settings, people, base, draft):
    client = browser(people.annotator)
    started(client, draft, **{"rule.score.minimum": "30"})
    rooms.work(database, settings, people, int(draft.rsplit("/", 1)[1]))
    again = client.post(f"{draft}/again").headers["location"]
    fields = typed(client.get(again).text)
    assert (fields["site"], fields["rule.score.minimum"]) == (rooms.SITE, "30")
    started(client, again)
    assert rooms.work(database, settings, people, int(again.rsplit("/", 1)[1])).result["created"] == 0
    page = client.get(again).text
    assert "All of them were in the pool before." in page
    pool = re.search(r'href="([^"]+)"[^>]*>Open in the pool<', page)[1]
    assert ">0 found<" not in client.get(pool).text  # a list of what this import brought would be empty
    # One draft less of a file is no reason to remove it from under the others.
    third = client.post(f"{draft}/again").headers["location"]
    client.post(f"{third}/discard")
    assert len(rooms.uploads_in(settings)) == 1


def test_a_running_import_shows_its_progress(browser, database, people, base):
    run = rooms.start(database, people, sample.dump_folder())
    with database.writing() as session:
        job = session.get_one(Job, run.job_id)
        job.state, job.done, job.total, job.unit = JobState.RUNNING, 700, 1400, "kB"
    page = browser(people.annotator).get(f"{base}/imports/{run.id}").text
    assert "of 1.4 MB" in page
    assert f"jobs/{run.job_id}?next={base}/imports/{run.id}" in page


def test_the_panel_goes_on_to_the_funnel_by_itself(browser, people, base, done):
    here = f"{base}/imports/{done.id}"
    headers = {"hx-request": "true", "hx-target": "section#job-panel"}
    answer = browser(people.annotator).get(f"{base}/jobs/{done.job_id}?next={here}", headers=headers)
    assert answer.headers["hx-redirect"] == here


def test_a_report_has_a_line_a_record_under_a_name_of_ours(browser, people, base, done):
    answer = browser(people.annotator).get(f"{base}/imports/{done.id}/report.jsonl")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert len(lines) == EXPECTED["answers"]
    assert set(lines[0]) == {"external_id", "decision", "rule", "reason"}
    assert answer.headers["content-disposition"] == f'attachment; filename="import-{done.id}.jsonl"'


def test_nothing_of_an_unfinished_import_can_be_opened(browser, database, people, base):
    run = rooms.start(database, people, sample.dump_folder())
    with database.writing() as session:
        row = session.get_one(ImportRun, run.id)
        publishing.begin_import(session, row)
    client = browser(people.annotator)
    for path in ("?after=read", "?rule=score", "/report.jsonl"):
        assert client.get(f"{base}/imports/{run.id}{path}").status_code == 404


@pytest.mark.parametrize("query", ["rule=nonsense", "after=%00", "rule=" + "x" * 5000, "rule=score' OR 1=1"])
def test_a_rule_that_is_not_in_the_funnel_opens_nothing(browser, people, base, done, query):
    assert browser(people.annotator).get(f"{base}/imports/{done.id}?{query}").status_code == 404


# --- bad files


BAD = {
    "an empty file": ("x.jsonl", b"", "the file x.jsonl is empty"),
    "a picture": ("Posts.xml", b"\x89PNG\r\n\x1a\n123", "picture"),
    "a pickle": ("x.jsonl", b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}", "pickle"),
    "an archive": ("x.jsonl", b"PK\x03\x04abc", "ZIP"),
    "rows without columns": ("x.json", b"[1, 2]\n", "an object with columns"),
    "a header without rows": ("x.csv", b"a,b\n", "the file holds no row"),
    "prose": ("x.txt", b"hello", "neither XML nor JSON"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_source_is_refused_on_the_form_and_nothing_is_kept(browser, database, settings, people, base, case):
    name, content, words = BAD[case]
    answer = browser(people.annotator).post(f"{base}/sources/new", files=rooms.upload(name, content))
    assert answer.status_code == 422
    assert words.lower() in answer.text.lower()
    assert rooms.uploads_in(settings) == []
    with database.reading() as session:
        assert session.scalars(select(ImportRun)).all() == []


def test_a_list_of_prompts_is_asked_for_its_column(browser, database, settings, people, base):
    client = browser(people.annotator)
    at = brought_in(client, base, rooms.upload("prompts.csv", "words\nWhy does a kettle sing?\nWhy?\n"))
    page = client.get(at).text
    assert "Not mapped yet" in page
    assert 'name="map.words"' in page
    assert started(client, at, **{"map.words": "prompt"}).status_code == 303
    run = rooms.work(database, settings, people, int(at.rsplit("/", 1)[1]))
    assert (run.state, run.result["records"]) == (ImportState.PUBLISHED, 2)


def test_too_many_files_leave_the_form_as_it_was_filled_in(browser, people, base, settings):
    files = [("files", (f"{number}.json", b"{}")) for number in range(201)]
    answer = browser(people.annotator).post(f"{base}/sources/new", files=[*files, ("hub", (None, "kettles/calls"))])
    assert answer.status_code == 422
    assert "More than 200 files at once" in answer.text
    assert 'value="kettles/calls"' in answer.text
    assert rooms.uploads_in(settings) == []


FAULTY = {
    "a truncated dump": ("Posts.xml", b'<posts>\n<row Id="1" PostTypeId="1" Sco', "Line 2"),
    "entities": (
        "Posts.xml",
        b'<!DOCTYPE posts [<!ENTITY a "x">]>\n<posts><row Id="1" Body="&a;"/></posts>',
        "entities",
    ),
    "an outer entity": (
        "Posts.xml",
        b'<!DOCTYPE posts [<!ENTITY a SYSTEM "file:///etc/passwd">]>\n<posts>&a;</posts>',
        "entities",
    ),
    "a broken line": ("x.jsonl", (PAIR * 616).encode() + b'{"conv\n' + PAIR.encode(), "line 617"),
    "invalid UTF-8": ("x.jsonl", PAIR.encode() + b'{"conversations": ["caf\xe9", "x"]}\n', "UTF-8"),
    "NUL": ("x.jsonl", PAIR.encode() + b'{"conversations": ["a\\u0000", "x"]}\n', "NUL"),
    "a lone surrogate": ("x.jsonl", PAIR.encode() + b'{"conversations": ["a\\ud800", "x"]}\n', "U+D800"),
}


@pytest.mark.parametrize("case", FAULTY)
def test_a_fault_is_said_with_its_place_before_anything_starts(browser, database, settings, people, base, case):
    client = browser(people.annotator)
    name, content, words = FAULTY[case]
    at = brought_in(client, base, rooms.upload(name, content))
    assert words in client.get(at).text
    assert started(client, at).status_code == 303
    run = rooms.work(database, settings, people, int(at.rsplit("/", 1)[1]))
    assert run.state is ImportState.FAILED
    assert words in run.error
    assert words in client.get(at).text
    with database.reading() as session:
        assert session.scalars(select(Candidate)).all() == []


def test_bad_lines_can_be_left_out_after_they_were_seen(browser, database, settings, people, base):
    client = browser(people.annotator)
    rows = "".join(PAIR.replace("Why", f"Why {number}") for number in range(9))
    at = brought_in(client, base, rooms.upload("x.jsonl", rows + "{broken\n"))
    page = client.get(at).text
    assert "1 record cannot be read" in page
    assert re.search(r">line 10</th><td><bdi>it is not valid JSON", page)
    assert "--skip-bad" not in page
    started(client, at, skip_bad="true", site="")
    run = rooms.work(database, settings, people, int(at.rsplit("/", 1)[1]))
    assert run.result["created"] == 9
    page = client.get(at).text
    assert "line 10" in page
    assert "Left out" in page


def test_bad_lines_beyond_the_sample_are_listed_and_left_out_by_one_click(
    browser, database, settings, people, base, monkeypatch
):
    monkeypatch.setattr("app.sources.preview.COUNTED", 1000)
    monkeypatch.setattr("app.sources.seen.COUNTED", 1000)
    client = browser(people.annotator)
    rows = "".join(PAIR.replace("Why", f"Why {number}") for number in range(99)) + "{broken; line 7: no\n" * 23
    at = brought_in(client, base, rooms.upload("x.jsonl", rows))
    assert 'form="setup">Import' in client.get(at).text
    started(client, at, site="")
    rooms.work(database, settings, people, int(at.rsplit("/", 1)[1]))
    page = client.get(at).text
    assert "23 records cannot be read" in page
    assert page.count("</th><td><bdi>it is not valid JSON") == 20
    answer = client.post(f"{at}/again", data={"skip_bad": "true"})
    page = client.get(answer.headers["location"]).text
    assert re.search(r'name="skip_bad"[^>]* checked', page)
    assert 'form="setup">Import' in page


# --- text is shown as text


EVIL = "<script>alert(1)</script>"


def test_markup_in_names_and_records_is_shown_as_text(browser, database, settings, people, base):
    rows = [
        {
            "conversations": [f"{EVIL} prompt", f'<img src=x onerror="alert(2)"> {EVIL}'],
            "author": EVIL,
            "licence": EVIL,
        },
        {"conversations": ["</textarea>{{ 7*7 }}", "a\u202eb"], "id": "<svg onload=alert(3)>"},
    ]
    client = browser(people.annotator)
    content = "".join(json.dumps(row) + "\n" for row in rows)
    at = brought_in(client, base, rooms.upload(f"{EVIL}.jsonl", content))
    pages = [client.get(at).text]
    started(client, at, site="", name=EVIL)
    rooms.work(database, settings, people, int(at.rsplit("/", 1)[1]))
    pages += [client.get(url).text for url in (at, f"{at}?after=read", f"{base}/sources")]
    for page in pages:
        assert "alert(1)</script>" not in page.replace("&lt;/script&gt;", "")
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "<svg onload" not in page
    by_chance = rf"\?v=\w+|{people.project.slug}|[\d,]+ MB|{people.annotator.name}"
    assert "49" not in re.sub(by_chance, "", pages[2], flags=re.IGNORECASE)
    assert "[U+202E]" in pages[2]
    assert "&lt;script&gt;" in pages[2]


def test_an_error_in_a_file_is_shown_as_text(browser, people, base):
    client = browser(people.annotator)
    at = brought_in(client, base, rooms.upload("x.jsonl", PAIR + json.dumps({"conversations": ["a"], "split": EVIL})))
    page = client.get(at).text
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page


# --- exchanges


def test_a_lead_sorts_exchanges_and_the_next_import_follows(browser, database, settings, people, base):
    form = {"site": "https://Coffee.stackexchange.com/", "group": "stem"}
    assert browser(people.lead).post(f"{base}/sources/exchanges", data=form).status_code == 303
    assert "in this project" in browser(people.annotator).get(f"{base}/sources/exchanges").text
    run = rooms.imported(database, settings, people, sample.dump_folder(), site="coffee.stackexchange.com")
    assert run.source == "stackexchange_stem"


def test_nobody_else_sorts_exchanges(browser, people, base):
    form = {"site": "coffee.stackexchange.com", "group": "stem"}
    for person in (people.annotator, people.reviewer):
        assert browser(person).post(f"{base}/sources/exchanges", data=form).status_code == 403
        assert "<form" not in browser(person).get(f"{base}/sources/exchanges").text.partition('id="main"')[2]


@pytest.mark.parametrize(("site", "group", "words"), [
    ("no site", "stem", "is no site"), ("coffee.stackexchange.com", "nonsense", "not in the form"),
])  # fmt: skip
def test_what_is_no_exchange_is_said_beside_it(browser, people, base, site, group, words):
    answer = browser(people.lead).post(f"{base}/sources/exchanges", data={"site": site, "group": group})
    assert answer.status_code == 422
    assert words in answer.text
    assert f'value="{site}"' in answer.text


# --- archived


def test_an_archived_project_can_be_read_and_not_changed(browser, database, people, base, done, draft):
    from app.db import now

    with database.writing() as session:
        session.get(type(people.project), people.project.id).archived_at = now()
    client = browser(people.annotator)
    assert client.get(f"{base}/imports/{done.id}").status_code == 200
    assert client.post(f"{base}/sources/new", files=rooms.dump_files()).status_code == 410
    assert client.post(draft, data={"name": "x"}).status_code == 410


def test_into_the_set_makes_submitted_examples(browser, database, settings, people, base):
    client = browser(people.annotator)
    at = brought_in(client, base, rooms.upload("pairs.jsonl", sample.pairs_file().read_bytes()))
    assert started(client, at, into="set", site="", source="authors").status_code == 303
    run = rooms.work(database, settings, people, int(at.rsplit("/", 1)[1]))
    assert run.result["created"] == 30
    assert "submitted for review" in client.get(at).text
    assert run.ruleset_hash == NONE.sha256


# --- what cannot be read


def test_a_file_that_cannot_be_read_is_refused_and_offers_another_one_first(browser, people, base):
    client = browser(people.annotator)
    at = brought_in(client, base, rooms.upload("Posts.xml", FAULTY["a truncated dump"][1]))
    for page in (client.get(at).text, client.get(at, headers=COUNTED).text):
        assert "Refused</span>" in page
        assert "Recognised" not in page
        assert 'form="setup">Import' not in page
        assert re.search(r'class="button primary"[^>]*>Choose another file', page)
        assert page.count("Line 2") == 1


def test_the_same_file_read_otherwise_may_be_imported(browser, people, base):
    client = browser(people.annotator)
    at = brought_in(client, base, rooms.upload("x.jsonl", PAIR + "{broken\n"))
    assert 'form="setup">Import' not in client.get(at).text
    again = client.get(at, params=typed(client.get(at).text) | {"skip_bad": "true"}, headers=COUNTED).text
    assert "Recognised" in again
    assert 'form="setup">Import' in again


def button_of(page):
    return html.unescape(re.search(r'form="setup">([^<]*)</button>', page)[1])


def test_the_button_says_what_an_import_would_keep(browser, people, base):
    client = browser(people.annotator)
    three = PAIR + json.dumps({"conversations": ["Who?", "I do."]}) + '\n{"conversations": ["Whose?", "My."]}\n'
    at = brought_in(client, base, rooms.upload("x.jsonl", three))
    assert button_of(client.get(at).text) == "Import 3 records"
    fields = typed(client.get(at).text) | {"rule.first_person.on": "on"}
    assert button_of(client.get(at, params=fields, headers=COUNTED).text) == "Import 1 of 3 records"
    fields |= {"rule.length.on": "on"}
    assert button_of(client.get(at, params=fields, headers=COUNTED).text) == "Import none of 3 records"


@pytest.mark.parametrize(("counted", "told"), [(3, 3), (98, 98), (1_437, 1_400), (118_240, 120_000), (0.2, 0)])
def test_an_estimate_has_two_digits(counted, told):
    assert rough(counted) == told


def test_an_import_that_kept_nothing_says_so_and_what_to_do(browser, database, settings, people, base):
    client = browser(people.annotator)
    at = brought_in(client, base, rooms.upload("x.jsonl", PAIR))
    fields = {"rule.length.on": "on", "rule.length.minimum": "4,000"}
    page = client.get(at, params=typed(client.get(at).text) | fields).text
    assert "Of 1 record none passes the rules: an import would keep nothing." in page
    started(client, at, **fields)
    rooms.work(database, settings, people, int(at.rsplit("/", 1)[1]))
    page = client.get(at).text
    assert "Nothing was kept of 1 record." in page
    assert "No record passed the rules" in page
    assert "Set it up again with other rules" in page
    assert "Import finished" not in page
    assert "Open in the pool" not in page
    page = client.get(f"{base}/sources").text
    assert "Nothing kept" in page
    assert "Finished" not in page


def test_the_list_says_of_a_refused_file_why(browser, database, settings, people, base):
    client = browser(people.annotator)
    for name, content in (("x.jsonl", FAULTY["a broken line"][1]), ("Posts.xml", FAULTY["a truncated dump"][1])):
        at = brought_in(client, base, rooms.upload(name, content))
        started(client, at)
        rooms.work(database, settings, people, int(at.rsplit("/", 1)[1]))
    page = client.get(f"{base}/sources").text
    assert page.count("Refused") == 2
    assert "Failed" not in page
    assert "<bdi>1 record cannot be read.</bdi>" in page
    assert "<bdi>Line 2: " in page


def test_an_upload_is_put_aside_from_the_list(browser, database, settings, people, base, done):
    client = browser(people.annotator)
    at = brought_in(client, base, rooms.upload("Posts.xml", FAULTY["a truncated dump"][1]))
    assert client.get(f"{base}/sources").text.count("Put aside") == 1
    answer = client.post(f"{at}/discard", data={"then": "list"})
    assert answer.headers["location"].startswith(f"{base}/sources")
    assert not answer.headers["location"].endswith("/new")
    assert "Put aside" not in client.get(f"{base}/sources").text
    assert rooms.uploads_in(settings) == []


def test_an_import_says_its_settings_and_its_row_in_words(browser, database, settings, people, base):
    run = rooms.imported(database, settings, people, sample.dump_folder(), source="stackexchange_other")
    page = browser(people.annotator).get(f"{base}/imports/{run.id}").text
    assert "at least 1,200, at most 4,096, of visible text" in page
    assert "Stack Exchange, other" in page
    assert "matching strict" not in page


def restore_urls(page):
    return [html.unescape(one) for one in re.findall(r'action="([^"]+/restore[^"]*)"', page)]


def test_one_click_restores_a_dropped_record(browser, database, people, base, done):
    client, here = browser(people.annotator), f"{base}/imports/{done.id}"
    urls = restore_urls(client.get(f"{here}?rule=score").text)
    assert len(urls) == min(20, EXPECTED["funnel"][1]["dropped"])
    answer = client.post(urls[0])
    assert (answer.status_code, answer.headers["location"].split("#")[0]) == (303, f"{here}?rule=score&page=1")
    page = client.get(f"{here}?rule=score").text
    assert f"Restored by {people.annotator.name}" in page
    assert "1 restored since" in page
    total = page[page.index("<tfoot>") : page.index("</tfoot>")]
    kept = len(EXPECTED["final_answer_ids"])
    assert f"and 1 restored since, in all {kept + 1}" in total
    assert [one for one in restore_urls(page) if "/undoing" not in one] == urls[1:]
    with database.reading() as session:
        restored = [one for one in session.scalars(select(Candidate)) if "restored" in one.extra]
    assert [one.published for one in restored] == [True]
    # Another tab had the button still.
    assert "This record was restored before; nothing was changed." in client.post(urls[0], follow_redirects=True).text


def test_what_was_kept_or_stands_there_twice_offers_no_restoring(browser, database, settings, people, base):
    run = rooms.imported(database, settings, people, sample.dump_folder())
    page = browser(people.annotator).get(f"{base}/imports/{run.id}?after=references").text
    assert restore_urls(page) == []


def test_a_record_whose_file_is_gone_is_named_with_its_reason(browser, database, settings, people, base, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(PAIR + PAIR, "utf-8")
    run = rooms.imported(database, settings, people, path, format="lima", ruleset=NONE, site="")
    path.unlink()
    page = browser(people.annotator).get(f"{base}/imports/{run.id}?rule=repeated").text
    assert "The words of 1 record cannot be shown" in page
    assert "the same words stand in line 1 already" in page
    assert "Because." not in page


def test_an_archived_project_offers_no_restoring(browser, database, people, base, done):
    with database.writing() as session:
        session.get_one(Project, people.project.id).archived_at = now()
    page = browser(people.annotator).get(f"{base}/imports/{done.id}?rule=score").text
    assert restore_urls(page) == []
