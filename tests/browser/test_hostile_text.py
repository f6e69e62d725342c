"""Hostile texts in every place that takes text: they are shown as text, and nothing of them runs or leaves."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import select

from app.accounts.models import Role, User
from app.db import Database
from app.examples import operations as examples
from app.projects import operations as projects
from app.reviews import operations as reviews
from app.sources.models import Candidate, ImportRun
from tests import factories
from tests.browser.looking import Complaints, expect
from tests.browser.serving import Site

TEXTS = (
    "<script>alert(1);fetch('{canary}/a')</script>",
    "<img src='{canary}/b' onerror=\"alert(2)\">",
    "<svg onload=alert(3)><animate onbegin=alert(3)>",
    "</textarea><script>alert(4)</script>",
    "</title></script><script>alert(5)</script>",
    "[six](javascript:alert(6)) [seven](data:text/html,<script>alert(7)</script>) <javascript:alert(7)>",
    '<a href="jav&#x09;ascript:alert(8)">eight</a> [nine]\n\n[nine]: javascript:alert(9)',
    "![ten]({canary}/c.png) [![eleven]({canary}/d.png)](vbscript:alert(11))",
    '<div hx-get="{canary}/e" hx-trigger="load" data-hx-post="{canary}/f" hx-on:load="alert(12)">twelve</div>',
    "\"><script>alert(13)</script> ' onmouseover='alert(14)' x='",
    "<iframe srcdoc='<script>alert(15)</script>'></iframe><style>@import '{canary}/g'</style>",
    "{{ 7 * 7 }} ${ 7 * 7 } <%= 7 * 7 %> {% include '/etc/passwd' %}",
    "one\u2028two\u2029three <!--",
    "<form action='{canary}/h'><button>go</button></form><base href='{canary}/'><meta http-equiv=refresh content=0>",
    "```html\n<script>alert(16)</script>\n```\n\n$\\href{javascript:alert(17)}{x}$",
)
# Nothing live may come of them, wherever they are shown.
LIVE = """() => { const found = new Set();
  const bad = (one) => found.add(one.outerHTML.slice(0, 120));
  for (const one of document.querySelectorAll("*")) {
    for (const { name, value } of one.attributes) {
      if (/^on/i.test(name)) bad(one);
      const address = /^(href|src|action|formaction|xlink:href)$/i.test(name);
      if (address && /^\\s*(javascript|data|vbscript):/i.test(value)) bad(one);
      if (/^(data-)?hx-/.test(name) && /127\\.0\\.0\\.1/.test(value)) bad(one);
    }
    if (one.matches("script:not([src]), iframe, object, embed, base, style, animate, meta[http-equiv]")) bad(one);
    // The card's own picture, which the server draws, is the only one.
    if (one.matches("img, video, audio, source, link") && !one.closest("head, .card-picture")) bad(one);
  }
  return [...found]; }"""


@pytest.fixture
def canary() -> Iterator[tuple[str, list[str]]]:
    """A server that nothing should ever ask, its address, and what it was asked."""
    asked: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        do_POST = do_GET  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass(frozen=True)
class Hostile:
    """Where the hostile texts went."""

    admin: User
    reader: User
    slug: str
    text: str
    examples: list[int]
    candidate: int
    run: int


@pytest.fixture
def hostile(database: Database, site: Site, canary: tuple[str, list[str]], tmp_path: Path) -> Hostile:
    """A project full of them: names, prompts, responses, remarks, an import and a set-up."""
    texts = [text.replace("{canary}", canary[0]) for text in TEXTS]
    text = "\n\n".join(texts)
    with database.writing() as session:
        admin = factories.user(session, Role.ADMIN, name="Ada Admin")
        admin.name = texts[0][:80]
        reader = factories.user(session, name="Rita Reader")
        reader.name = texts[1][:80]
        made = projects.create_project(session, admin, slug="hostile", name=texts[3])
        projects.add_member(session, admin, made, reader, Role.REVIEWER)
        projects.describe_project(session, admin, made, name=texts[3], guide=text)
        numbers = []
        for verdict in (reviews.return_example, reviews.reject, None, reviews.approve):
            example = examples.create_example(
                session, admin, made, split="train", source="authors", messages=_pair(text), flags=[texts[9][:40]]
            )
            examples.submit_example(session, admin, example)
            if verdict is reviews.approve:
                reviews.approve(session, reader, example, 1)
            elif verdict:
                verdict(session, reader, example, 1, text)
            numbers.append(example.id)
    _import(site, tmp_path, texts, text)
    with database.reading() as session:
        candidate = session.scalars(select(Candidate.id).order_by(Candidate.id)).first()
        run = session.scalars(select(ImportRun.id)).first()
    assert candidate
    assert run
    return Hostile(admin, reader, "hostile", text, numbers, candidate, run)


def _pair(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}, {"role": "assistant", "content": text}]


def _import(site: Site, folder: Path, texts: list[str], text: str) -> None:
    lines = [{"messages": [{"role": "user", "content": one}, {"role": "assistant", "content": text}]} for one in texts]
    name = folder / "import onmouseover='alert(1)'.jsonl"
    name.write_text("\n".join(json.dumps(line) for line in lines))
    done = site.command("import", "hostile", str(name), "--rules", "none", "--name", texts[0], "--licence", texts[2])
    assert done.returncode == 0, done.stderr
    for line in (
        ("dedup", "hostile", "--method", "exact", "--on", "response"),
        (
            "freeze",
            "hostile",
            "--name",
            "v1",
            "--override",
            "licences",
            "--reason",
            texts[0],
        ),
    ):
        done = site.command(*line)
        assert done.returncode == 0, done.stderr


def test_a20_a21_a22_a23_hostile_text_is_shown_as_text_on_every_page(
    hostile: Hostile,
    signed_in: Callable[..., BrowserContext],
    canary: tuple[str, list[str]],
    complaints: Complaints,
) -> None:
    at = f"/projects/{hostile.slug}"
    one = f"{at}/examples/{hostile.examples[0]}"
    pages = (
        "/", "/projects", at, f"{at}?view=day", f"{at}?view=set", f"{at}/settings", f"{at}/trail", f"{at}/jobs",
        f"{at}/sources", f"{at}/imports/{hostile.run}", f"{at}/imports/{hostile.run}?rule=published",
        f"{at}/pool", f"{at}/pool/{hostile.candidate}", f"{at}/duplicates", f"{at}/duplicates?show=settled",
        f"{at}/examples", one, f"{one}/history", f"{one}/duplicates", f"{at}/review",
        f"{at}/review/{hostile.examples[1]}", f"{at}/review/{hostile.examples[2]}", f"{at}/versions",
        f"{at}/versions/v1", f"{at}/versions/v1/card", f"{at}/runs", f"{at}/runs/new",
        "/people", "/account", "/trail", "/models", f"{at}/versions/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/sign-in?next=javascript:alert(1)",
    )  # fmt: skip
    for person in (hostile.admin, hostile.reader):
        page = signed_in(person).new_page()
        for path in pages:
            page.goto(path)
            nothing_lives(page)
        what_people_read(page, hostile)
    assert canary[1] == []
    complaints.none()


def what_people_read(page: Page, hostile: Hostile) -> None:
    """The texts stand there as they were written."""
    at = f"/projects/{hostile.slug}"
    page.goto(f"{at}/review/{hostile.examples[2]}")
    shown = page.locator("#main").inner_text()
    for words in ("<script>alert(1)", "<svg onload=alert(3)>", "{{ 7 * 7 }}", "</textarea><script>alert(4)</script>"):
        assert words in shown, words
    expect(page.locator("nav.rail")).to_contain_text("</textarea><script>alert(4)</script>")
    page.goto(f"{at}/examples/{hostile.examples[0]}")
    assert page.locator("#turn-1").input_value() == hostile.text
    expect(page.locator("#main")).to_contain_text("<iframe srcdoc=")


def test_a20_a21_a_preview_of_hostile_text_is_as_tame_as_the_page(
    database: Database,
    signed_in: Callable[..., BrowserContext],
    canary: tuple[str, list[str]],
    complaints: Complaints,
) -> None:
    with database.writing() as session:
        people = factories.people(session)
    text = "\n\n".join(TEXTS).replace("{canary}", canary[0])
    page = signed_in(people.annotator).new_page()
    page.goto(f"/projects/{people.project.slug}/examples/new")
    page.locator("#turn-1").fill(text)
    with page.expect_response("**/examples/preview"):
        page.locator("#turn-2").fill(text)
    page.get_by_role("radiogroup", name="Show the response as").get_by_text("Preview").click()
    expect(page.locator("#preview")).to_contain_text("alert(16)")
    nothing_lives(page)
    page.locator("#preview a").evaluate_all("links => links.forEach(link => link.click())")
    page.locator("#preview *").evaluate_all("all => all.forEach(one => one.dispatchEvent(new Event('mouseover')))")
    nothing_lives(page)
    assert canary[1] == []
    complaints.none()


def test_the_net_that_catches_live_markup_has_no_holes(chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=True)
    page = context.new_page()
    live = ("<a href=' javascript:1'>x</a>", "<p onclick=x>x</p>", "<p hx-get='http://127.0.0.1:1/'>x</p>",
            "<svg><animate /></svg>", "<iframe></iframe>", "<img src='data:,'>", "<style></style>")  # fmt: skip
    for markup in live:
        page.set_content(f"<p>quiet</p>{markup}")
        assert page.evaluate(LIVE), markup
    page.set_content("<p>quiet</p>")
    assert page.evaluate(LIVE) == []
    context.close()


def nothing_lives(page: Page) -> None:
    """The page holds no script, handler, frame, foreign picture or htmx attribute that a text brought."""
    page.wait_for_load_state("load")
    assert page.evaluate(LIVE) == [], page.url
