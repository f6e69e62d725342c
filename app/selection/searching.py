"""The index of the pool's words: FTS5 on SQLite, an expression index on PostgreSQL; how to ask it, how to fill it."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, and_, column, exists, func, literal_column, or_, select, table, text
from sqlalchemy.orm import Session

from app.selection.models import SearchableImport
from app.sources.models import Candidate, ImportRun, ImportState
from app.text.search import Term, Wanted

AT_ONCE = 50
INDEX = table("candidate_words", column("rowid"), column("candidate_words"))
FILL = text(
    "INSERT INTO candidate_words (rowid, title, words) SELECT id, title, "
    "(SELECT group_concat(json_extract(value, '$.content'), char(10)) FROM json_each(messages)) FROM candidate "
    "WHERE import_run_id + 0 = :run AND id > :after AND id <= :through "
    "AND NOT EXISTS (SELECT 1 FROM candidate_words_docsize AS there WHERE there.id = candidate.id)"
)


def on_sqlite(session: Session) -> bool:
    """Whether the database is SQLite."""
    return session.get_bind().dialect.name == "sqlite"


def conditions(session: Session, project_id: int, wanted: Wanted) -> list[ColumnElement[bool]]:
    """What a candidate fulfils that holds all that is wanted and nothing that is not."""
    signs = [Candidate.title.icontains(term.text, autoescape=True) for term in wanted.all if term.sign]
    words = [term for term in wanted.all if not term.sign]
    if not on_sqlite(session):
        return [*signs, *map(_in_vector, words), *(~_in_vector(term) for term in wanted.none)]
    late = list(session.scalars(unindexed(project_id)))
    found = [_in_index(words, late, any_of=False)] if words else []
    return [*signs, *found, *([~_in_index(wanted.none, late, any_of=True)] if wanted.none else [])]


def _in_vector(term: Term) -> ColumnElement[bool]:
    config: ColumnElement[str] = literal_column("'simple'::regconfig")
    asked = func.to_tsquery(config, prefix_query(term)) if term.prefix else func.phraseto_tsquery(config, term.text)
    return func.candidate_words(Candidate.title, Candidate.messages).op("@@", is_comparison=True)(asked)


def _in_index(terms: Sequence[Term], late: Sequence[int], *, any_of: bool) -> ColumnElement[bool]:
    asked = fts5(terms, any_of=any_of)
    indexed = Candidate.id.in_(select(INDEX.c.rowid).where(INDEX.c.candidate_words.op("MATCH")(asked)))
    if not late:
        return indexed
    each = [_read_through(term) for term in terms]
    return or_(indexed, and_(Candidate.import_run_id.in_(late), (or_ if any_of else and_)(*each)))


def _read_through(term: Term) -> ColumnElement[bool]:
    said = func.json_each(Candidate.messages).table_valued("value")
    content = func.json_extract(said.c.value, "$.content")
    inside = exists(select(1).select_from(said).where(content.icontains(term.text, autoescape=True)))
    return or_(Candidate.title.icontains(term.text, autoescape=True), inside)


def unindexed(project_id: int | None = None) -> Select[int]:
    """The published imports into the pool whose words are not wholly indexed yet: read through instead."""
    whole = select(SearchableImport.import_run_id).where(SearchableImport.whole)
    query = select(ImportRun.id).where(ImportRun.state == ImportState.PUBLISHED, ImportRun.id.not_in(whole))
    return query if project_id is None else query.where(ImportRun.project_id == project_id)


def ends_of(session: Session, import_run_id: int) -> tuple[int, int]:
    """The first and the last id of an import's candidates; asked once, as it goes through all of them."""
    ends = select(func.min(Candidate.id), func.max(Candidate.id)).where(Candidate.import_run_id == import_run_id)
    first, last = session.execute(ends).one()
    return first or 0, last or 0


def index_some(session: Session, import_run_id: int, ends: tuple[int, int]) -> bool:
    """Index the next fifty candidates of a published import between its ends; True when it is whole. SQLite only."""
    state = session.get(SearchableImport, import_run_id)
    if state is None:
        state = SearchableImport(import_run_id=import_run_id, through_id=0, whole=False)
        session.add(state)
    after, (first, last) = state.through_id, ends
    # By the order of ids alone: by the index of imports each step would go through the whole import.
    ids = select(Candidate.id).where(Candidate.import_run_id + 0 == import_run_id, Candidate.id <= last)
    ids = ids.where(Candidate.id > max(after, first - 1))
    batch = session.scalars(ids.order_by(Candidate.id).limit(AT_ONCE)).all()
    if batch:
        session.execute(FILL, {"run": import_run_id, "after": batch[0] - 1, "through": batch[-1]})
        state.through_id = batch[-1]
    state.whole = len(batch) < AT_ONCE
    session.flush()
    return state.whole


def index_all(session: Session, project_id: int | None = None) -> None:
    """Index whatever is not indexed yet, in the caller's transaction."""
    for import_run_id in session.scalars(unindexed(project_id)).all() if on_sqlite(session) else ():
        ends = ends_of(session, import_run_id)
        while not index_some(session, import_run_id, ends):
            pass


def fts5(terms: Sequence[Term], *, any_of: bool = False) -> str:
    """The terms in the language of FTS5, quoted, so that none of them is an operator."""
    said = ['"{}"{}'.format(term.text.replace('"', '""'), "*" if term.prefix else "") for term in terms]
    return (" OR " if any_of else " AND ").join(said)


def prefix_query(term: Term) -> str:
    """A word in the language of to_tsquery, quoted."""
    quoted = term.text.replace("\\", "\\\\").replace("'", "''")
    return f"'{quoted}':*"
