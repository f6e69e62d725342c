"""One saved wikiHow page as an article: its title, its words as clean HTML, its category, address and dates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag

from app.sources.weblinks import may_hold_address, without_addresses

PRUNED = (
    *("Tips", "Warnings", "Things You'll Need", "References", "Sources and Citations", "Community Q&A", "Expert Q&A"),
    *("Related wikiHows", "Related Articles", "Related Videos", "Video", "Quick Summary", "Article Summary"),
)
"""Headings of the sections that are left out, in any case and with straight or curly quotes."""

# What a page says about itself; no setting brings it back.
_FURNITURE = ("aboutthisarticle", "articleinfo", "bss_share_container", "aidata", "relatedwikihows", "qa_no_answered")
_NOISY_TAGS = {
    *("script", "style", "noscript", "template", "img", "picture", "svg", "iframe", "object", "video", "audio"),
    *("canvas", "form", "input", "button", "select", "textarea"),
}
_NOISY_CLASSES = {
    *("mwimg", "image_details", "embedvideo", "wh_ad_inner", "stepanchor", "step_num", "ts_popup"),
    *("clearall", "checkmark", "wh_vote_container", "addTipElement", "article_byline", "method_toc", "altblock"),
}
_NOISY_IDS = {"byline_hover", "method_toc"}
_HEAVY = re.compile(r"<(script\b|style\b|noscript\b|!--|!\[)", re.IGNORECASE)
_ENDS = {
    **{name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in ("script", "style", "noscript")},
    "!--": re.compile("-->"),
    "![": re.compile("]>"),
}
_COUNT = re.compile(r"^(?:Method|Part|Section)\s+\d+\s*(?:of\s+\d+)?\s*:?\s*", re.IGNORECASE)
_OPENING = re.compile(r"\A(\s*(?:<[^>]*>\s*)*)this\s+(?:wikihow\s+article|article|wikihow)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Article:
    """What a page says; `body` is HTML of paragraphs, headings and lists alone."""

    title: str
    body: str
    steps: int
    categories: tuple[str, ...] = ()
    url: str | None = None
    published: str | None = None
    updated: str | None = None


def article_of(page: str, pruned: Iterable[str] = PRUNED) -> Article | None:
    """Read a page without the sections whose headings are in `pruned`; None for one without a title or steps."""
    soup = BeautifulSoup(_light(page), "html.parser")
    heading = soup.find("h1")
    crumbs = soup.select_one("ul.breadcrumbs")
    root = soup.select_one(".mw-parser-output") or soup.select_one("#bodycontents") or soup.body
    if heading is None or root is None:
        return None
    _clean(root)
    parts, steps = [opening_of(_opening(root))], 0
    for section in root.select("div.section"):
        words, count = _section(section, {_key(name) for name in pruned})
        parts.append(words)
        steps += count
    if not steps:
        return None
    return Article(
        title=_words(heading),
        body="".join(parts),
        steps=steps,
        categories=_categories(crumbs),
        url=_address(soup),
        published=_said(page, "datePublished"),
        updated=_said(page, "dateModified"),
    )


def opening_of(text: str) -> str:
    """Let an answer that begins with "This article" begin with "The following answer", as LIMA does."""
    return _OPENING.sub(r"\1The following answer", text, count=1)


def _light(page: str) -> str:
    """A page without its scripts, styles and comments, most of its weight, looking at each character once.

    One that never ends goes on to the end of the page, as in a browser; so does a tag, over which the parser would
    take the square of the page's length.
    """
    parts, at = [], 0
    page = page[: page.rfind(">") + 1]
    for found in _HEAVY.finditer(page):
        if found.start() < at:
            continue
        parts.append(page[at : found.start()])
        end = _ENDS[found.group(1).lower()].search(page, found.end())
        at = end.end() if end else len(page)
    return "".join([*parts, page[at:]])


def _clean(root: Tag) -> None:
    """Take out what is no text of the article, and make links plain text."""
    for noise in root.find_all(_is_noise):
        if not noise.decomposed:
            noise.decompose()
    for link in root.find_all("a"):
        link.unwrap()
    # Pieces of text that a link had divided are one again, so that an address is seen whole.
    root.smooth()
    for text in root.find_all(string=lambda text: may_hold_address(str(text))):
        text.replace_with(NavigableString(without_addresses(str(text))))


def _is_noise(element: Tag) -> bool:
    """Whether an element is a picture, an advert, a control, a mark, or hidden."""
    if element.name in _NOISY_TAGS or element.get("id") in _NOISY_IDS:
        return True
    classes = element.get_attribute_list("class")
    if not _NOISY_CLASSES.isdisjoint(classes) or (element.name == "sup" and "reference" in classes):
        return True
    hidden = "display:none" in str(element.get("style", "")).replace(" ", "")
    return hidden or element.has_attr("hidden") or element.get("role") == "navigation"


def _opening(root: Tag) -> str:
    intro = root.select_one("#intro")
    return "".join(str(block) for block in _outermost(intro, ("p", "ul", "ol"))) if intro else ""


def _outermost(root: Tag, names: tuple[str, ...]) -> Iterator[Tag]:
    """Yield the elements of these names that stand in no other of them, and hold words."""
    for found in root.find_all(names):
        if _words(found) and not any(parent.name in names for parent in _parents(found, root)):
            yield found


def _parents(element: Tag, root: Tag) -> Iterator[Tag]:
    for parent in element.parents:
        if parent is root:
            return
        yield parent


def _section(section: Tag, pruned: set[str]) -> tuple[str, int]:
    """A section as HTML with its heading, and how many steps it has; nothing of one that is left out."""
    classes = set(section.get_attribute_list("class"))
    nested = section.find_parent("div", class_="section") is not None
    if nested or section.get("id") == "intro" or classes.intersection(_FURNITURE):
        return "", 0
    heading = _heading(section)
    if _key(heading) in pruned:
        return "", 0
    steps = [step for step in section.select("div.step") if step.find_parent("div", class_="step") is None]
    if "steps" in classes and steps:
        listed = "".join(f"<li>{step.decode_contents()}</li>" for step in steps)
        return f"<h2>{escape(heading or 'Steps')}</h2><ol>{listed}</ol>", len(steps)
    text = section.select_one(".section_text")
    if text is None or not heading or not _words(text):
        return "", 0
    return f"<h2>{escape(heading)}</h2>{text.decode_contents()}", 0


def _heading(section: Tag) -> str:
    found = section.select_one(".mw-headline") or section.find(["h2", "h3", "h4"])
    return _COUNT.sub("", _words(found)) if found is not None else ""


def _key(heading: str) -> str:
    return " ".join(heading.replace("\u2019", "'").casefold().split()).rstrip(":")


def _words(element: Tag) -> str:
    return " ".join(element.get_text().split())


def _categories(crumbs: Tag | None) -> tuple[str, ...]:
    """The way to the article from the top, without the page of all categories."""
    names = [_words(item) for item in crumbs.find_all("li")] if crumbs is not None else []
    return tuple(name for name in names if name and name.casefold() not in {"categories", "home", "wikihow"})


def _address(soup: BeautifulSoup) -> str | None:
    for selector, attribute in (('link[rel="canonical"]', "href"), ('meta[property="og:url"]', "content")):
        found = soup.select_one(selector)
        address = str(found.get(attribute, "")) if found is not None else ""
        if address.startswith(("https://", "http://")):
            return address
    return None


def _said(page: str, name: str) -> str | None:
    """A date that the page tells search engines."""
    found = re.search(rf'"{name}"\s*:\s*"(\d{{4}}-\d\d-\d\d)', page)
    return found.group(1) if found else None
