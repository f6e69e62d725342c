"""What the ways of looking for duplicates find, alone and together, at each threshold: where the defaults come from.

    python benchmarks/methods.py [--shared ../shared/data] [--links] [--copies] [--json]

Without more: prompts of AlpacaEval, Self-Instruct and Vicuna, each once, with an edit planted of every third one, of
six kinds; a pair is right if it is a planted one. Beside them the 453 scored pairs of SemEval 2016 (question-question,
postediting), of which those that people scored 4 or 5 are the same. `--links`: the quantum computing site of 2018
imported with no rules, compared by question; of the questions that the site closed as copies of another, which are
found at the defaults and what rank the other question has among all. `--copies`: the exact copies that lie between
AlpacaEval and Self-Instruct's user tasks with Vicuna's questions.
"""

import argparse
import csv
import json
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from app.duplicates.calibrating import share_words, wilson  # noqa: E402 - found once the folder above is
from app.duplicates.lexical import LENGTH, alike, runs  # noqa: E402 - found once the folder above is
from app.duplicates.matching import exact_groups, pairs_at_least  # noqa: E402 - found once the folder above is
from app.duplicates.normal import normal_form  # noqa: E402 - found once the folder above is
from app.duplicates.operations import THRESHOLD, WORDING  # noqa: E402 - found once the folder above is
from app.duplicates.wording import wording_pairs  # noqa: E402 - found once the folder above is
from app.embeddings.encoder import load_encoder  # noqa: E402 - found once the folder above is
from app.embeddings.vectors import Vectors  # noqa: E402 - found once the folder above is
from app.sources.formats import open_source  # noqa: E402 - found once the folder above is

SEED = 20261127
COSINES = (0.95, 0.925, 0.9, 0.875, 0.85, 0.8)
SHARES = (0.8, 0.7, 0.65, 0.6, 0.55, 0.5, 0.4)
Pair = tuple[int, int]

OPENINGS = ("Please help me: ", "I have a question. ", "Could you answer this? ", "As an expert, ")
ENDINGS = (" Thanks in advance!", " Please answer in detail.", " Keep it short.", " Give an example.")


def prompts(shared: Path) -> dict[str, list[str]]:
    """Prompts by their source."""
    outputs = json.loads((shared / "alpaca_eval/text_davinci_003_model_outputs.json").read_text("utf-8"))
    user = [json.loads(line) for line in _lines(shared / "self_instruct/user_oriented_instructions.jsonl")]
    seeds = [json.loads(line) for line in _lines(shared / "self_instruct/seed_tasks.jsonl")]
    vicuna = [json.loads(line) for line in _lines(shared / "fastchat_questions/vicuna_bench_question.jsonl")]
    return {
        "alpaca_eval": [row["instruction"] for row in outputs],
        "self_instruct": [_with_input(row) for row in user],
        "seeds": [row["instruction"] for row in seeds],
        "vicuna": [row["turns"][0] for row in vicuna],
    }


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


def _with_input(row: dict[str, Any]) -> str:
    given = row["instances"][0]["input"]
    return f"{row['instruction']}\n\n{given}" if given else row["instruction"]


def typos(text: str, draw: random.Random) -> str:
    """Letters swapped, left out or doubled, one in about thirty and two at least."""
    letters = list(text)
    for _ in range(max(2, len(letters) // 30)):
        at = draw.randrange(len(letters) - 1)
        kind = draw.randrange(3)
        if kind == 0:
            letters[at : at + 2] = reversed(letters[at : at + 2])
        elif kind == 1 and len(letters) > 4:
            del letters[at]
        else:
            letters.insert(at, letters[at])
    return "".join(letters)


def dropped(text: str, draw: random.Random) -> str:
    """A tenth of the words left out, one at least."""
    words = text.split()
    for _ in range(max(1, len(words) // 10)):
        if len(words) > 3:
            del words[draw.randrange(len(words))]
    return " ".join(words)


def framed(text: str, draw: random.Random) -> str:
    """Words said before or after it that ask nothing else."""
    return draw.choice(OPENINGS) + text if draw.random() < 0.5 else text + draw.choice(ENDINGS)


def cut(text: str, _draw: random.Random) -> str:
    """Its last seventh left out."""
    words = text.split()
    return " ".join(words[: max(3, len(words) - max(1, len(words) // 7))])


def swapped(text: str, draw: random.Random) -> str:
    """Two halves told the other way round where there are two sentences, else two neighbouring words."""
    middle = text.find(". ", len(text) // 4)
    if 0 < middle < len(text) - 20:
        return f"{text[middle + 2 :].rstrip('.')}. {text[: middle + 1]}"
    words = text.split()
    at = draw.randrange(max(1, len(words) - 1))
    words[at : at + 2] = reversed(words[at : at + 2])
    return " ".join(words)


def signs(text: str, _draw: random.Random) -> str:
    """Marks of Markdown around its words, its lines numbered and its full stops gone."""
    return "\n".join(f"{number}) **{line}**" for number, line in enumerate(text.replace(". ", " ").splitlines(), 1))


EDITS: dict[str, Callable[[str, random.Random], str]] = {
    "typos": typos, "words dropped": dropped, "framed": framed, "cut": cut, "swapped": swapped, "signs": signs,
}  # fmt: skip


def planted(texts: Sequence[str]) -> tuple[list[str], dict[Pair, str]]:
    """The texts and an edit of every third one after them; which pair is which kind of edit."""
    draw, made, pairs = random.Random(SEED), list(texts), {}  # noqa: S311 - the same edits every time
    kinds = list(EDITS)
    for number, at in enumerate(range(0, len(texts), 3)):
        kind = kinds[number % len(kinds)]
        edited = EDITS[kind](texts[at], draw)
        if normal_form(edited) != normal_form(texts[at]):
            pairs[at, len(made)] = kind
            made.append(edited)
    return made, pairs


class Found:
    """Pairs of some texts from any threshold on, by both ways of looking."""

    def __init__(self, texts: Sequence[str], vectors: Vectors) -> None:
        """Look once, far below every threshold that is read."""
        self.cosine = {(int(a), int(b)): float(c) for a, b, c in pairs_at_least(vectors, min(COSINES))}
        self.share = {(int(a), int(b)): float(c) for a, b, c in wording_pairs(texts, min(SHARES))}

    def pairs(self, cosine: float | None, share: float | None) -> set[Pair]:
        """What reaches either threshold; None for a way that is not used."""
        near = {pair for pair, score in self.cosine.items() if cosine is not None and score >= cosine}
        return near | {pair for pair, score in self.share.items() if share is not None and score >= share}


def reading(found: set[Pair], right: set[Pair], name: str) -> dict[str, Any]:
    """Recall and precision of the found pairs, with Wilson's intervals in words."""
    hits = len(found & right)
    recall, precision = wilson(hits / len(right), len(right)), wilson(hits / len(found), len(found)) if found else None
    return {
        "by": name, "found": len(found), "right": hits, "recall": recall.share if recall else None,
        "precision": precision.share if precision else None,
        "words": f"recall {share_words(recall)}, precision {share_words(precision)}",
    }  # fmt: skip


def measured_edits(shared: Path) -> dict[str, Any]:
    """Each way of looking alone, at each threshold, and the defaults together, on planted edits."""
    texts, first = [text for some in prompts(shared).values() for text in some], {}
    for text in texts:
        first.setdefault(normal_form(text), text)
    plain = list(first.values())
    bare = Found(plain, load_encoder().encode(plain))
    made, kinds = planted(plain)
    found = Found(made, load_encoder().encode(made))
    # Texts that are alike already are no mistake of an edit's: they and their edits are left out of the counts.
    alike_already = bare.pairs(min(COSINES), min(SHARES))
    origin = {new: old for old, new in kinds} | {at: at for at in range(len(plain))}
    near = {frozenset(pair) for pair in alike_already}

    def counted(pairs: set[Pair]) -> set[Pair]:
        return {pair for pair in pairs if frozenset((origin[pair[0]], origin[pair[1]])) not in near}

    right = set(kinds)
    rows = [reading(counted(found.pairs(t, None)), right, f"meaning from {t}") for t in COSINES]
    rows += [reading(counted(found.pairs(None, t)), right, f"wording from {t}") for t in SHARES]
    both = found.pairs(THRESHOLD, WORDING)
    rows.append(reading(counted(both), right, f"the defaults together ({THRESHOLD}, {WORDING})"))
    rows += [reading(counted(found.pairs(THRESHOLD, t)), right, f"together ({THRESHOLD}, {t})") for t in (0.7, 0.5)]
    ways = (found.pairs(THRESHOLD, None), found.pairs(None, WORDING), both)
    of_kind = {kind: {pair for pair, one in kinds.items() if one == kind} for kind in EDITS}
    by_kind = {kind: [*(len(pairs & got) for got in ways), len(pairs)] for kind, pairs in of_kind.items()}
    natural = {f"{c}": len(bare.pairs(c, None)) for c in COSINES} | {"wording": len(bare.pairs(None, WORDING))}
    return {"texts": len(plain), "planted": len(kinds), "rows": rows, "by_kind": by_kind, "alike_already": natural}


def measured_people(shared: Path) -> dict[str, Any]:
    """The scored pairs of SemEval 2016: of those from a threshold on, how people scored them."""
    answer = {}
    for name in ("question-question", "postediting"):
        with (shared / f"sts2016_pairs/{name}.test.tsv").open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if row[0]]
        scores = [float(row[0]) for row in rows]
        encoder = load_encoder()
        left, right = (encoder.encode([row[side] for row in rows]) for side in (1, 2))
        cosines = np.einsum("ij,ij->i", left, right)
        shares = [alike(runs(row[1], LENGTH), runs(row[2], LENGTH)) for row in rows]
        same = {(at, at) for at, score in enumerate(scores) if score >= 4}

        def reached(cosine: float, share: float, near: Any = cosines, words: Any = shares) -> set[Pair]:
            return {(at, at) for at in range(len(words)) if near[at] >= cosine or words[at] >= share}

        ways = [(t, 2.0, f"meaning from {t}") for t in COSINES] + [(2.0, t, f"wording from {t}") for t in SHARES]
        ways.append((THRESHOLD, WORDING, f"the defaults together ({THRESHOLD}, {WORDING})"))
        lines = [reading(reached(cosine, share), same, words) for cosine, share, words in ways]
        for line, (cosine, share, _) in zip(lines, ways, strict=True):
            line["scored_0_or_1"] = sum(scores[at] <= 1 for at, _ in reached(cosine, share))
        answer[name] = {"pairs": len(rows), "same": len(same), "rows": lines}
    return answer


def measured_links(shared: Path) -> dict[str, Any]:
    """The questions that the site closed as copies: found at the defaults or not, score, and rank of the other."""
    reader = open_source(shared / "se_quantumcomputing_2018", site="quantumcomputing.stackexchange.com")
    reader.prepare()
    asked = {}
    for record in reader.records():
        asked.setdefault(record.thread_id, "\n\n".join(m.text for m in record.messages if m.role == "user"))
    names = list(asked)
    vectors = load_encoder().encode(list(asked.values()))
    pairs, missing = [], 0
    for copy, first in reader.known_duplicates:
        if str(copy) not in asked or str(first) not in asked:
            missing += 1
            continue
        one, other = names.index(str(copy)), names.index(str(first))
        scores = vectors @ vectors[one]
        share = alike(runs(asked[str(copy)], LENGTH), runs(asked[str(first)], LENGTH))
        rank = int((scores > scores[other]).sum())  # the copy itself stands before all
        hit = scores[other] >= THRESHOLD or share >= WORDING
        pairs.append(
            {"copy": copy, "first": first, "cosine": round(float(scores[other]), 3), "wording": round(share, 3),
             "rank": rank, "found": bool(hit)}
        )  # fmt: skip
    ranks = sorted(pair["rank"] for pair in pairs)
    return {
        "questions": len(names), "links": len(reader.known_duplicates), "without_an_answered_question": missing,
        "compared": len(pairs), "found_at_the_defaults": sum(pair["found"] for pair in pairs),
        "among_the_first_10": sum(rank <= 10 for rank in ranks), "pairs": pairs,
        "found_from": {f"{t}": sum(pair["cosine"] >= t for pair in pairs) for t in (0.9, 0.8, 0.7, 0.6, 0.5)},
    }  # fmt: skip


def measured_copies(shared: Path) -> dict[str, Any]:
    """The exact copies between AlpacaEval and the two sets that it took prompts from."""
    sets = prompts(shared)
    texts = [(name, text) for name in ("alpaca_eval", "self_instruct", "vicuna") for text in sets[name]]
    groups = exact_groups([text for _, text in texts])
    crossing = [{texts[at][0] for at in group} for group in groups]
    found = {
        name: sum({"alpaca_eval", name} <= sources for sources in crossing) for name in ("self_instruct", "vicuna")
    }
    return {"texts": len(texts), "groups": len(groups), **found, "both": sum(found.values())}


def told(answer: dict[str, Any]) -> list[str]:
    """The measures as lines."""
    lines = []
    if edits := answer.get("edits"):
        lines.append(f"{edits['texts']:,} prompts, {edits['planted']:,} edits; alike already: {edits['alike_already']}")
        lines += [f"  {row['by']:<36} {row['found']:>5} found  {row['words']}" for row in edits["rows"]]
        for kind, (meaning, wording, both, count) in edits["by_kind"].items():
            lines.append(f"  {kind:<14} meaning {meaning}, wording {wording}, both {both}, of {count}")
    for name, scored in answer.get("people", {}).items():
        lines.append(f"{name}: {scored['pairs']} scored pairs, {scored['same']} the same (4 or 5)")
        for row in scored["rows"]:
            found = f"{row['found']:>4} found, {row['scored_0_or_1']} scored 0 or 1"
            lines.append(f"  {row['by']:<36} {found}  {row['words']}")
    if links := answer.get("links"):
        lines.append(json.dumps({key: value for key, value in links.items() if key != "pairs"}))
        lines += [f"  {pair}" for pair in links["pairs"]]
    if copies := answer.get("copies"):
        lines.append(json.dumps(copies))
    return lines


def main() -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--links", action="store_true")
    parser.add_argument("--copies", action="store_true")
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    if not wanted.shared.is_dir():
        sys.exit(f"There is no {wanted.shared}; name the folder of data sets with --shared.")
    answer: dict[str, Any] = {}
    if wanted.links:
        answer["links"] = measured_links(wanted.shared)
    if wanted.copies:
        answer["copies"] = measured_copies(wanted.shared)
    if not answer:
        answer = {"edits": measured_edits(wanted.shared), "people": measured_people(wanted.shared)}
    print(json.dumps(answer) if wanted.json else "\n".join(told(answer)))


if __name__ == "__main__":
    main()
