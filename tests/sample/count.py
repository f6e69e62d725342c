"""Counts the bundled sample anew, with the standard library alone and without a line of the application.

`python tests/sample/count.py` prints what `app/sample/EXPECTED.json` must say; `--write` stores it there.
"""

from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from difflib import SequenceMatcher
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path
from typing import Any

SAMPLE = Path(__file__).resolve().parents[2] / "app" / "sample"
SITE = "workshop.example.org"
NEAR = 0.8  # share of words in common order: planted pairs lie far over it, all others far below

ROMAN = r"(?:I{1,3}|IV|VI{0,3}|IX|XI{0,3})"
LOOK_ALIKES = re.compile(
    rf"\bI/O\b|\b(?:Type|Class|Chapter|Part|Volume)\s+{ROMAN}\b|\bI(?=, II\b)",
)
FIRST_PERSON = re.compile(r"\b(?:I|[Mm]y)\b")
REFERENCES = re.compile(
    r"\b(?:as mentioned|stack ?exchange|stack ?overflow|(?:other|previous|above|accepted|another) answers?)\b",
    re.IGNORECASE,
)
LICENCES = (("2011-04-08", "CC BY-SA 2.5"), ("2018-05-02", "CC BY-SA 3.0"), ("9999", "CC BY-SA 4.0"))


class Text(HTMLParser):
    """Collects the text of a body, all of it (`visible`) and without code and quotations (`spoken`)."""

    def __init__(self) -> None:
        super().__init__()
        self.visible: list[str] = []
        self.spoken: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self.silent += tag in {"pre", "code", "blockquote"}

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in {"pre", "code", "blockquote"}

    def handle_data(self, data: str) -> None:
        self.visible.append(data)
        if not self.silent:
            self.spoken.append(data)


def parsed(body: str) -> Text:
    text = Text()
    text.feed(body)
    text.close()
    return text


def visible(body: str) -> str:
    return "".join(parsed(body).visible).strip()


def spoken(body: str) -> str:
    """The author's own words: no code, no quotation, no formula."""
    text = "".join(parsed(body).spoken)
    text = re.sub(r"\$\$.*?\$\$|\$[^$\n]+\$", " ", text, flags=re.DOTALL)
    return re.sub(r'"[^"\n]*"|“[^”\n]*”', " ", text)


def first_person(body: str) -> bool:
    return bool(FIRST_PERSON.search(LOOK_ALIKES.sub(" ", spoken(body))))


def refers(body: str) -> bool:
    return bool(REFERENCES.search(spoken(body)))


def rows_of(path: Path) -> list[dict[str, str]]:
    return [dict(row.attrib) for row in ET.parse(path).getroot()]  # noqa: S314 - our own file, no stranger's


def posts(folder: Path) -> list[dict[str, str]]:
    return rows_of(folder / "Posts.xml")


def licence(post: dict[str, str]) -> str:
    return next(name for until, name in LICENCES if post["CreationDate"] < until)


def top_answers(answers: list[dict[str, str]]) -> list[dict[str, str]]:
    by_question: dict[str, list[dict[str, str]]] = defaultdict(list)
    for answer in answers:
        by_question[answer["ParentId"]].append(answer)
    best = [min(group, key=lambda a: (-int(a["Score"]), int(a["Id"]))) for group in by_question.values()]
    return sorted(best, key=lambda a: int(a["Id"]))


def funnel(answers: list[dict[str, str]]) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Applies the rules in their order; gives the steps with the ids each one dropped, and the answers left."""
    rules: list[tuple[str, Any]] = [
        ("score", lambda a: int(a["Score"]) >= 10),
        ("length", lambda a: 1200 <= len(visible(a["Body"])) <= 4096),
        ("first_person", lambda a: not first_person(a["Body"])),
        ("references", lambda a: not refers(a["Body"])),
    ]
    left = top_answers(answers)
    steps: list[dict[str, Any]] = [{"rule": "top_answer", "kept": len(left), "dropped": len(answers) - len(left)}]
    for rule, keeps in rules:
        kept = [answer for answer in left if keeps(answer)]
        gone = [int(answer["Id"]) for answer in left if not keeps(answer)]
        steps.append({"rule": rule, "kept": len(kept), "dropped": len(gone), "dropped_ids": gone})
        left = kept
    return steps, left


def tied_questions(answers: list[dict[str, str]]) -> list[int]:
    scores: dict[str, list[int]] = defaultdict(list)
    for answer in answers:
        scores[answer["ParentId"]].append(int(answer["Score"]))
    return sorted(int(parent) for parent, values in scores.items() if values.count(max(values)) > 1)


def likeness(left: str, right: str) -> float:
    return SequenceMatcher(None, left.split(), right.split(), autojunk=False).ratio()


def duplicates(texts: dict[Any, tuple[str, str]]) -> list[dict[str, Any]]:
    """Pairs of (prompt, response) that are equal (`exact`) or nearly so (`near`), by their keys."""
    found = []
    for (left, one), (right, other) in combinations(texts.items(), 2):
        if one == other:
            found.append({"left": left, "right": right, "kind": "exact"})
        elif likeness(one[1], other[1]) >= NEAR:
            found.append({"left": left, "right": right, "kind": "near"})
    return found


def facts_of_dump(folder: Path) -> dict[str, Any]:
    rows = posts(folder)
    questions = {row["Id"]: row for row in rows if row["PostTypeId"] == "1"}
    answers = [row for row in rows if row["PostTypeId"] == "2"]
    steps, final = funnel(answers)
    texts = {int(a["Id"]): (questions[a["ParentId"]]["Title"], visible(a["Body"])) for a in final}
    return {
        "site": SITE,
        "rows": len(rows),
        "by_PostTypeId": dict(sorted(Counter(row["PostTypeId"] for row in rows).items())),
        "questions": len(questions),
        "answers": len(answers),
        "questions_with_an_answer": len({answer["ParentId"] for answer in answers}),
        "closed_questions": sum("ClosedDate" in row for row in questions.values()),
        "answers_without_owner": sorted(int(a["Id"]) for a in answers if "OwnerUserId" not in a),
        "questions_whose_top_score_is_tied": tied_questions(answers),
        "funnel": steps,
        "final_answer_ids": sorted(texts),
        "final_licences": dict(sorted(Counter(licence(answer) for answer in final).items())),
        "final_with_pre_code_block": sum("<pre>" in answer["Body"] for answer in final),
        "final_with_list": sum("<li>" in answer["Body"] for answer in final),
        "final_with_image": [int(answer["Id"]) for answer in final if "<img" in answer["Body"]],
        "rows_without_ContentLicense": sum("ContentLicense" not in row for row in rows),
        "duplicates": duplicates(texts),
    }


def facts_of_pairs(path: Path) -> dict[str, Any]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    answered = {n: tuple(row["conversations"]) for n, row in enumerate(rows, 1) if len(row["conversations"]) > 1}
    return {
        "rows": len(rows),
        "by_split": dict(sorted(Counter(row["split"] for row in rows).items())),
        "with_response": len(answered),
        "duplicates_by_line": duplicates(answered),
    }


def facts() -> dict[str, Any]:
    return {"dump": facts_of_dump(SAMPLE / "stackexchange"), "pairs": facts_of_pairs(SAMPLE / "pairs.jsonl")}


def written(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    if "--write" in sys.argv:
        (SAMPLE / "EXPECTED.json").write_text(written(facts()), encoding="utf-8")
    else:
        sys.stdout.write(written(facts()))
