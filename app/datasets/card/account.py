"""How a version was made and what to know before using it, in sentences that card and Croissant metadata share.

`quiet` makes words of people harmless where they go: `credits.plain` for Markdown, `str` for JSON. What an earlier
manifest does not say is left out.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.datasets.card.leaking import leakage
from app.datasets.credits import is_file
from app.datasets.helped import in_words
from app.datasets.told import most_first
from app.examples.credit import FORMS
from app.examples.style import RULES
from app.sources.rulewords import TITLES
from app.web.words import plural

Manifest = Mapping[str, Any]
Quiet = Callable[[str], str]
STYLES = {rule.name: rule.title.lower() for rule in RULES}

LIMITS = (
    "The examples do not represent how often people ask what.",
    "Facts in the answers are as they were at the approval; nobody checks them again.",
)
USES = (
    "Supervised fine-tuning: the train split teaches a pretrained language model the form of a good answer.",
    "Comparing checkpoints by their answers to the dev prompts, and finished models by those to the test prompts.",
    "Studying what single sources, sizes and kinds of prompts add: each example names its source.",
)
MISUSES = (
    "It teaches form and tone, not knowledge: take no fact from it without a source.",
    "It is not a benchmark with right answers; prompts without a response are answered by models and read by people.",
    "Nobody should look for the people behind the texts; names are there because licences ask for credit.",
)
LET_IN = "Let in what was approved elsewhere"
UNRECORDED = "Of these people nothing but their names is on record: neither their backgrounds nor what they were paid."
MAINTENANCE = (
    "This version never changes. Corrections come in a later version of the same project, which has another identity; "
    "whoever finds a fault tells the project."
)


def is_by_hand(manifest: Manifest) -> bool:
    """Whether any of it was approved here, and not all of it elsewhere."""
    return bool(manifest["approvals"]["imported"] < sum(manifest["examples"].values()))


def is_taken_over(manifest: Manifest) -> bool:
    """Whether most of it was approved elsewhere, so that nobody here is its author."""
    return bool(2 * manifest["approvals"]["imported"] > sum(manifest["examples"].values()))


def nature(manifest: Manifest) -> str:
    """What kind of set it is, in a sentence: by whom how much of it was approved."""
    found, total = manifest["approvals"], sum(manifest["examples"].values())
    count = f"{plural(total, 'example')} for aligning a language model"
    if not is_by_hand(manifest):
        return f"{count}, approved elsewhere and taken over as a set."
    if found["second_person"] == total:
        return f"{count}, hand-picked: each approved by a second person."
    parts = (
        (found["imported"], "approved elsewhere and taken over as they are"),
        (found["second_person"], "approved here by a second person"),
        (found.get("own", 0), "approved by their own writer"),
        (found["unrecorded"], "without an approval on record"),
    )
    return f"{count}: {', '.join(f'{number:,} {how}' for number, how in parts if number)}."


def collection(manifest: Manifest, quiet: Quiet) -> list[str]:
    """Where the words came from: sites, files, days, how many were edited here."""
    words = []
    if sites := named_sites(manifest, quiet):
        words.append(f"Texts from elsewhere came from {', '.join(sites)}.")
    if files := named_files(manifest, quiet):
        words.append(f"Texts whose site is not known came in {', '.join(files)}.")
    found = manifest.get("credited")
    if found:
        words.append(
            f"{found['as_imported']:,} stand in the words as imported, {found['edited']:,} were edited since, and "
            f"{found['own']:,} name nobody to credit."
        )
    if written := manifest.get("written"):
        first, last = written["first"], written["last"]
        days = f"on {first}" if first == last else f"between {first} and {last}"
        words.append(f"Its words were brought in and written {days}.")
    return words


def named_sites(manifest: Manifest, quiet: Quiet) -> list[str]:
    """The sites that texts came from, each with how many."""
    sites = [(site, n) for site, n in most_first(manifest["sites"]) if site and site not in FORMS]
    return [f"{quiet(site)} ({n:,})" for site, n in sites if not is_file(site)]


def named_files(manifest: Manifest, quiet: Quiet) -> list[str]:
    """The files that texts came in that name no site; an import calls such texts by their file, if they have an id."""
    named = [f"{quiet(site)} ({n:,})" for site, n in most_first(manifest["sites"]) if is_file(site)]
    others = sum(n for site, n in manifest["sites"].items() if site in FORMS)
    return named + ([f"files whose name is not on record ({others:,})"] if others else [])


def rules(manifest: Manifest) -> list[str]:
    """What imports let through, by each set of rules."""
    return [_ruleset(one) for one in manifest.get("rules", ())]


def _ruleset(one: Mapping[str, Any]) -> str:
    named = one["name"] if one["name"].startswith("the") else f"the rules {one['name']}"
    listed = "; ".join(_rule(rule) for rule in one["rules"]) or "everything was kept"
    return (
        f"{plural(one['examples'], 'example')} came through an import by {named.replace('own', 'own rules')} "
        f"(`sha256:{one['sha256']}`): {listed}."
    )


def _rule(rule: Mapping[str, Any]) -> str:
    settings = [_setting(name, value) for name, value in sorted(rule.items()) if name != "rule"]
    title = str(TITLES.get(rule["rule"], rule["rule"])).lower()
    return title + (f" ({', '.join(settings)})" if settings else "")


def _setting(name: str, value: Any) -> str:
    shown = plural(len(value), "entry", "entries") if isinstance(value, list) else value
    return f"{name.replace('_', ' ')} {shown:,}" if isinstance(shown, int) else f"{name.replace('_', ' ')} {shown}"


def samplings(manifest: Manifest, quiet: Quiet) -> list[str]:
    """By which plans examples were drawn from the pool."""
    return [
        f"{plural(one['examples'], 'example')} of the set {'was' if one['examples'] == 1 else 'were'} drawn from the "
        f"pool by the plan {quiet(one['plan'])}, `sha256:{one['plan_sha256']}`, with seed {one['seed']}."
        for one in manifest.get("samplings", ())
    ]


def writing(manifest: Manifest) -> list[str]:
    """What people did to the words here, and by what style."""
    words, guide = _handled(manifest), manifest.get("guide")
    if not guide or not _touched(manifest):
        return words
    known = [name for name in STYLES if name in guide["rules"]]
    named = (
        "; ".join(STYLES.get(name, name) for name in (*known, *sorted(set(guide["rules"]) - STYLES.keys())))
        or "no rule"
    )
    words.append(
        f"As people wrote, a house style remarked beside the line (`sha256:{guide['rules_sha256']}`): {named}."
    )
    if guide["text_sha256"]:
        words.append(
            f"A guide of {guide['words']:,} words stood beside it, which is not part of this set "
            f"(`sha256:{guide['text_sha256']}`)."
        )
    return words


def _touched(manifest: Manifest) -> int:
    """How many examples were written or edited here, as far as the manifest knows."""
    found = manifest.get("handled")
    return int(found["written"] + found["edited"] if found else manifest.get("credited", {}).get("edited", 0))


def _handled(manifest: Manifest) -> list[str]:
    found = manifest.get("handled")
    if not found:
        return []
    said = (
        (found["pool"], "came out of a pool of candidates"),
        (found["written"], f"{_was(found['written'])} written here or without an origin on record"),
        (found["edited"], f"{_was(found['edited'])} edited since they came"),
    )
    parts = [f"{count:,} {what}" for count, what in said if count]
    words = [f"Of {plural(sum(manifest['examples'].values()), 'example')}, {', '.join(parts)}."] if parts else []
    if settled := found["settled"]:
        words.append(f"People of the project decided {plural(settled, 'pair')} of texts that look alike.")
    return words


def approving(manifest: Manifest, quiet: Quiet) -> list[str]:
    """Who approved what."""
    found = manifest["approvals"]
    second = found["second_person"]
    verb = "was" if second == 1 else "were"
    words = []
    if second:
        words.append(f"{plural(second, 'example')} {verb} approved by a second person, never by their own writer.")
    if found["imported"]:
        said = "; ".join(quiet(reason) for reason in found["reasons"]) or "no reason given"
        words.append(f"{found['imported']:,} came approved from elsewhere and were taken as they are ({said}).")
    if found["unrecorded"]:
        words.append(f"{found['unrecorded']:,} have no approval on record.")
    if found.get("own"):
        words.append(f"{found['own']:,} carry the approval of their own writer.")
    return words


def agreement(manifest: Manifest) -> str:
    """How far second persons agreed."""
    found = manifest.get("agreement")
    if not found:
        known = manifest.get("shapes") is not None
        return "No text was judged by two second persons, so that there is no agreement to measure." if known else ""
    kappa = (
        "all verdicts were the same, so that kappa says nothing"
        if found["kappa"] is None
        else f"Cohen's kappa {found['kappa']:.2f}"
    )
    share = 100 * found["agreed"] / found["texts"]
    return (
        f"Two second persons judged {plural(found['texts'], 'text')} of the set, one after the other, with the same "
        f"verdict on {found['agreed']:,} ({share:.0f}%; {kappa}). What was rejected for good is not in it nor counted."
    )


def models(manifest: Manifest, quiet: Quiet) -> str:
    """What models had a part in."""
    found = manifest.get("help")
    if not found:
        return "No model's words are on record in it." if manifest.get("shapes") is not None else ""
    named = ", ".join(f"{quiet(one['model'])} ({one['examples']:,})" for one in found["models"])
    return (
        f"{in_words(manifest)}. People asked; no suggestion goes into a text by itself. An example has words of a "
        "model where eight words in a row of a suggestion stand in it that were not in the text sent to the model, or "
        "where the suggestion was copied; `manifest.json` lists the hashes of their lines under `help`. "
        f"Models asked: {named}."
    )


def personal(manifest: Manifest, quiet: Quiet) -> list[str]:
    """What is known of personal data and of sensitive prompts."""
    gate = next((gate for gate in manifest["gates"] if gate["gate"] == "personal" and gate["state"] != "off"), None)
    searched = (
        f"Approved words were searched for e-mail addresses, phone numbers and secret keys. {quiet(gate['detail'])}"
        if gate
        else "Nobody searched the texts for personal data beyond what reviewers saw."
    )
    words = [
        searched,
        "Authors' names and profile links are kept, in `ATTRIBUTION.md` and on each line, as licences ask.",
    ]
    if count := manifest.get("roles", {}).get("flags", {}).get("sensitive"):
        words.append(f"{plural(count, 'prompt')} {_be(count)} flagged as sensitive by people.")
    return words


def limits(manifest: Manifest) -> list[str]:
    """What it cannot do, and where it falls short of its own target."""
    words = [*LIMITS, leakage(manifest)]
    people, own = len(manifest["people"]["writers"]), manifest.get("handled", {}).get("written", 0)
    if own and people:
        words.append(f"What was written for it shares the interests of {plural(people, 'person', 'people')}.")
    named, unstated = manifest["languages"], manifest.get("languages_not_stated", 0)
    if len(named) == 1 and not unstated:
        words.append(f"Everything is in one language ({next(iter(named))}).")
    for name, count in manifest.get("languages_of_project", {}).items():
        of_these = "no text states its language itself; the project states"
        words.append(f"Of {plural(count, 'example')} {of_these} {name} for all of them.")
    if unstated:
        words.append(f"Of {plural(unstated, 'example')} nobody stated the language.")
    short = [row for row in manifest["composition"] if row["target"] and row["count"] < row["target"]]
    if short:
        words.append(f"{plural(len(short), 'row')} of the target {_be(len(short))} not filled.")
    cut = sum(manifest.get("tokens", {}).get("cut", {}).values())
    if cut:
        words.append(f"Training that reads {manifest['tokens']['limit']:,} tokens cuts {plural(cut, 'row')}.")
    overridden = [gate["gate"] for gate in manifest["gates"] if gate["state"] == "overridden"]
    if overridden:
        gates = plural(len(overridden), "gate")
        words.append(f"It was frozen against {gates} ({', '.join(overridden)}); each with its reason under Gates.")
    return words


def languages(manifest: Manifest, quiet: Quiet) -> str:
    """In which languages the texts are, as far as somebody stated it; of earlier manifests all are told as stated."""
    said = [f"{quiet(name)} ({count:,})" for name, count in most_first(manifest["languages"])]
    left = manifest.get("languages_not_stated", 0)
    if left:
        said.append(f"not stated ({left:,})" if said else "not stated")
    return ", ".join(said)


def before(manifest: Manifest) -> str:
    """What changed since the version before; empty for the first."""
    found = manifest.get("before")
    if not found:
        return ""
    lines = plural(found["added"], "line")
    return (
        f"Against `{found['version']}`, {lines} of `examples.jsonl` {_be(found['added'])} new, {found['removed']:,} "
        f"{_be(found['removed'])} gone, and {found['kept']:,} {_be(found['kept'])} the same. An example whose words, "
        f"split, licence or credit changed is one gone and one new. `{found['version']}` is `{found['id']}`."
    )


def _was(count: int) -> str:
    return "was" if count == 1 else "were"


def _be(count: int) -> str:
    return "is" if count == 1 else "are"


def people(manifest: Manifest, quiet: Quiet) -> str:
    """Writers and approvers by their names at the freeze."""
    named = (("Writers", manifest["people"]["writers"]), *approvers(manifest))
    return " ".join((*(f"{title}: {_names(persons, quiet)}." for title, persons in named), UNRECORDED))


def approvers(manifest: Manifest) -> list[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Who approved here, and who let in what was approved elsewhere; an earlier manifest names both together."""
    people, found = manifest["people"], manifest["approvals"]
    here, let_in = people["approvers"], people.get("let_in")
    if let_in is None and found["imported"]:
        if found["second_person"] or found.get("own"):
            return [("Approvers, and who let in what was approved elsewhere", here)]
        here, let_in = (), here
    return [("Approvers", here), *([(LET_IN, let_in)] if let_in else [])]


def _names(persons: Sequence[Mapping[str, Any]], quiet: Quiet) -> str:
    return ", ".join(quiet(str(person["name"])) for person in persons) or "none on record"


def tokenizer(manifest: Manifest, quiet: Quiet) -> str:
    """By what tokens were counted; empty where an earlier manifest has none."""
    found = manifest.get("tokens")
    if not found:
        return ""
    if not found["exact"]:
        return "Tokens are estimated as characters / 3.6: the project names no tokenizer."
    return (
        f"Tokens are those of {quiet(found['name'] or 'a tokenizer')}, whose tokenizer.json has "
        f"`sha256:{found['sha256']}`, without control tokens."
    )
