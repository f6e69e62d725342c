"""What the manifest of a set tells of its making, read in a few statements at its freeze."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from app.accounts.models import User
from app.datasets.canonical import version_id
from app.datasets.making import Agreed, Before, Counting, Guide, Handled, Making, RulesUsed
from app.datasets.material import Item
from app.datasets.models import Version, VersionRow
from app.duplicates.models import DuplicatePair, Verdict
from app.examples.cutting import LIMIT
from app.examples.models import Example, Revision
from app.examples.sight import everything
from app.examples.style_queries import sheet_of
from app.projects.models import Project
from app.projects.tokenizers import tokens_of
from app.reviews.agreement import agreement
from app.reviews.models import Review, ReviewVerdict
from app.sources.models import ImportRun
from app.sources.rules.language import Language
from app.sources.rulesets import PRESETS
from app.text.canonical import content_hash, sha256_hex
from app.text.counting import count_words

# What an example has where nobody says another.
DEFAULT = "en"
PRESET_OF = {ruleset.sha256: name for name, ruleset in PRESETS.items()}


def making_of(session: Session, project: Project, items: Sequence[Item]) -> Making:
    """How these examples were made, test prompts that the asking person may not read among them."""
    held = {item.example_id: item.revision_number for item in items}
    with everything(session):
        came = _came(session, project)
        own = frozenset(item.example_id for item in items if not item.attribution and not any(came[item.example_id]))
        return Making(
            counting_of(session, project),
            _rules(session, project, held),
            _agreed(session, project, held),
            project.reviews_needed,
            _guide(session, project),
            _written(session, project, held),
            _before(session, project, items),
            _handled(session, project, items, came, own),
            _let_in(session, project, held),
            _without_language(session, project, items),
            project.language,
            own,
        )


def counting_of(session: Session, project: Project) -> Counting:
    """What the project counts tokens by, and where training stops reading."""
    return Counting(tokens_of(session, project), project.tokenizer_name, project.tokenizer_sha256, LIMIT)


def _rules(session: Session, project: Project, held: Mapping[int, int]) -> tuple[RulesUsed, ...]:
    """The rules of the imports that examples came by, those of the most examples first."""
    came = select(Example.id, Example.import_run_id).where(
        Example.project_id == project.id, Example.import_run_id.is_not(None)
    )
    runs = Counter(run for example_id, run in session.execute(came) if example_id in held)
    documents: dict[str, list[Any]] = {}
    counts: Counter[str] = Counter()
    for run_id, sha256, ruleset in session.execute(
        select(ImportRun.id, ImportRun.ruleset_hash, ImportRun.ruleset).where(ImportRun.project_id == project.id)
    ):
        if run_id in runs:
            counts[sha256] += runs[run_id]
            documents[sha256] = _in_force(ruleset)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(
        RulesUsed(PRESET_OF.get(sha256, "the project's own"), sha256, count, documents[sha256])
        for sha256, count in ordered
    )


def _in_force(ruleset: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rules that were on, as they are hashed."""
    rules = ruleset.get("rules", ())
    return [{name: value for name, value in rule.items() if name != "on"} for rule in rules if rule.get("on", True)]


def _agreed(session: Session, project: Project, held: Mapping[int, int]) -> Agreed | None:
    """The verdicts of two second persons on one text, on all revisions of what went in."""
    first = aliased(Review)
    query = (
        select(Review.example_id, first.verdict, Review.verdict)
        .join(first, first.id == Review.second_to)
        .join(Example, Example.id == Review.example_id)
        .where(Example.project_id == project.id)
    )
    pairs = [(one.value, two.value) for example_id, one, two in session.execute(query) if example_id in held]
    if not pairs:
        return None
    verdicts = tuple((one, two, texts) for (one, two), texts in sorted(Counter(pairs).items()))
    return Agreed(verdicts, agreement(pairs).kappa)


def _guide(session: Session, project: Project) -> Guide:
    rules = {name: rule for name, rule in sheet_of(session, project.id).as_dict().items() if rule["on"]}
    text = project.guide.strip()
    return Guide(rules, content_hash(rules), sha256_hex(text) if text else None, count_words(text))


def _written(session: Session, project: Project, held: Mapping[int, int]) -> tuple[str, str] | None:
    """The days, in UTC, between which the words of the set were written or brought in."""
    query = (
        select(Revision.example_id, func.min(Revision.created_at), func.max(Revision.created_at))
        .join(Example, Example.id == Revision.example_id)
        .where(Example.project_id == project.id, Revision.number <= Example.approved_number)
        .group_by(Revision.example_id)
    )
    found = [(first, last) for example_id, first, last in session.execute(query) if example_id in held]
    if not found:
        return None
    return min(first for first, _ in found).date().isoformat(), max(last for _, last in found).date().isoformat()


def _before(session: Session, project: Project, items: Sequence[Item]) -> Before | None:
    """What these lines are against those of the last version."""
    last = session.scalar(select(Version).where(Version.project_id == project.id).order_by(Version.id.desc()).limit(1))
    if last is None:
        return None
    old = Counter(session.scalars(select(VersionRow.sha256).where(VersionRow.version_id == last.id)))
    new = Counter(item.line.sha256 for item in items)
    return Before(
        last.name, version_id(last.sha256), (new - old).total(), (old - new).total(), (new & old).total()
    )  # fmt: skip


def _came(session: Session, project: Project) -> dict[int, tuple[int | None, int | None]]:
    """By which candidate and which import each example came, if by any."""
    query = select(Example.id, Example.candidate_id, Example.import_run_id).where(Example.project_id == project.id)
    return {example_id: (candidate, run) for example_id, candidate, run in session.execute(query)}


def _handled(
    session: Session,
    project: Project,
    items: Sequence[Item],
    came: Mapping[int, tuple[int | None, int | None]],
    written: frozenset[int],
) -> Handled:
    """What people did to these examples; a pair counts once somebody decided it."""
    decided = (DuplicatePair.verdict != Verdict.OPEN, DuplicatePair.decided_by.is_not(None))
    pairs = select(func.count(DuplicatePair.id)).where(DuplicatePair.project_id == project.id, *decided)
    return Handled(
        pool=sum(came[item.example_id][0] is not None for item in items),
        written=len(written),
        edited=sum(item.revision_number > 1 and item.example_id not in written for item in items),
        settled=session.scalar(pairs) or 0,
    )


def _let_in(session: Session, project: Project, held: Mapping[int, int]) -> tuple[tuple[int, str], ...]:
    """Who let in what was approved elsewhere."""
    query = (
        select(Review.example_id, Review.revision_number, User.id, User.name)
        .join(Example, Example.id == Review.example_id)
        .join(User, User.id == Review.reviewer_id)
        .where(Example.project_id == project.id, Review.verdict == ReviewVerdict.IMPORTED)
    )
    found = {
        (person, name) for example_id, number, person, name in session.execute(query) if held.get(example_id) == number
    }
    return tuple(sorted(found))


# What these give is in English, whoever imported it before imports noted whether their records name a language.
IN_ENGLISH = {"stackexchange", "reddit", "wikihow"}


def _without_language(session: Session, project: Project, items: Sequence[Item]) -> frozenset[int]:
    """The examples whose own language nobody said: neither their rows, nor a rule, nor a writer.

    They have "en", or what the project says. What is written here names its language on the desk.
    """
    query = select(ImportRun.id, ImportRun.format, ImportRun.ruleset, ImportRun.result)
    silent = {
        run_id
        for run_id, form, ruleset, result in session.execute(query.where(ImportRun.project_id == project.id))
        if not (result.get("language_stated") or form in IN_ENGLISH or _keeps_english(ruleset))
    }
    came = select(Example.id).where(Example.project_id == project.id, Example.import_run_id.in_(silent))
    brought = set(session.scalars(came)) if silent else set()
    unsaid = {DEFAULT, project.language}
    return frozenset(item.example_id for item in items if item.language in unsaid and item.example_id in brought)


def _keeps_english(ruleset: Mapping[str, Any]) -> bool:
    """Whether a rule let texts in English through and no others."""
    return any(
        rule["rule"] == Language.name and rule.get("keep", [DEFAULT]) == [DEFAULT] for rule in _in_force(ruleset)
    )
