"""The index of the pool's words: FTS5 on SQLite, an expression index on PostgreSQL; how to ask it, how to fill it."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, and_, column, exists, func, literal_column, or_, select, table, text
from sqlalchemy.orm import Session

from app.selection.models import SearchableImport
from app.selection.search import Term, Wanted, fts5, prefix_query
from app.sources.models import Candidate, ImportRun, ImportState

AT_ONCE = 1000
INDEX = table("candidate_words", column("rowid"), column("candidate_words"))
FILL = text(
    "INSERT INTO candidate_words (rowid, title, words) SELECT id, title, "
    "(SELECT group_concat(json_extract(value, '$.content'), char(10)) FROM json_each(messages)) FROM candidate "
    "WHERE import_run_id = :run AND id > :after AND id <= :through "
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


def index_some(session: Session, import_run_id: int) -> bool:
    """Index the next thousand candidates of a published import; True when it is whole. SQLite only."""
    state = session.get(SearchableImport, import_run_id)
    if state is None:
        state = SearchableImport(import_run_id=import_run_id, through_id=0, whole=False)
        session.add(state)
    ids = select(Candidate.id).where(Candidate.import_run_id == import_run_id, Candidate.id > state.through_id)
    batch = session.scalars(ids.order_by(Candidate.id).limit(AT_ONCE)).all()
    if batch:
        session.execute(FILL, {"run": import_run_id, "after": state.through_id, "through": batch[-1]})
        state.through_id = batch[-1]
    state.whole = len(batch) < AT_ONCE
    session.flush()
    return state.whole


def index_all(session: Session, project_id: int | None = None) -> None:
    """Index whatever is not indexed yet, in the caller's transaction."""
    for import_run_id in session.scalars(unindexed(project_id)).all() if on_sqlite(session) else ():
        while not index_some(session, import_run_id):
            pass
