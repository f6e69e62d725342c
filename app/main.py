"""create_app(): one application from all rooms, which does not start with a route that declares no permission."""

import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from app import handlers
from app.accounts import api as accounts_api
from app.accounts import routes as accounts_routes
from app.accounts.access import Access, Requirement
from app.accounts.audit import record
from app.config import ROOT, Settings
from app.datasets import api as datasets_api
from app.datasets import card_api as datasets_card_api
from app.datasets import gate_api as datasets_gate_api
from app.datasets import gate_routes as datasets_gate_routes
from app.datasets import routes as datasets_routes
from app.datasets.comparison import api as datasets_compare_api
from app.datasets.comparison import routes as datasets_compare_routes
from app.datasets.publication import api as datasets_publish_api
from app.datasets.publication import routes as datasets_publish_routes
from app.datasets.splits import api as datasets_split_api
from app.datasets.splits import routes as datasets_split_routes
from app.datasets.tracing import api as datasets_trace_api
from app.datasets.tracing import routes as datasets_trace_routes
from app.db import Database
from app.duplicates import api as duplicates_api
from app.duplicates import colleague_api as duplicates_colleague_api
from app.duplicates import colleague_routes as duplicates_colleague_routes
from app.duplicates import merge_routes as duplicates_merge_routes
from app.duplicates import removed_routes as duplicates_removed_routes
from app.duplicates import routes as duplicates_routes
from app.duplicates import threshold_routes as duplicates_threshold_routes
from app.duplicates.benchmarks import api as benchmarks_api
from app.duplicates.benchmarks import routes as benchmarks_routes
from app.embeddings import api as embeddings_api
from app.embeddings import routes as embeddings_routes
from app.endpoints import api as endpoints_api
from app.endpoints import routes as endpoints_routes
from app.errors import Refusal
from app.examples import api as examples_api
from app.examples import claim_api as examples_claim_api
from app.examples import claim_routes as examples_claim_routes
from app.examples import copy_api as examples_copy_api
from app.examples import copy_routes as examples_copy_routes
from app.examples import role_api as examples_role_api
from app.examples import role_routes as examples_role_routes
from app.examples import routes as examples_routes
from app.examples import style_api as examples_style_api
from app.examples import style_routes as examples_style_routes
from app.examples import translation_routes as examples_translation_routes
from app.home import api as home_api
from app.home import inbox_api as home_inbox_api
from app.home import inbox_routes as home_inbox_routes
from app.home import people_routes as home_people_routes
from app.home import routes
from app.home.frame import build_frame
from app.jobs import api as jobs_api
from app.jobs import routes as jobs_routes
from app.projects import api as projects_api
from app.projects import people_routes as projects_people_routes
from app.projects import role_routes as projects_role_routes
from app.projects import routes as projects_routes
from app.reviews import api as reviews_api
from app.reviews import comment_api as reviews_comment_api
from app.reviews import comment_routes as reviews_comment_routes
from app.reviews import routes as reviews_routes
from app.runs import api as runs_api
from app.runs import routes as runs_routes
from app.runs import seen_api as runs_seen_api
from app.runs import seen_routes as runs_seen_routes
from app.runs import tokenizer_api as runs_tokenizer_api
from app.runs import tokenizer_routes as runs_tokenizer_routes
from app.selection import api as selection_api
from app.selection import routes as selection_routes
from app.selection.adding import api as selection_next_api
from app.selection.adding import routes as selection_next_routes
from app.selection.atlas import api as selection_map_api
from app.selection.atlas import routes as selection_map_routes
from app.selection.sampling import api as selection_sampling_api
from app.selection.sampling import routes as selection_sampling_routes
from app.sources import api as sources_api
from app.sources import known_routes, mapping_api, mapping_routes, setup_routes, unpack_routes
from app.sources import routes as sources_routes
from app.sources import transfer_routes as sources_transfer_routes
from app.suggestions import api as suggestions_api
from app.suggestions import routes as suggestions_routes
from app.web import failures
from app.web.addresses import Addressed
from app.web.cookies import keep_flash
from app.web.security import AllowedHosts, OriginCheck, SecurityHeaders

# The framework looks through the routes one after the other: the desk, which is saved each second, stands first.
PAGES = (
    examples_copy_routes,
    examples_claim_routes,
    examples_role_routes,
    examples_translation_routes,
    examples_routes,
    examples_style_routes,
    accounts_routes,
    datasets_compare_routes,
    datasets_gate_routes,
    datasets_publish_routes,
    datasets_routes,
    datasets_split_routes,
    datasets_trace_routes,
    benchmarks_routes,
    duplicates_colleague_routes,
    duplicates_merge_routes,
    duplicates_removed_routes,
    duplicates_threshold_routes,
    duplicates_routes,
    embeddings_routes,
    endpoints_routes,
    home_inbox_routes,
    home_people_routes,
    jobs_routes,
    projects_people_routes,
    projects_role_routes,
    projects_routes,
    reviews_comment_routes,
    reviews_routes,
    runs_routes,
    runs_seen_routes,
    runs_tokenizer_routes,
    selection_next_routes,
    # These two before the pool's, which takes any word there for a candidate's number.
    selection_map_routes,
    selection_sampling_routes,
    selection_routes,
    sources_routes,
    sources_transfer_routes,
    known_routes,
    mapping_routes,
    setup_routes,
    suggestions_routes,
    unpack_routes,
)
APIS = (
    accounts_api,
    datasets_api,
    datasets_split_api,
    datasets_card_api,
    datasets_compare_api,
    datasets_gate_api,
    datasets_publish_api,
    datasets_trace_api,
    benchmarks_api,
    duplicates_colleague_api,
    duplicates_api,
    embeddings_api,
    endpoints_api,
    examples_claim_api,
    examples_role_api,
    examples_api,
    examples_copy_api,
    examples_style_api,
    home_api,
    home_inbox_api,
    jobs_api,
    projects_api,
    reviews_api,
    reviews_comment_api,
    runs_api,
    runs_seen_api,
    runs_tokenizer_api,
    selection_next_api,
    selection_map_api,
    selection_api,
    selection_sampling_api,
    sources_api,
    suggestions_api,
    mapping_api,
)


# Importing them registers how each kind of job ends, so that a job cancelled here is told to the row it works for.
ROOMS = handlers.ROOMS


class UnguardedRoute(RuntimeError):
    """A route declares no permission, so the application does not start."""


def create_app(settings: Settings | None = None, database: Database | None = None) -> FastAPI:
    """The application over a migrated database."""
    settings = settings or Settings()
    app = Addressed(
        title="Handpicked", version="1", docs_url=None, redoc_url=None, openapi_url=None, lifespan=_lifespan
    )
    app.state.settings = settings
    app.state.database = database or Database(settings)
    app.state.build_frame = build_frame
    app.state.keep_flash = keep_flash
    app.state.note_refusal = note_refusal
    failures.install(app)
    _add_routes(app)
    app.add_middleware(OriginCheck)
    app.add_middleware(AllowedHosts, settings=settings)
    app.add_middleware(SecurityHeaders)
    require_guards(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    # SQLite writes one at a time: more threads only lengthen the queue for its lock (docs/decisions).
    anyio.to_thread.current_default_thread_limiter().total_tokens = app.state.settings.web_threads
    # What is loaded by now stays for good: the collector need not look through it again, which took 0.1 s of a request.
    gc.collect()
    gc.freeze()
    yield
    app.state.database.dispose()


def _add_routes(app: FastAPI) -> None:
    # Flat on purpose: the finished routes themselves, so that require_guards sees each one as it will be served.
    for room in (routes, *PAGES, *APIS):
        app.router.routes.extend(room.router.routes)
    for route in _walk(app.routes):
        # In the description of the API a route is called by its docstring's first sentence, not by its function.
        route.summary = route.description.partition("\n")[0].rstrip(".") or route.summary
    app.mount("/static", StaticFiles(directory=ROOT / "static"), name="static")


def guarded_routes(app: FastAPI) -> Iterator[tuple[APIRoute, Requirement | None]]:
    """Every route with the one requirement it declares."""
    for route in _walk(app.routes):
        found = [call for call in _calls(route.dependant) if isinstance(call, Requirement)]
        yield route, found[0] if len(found) == 1 else None


def _walk(found: list[BaseRoute]) -> Iterator[APIRoute]:
    for route in found:
        if isinstance(route, APIRoute):
            yield route
        elif not isinstance(route, Mount):
            raise UnguardedRoute(f"{route!r} is neither a guarded route nor the static files")


def _calls(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for inner in dependant.dependencies:
        yield from _calls(inner)


def require_guards(app: FastAPI) -> None:
    """Deny by default: refuse to start with a route that declares no permission, or two."""
    for route, requirement in guarded_routes(app):
        if requirement is None:
            raise UnguardedRoute(f"{route.methods} {route.path} must declare exactly one Requirement")


def note_refusal(request: Request, error: Refusal) -> None:
    """Write into the trail who was refused what; reading a page while signed out is no event."""
    access: Access | None = getattr(request.state, "access", None)
    if access is None and request.method in {"GET", "HEAD"}:
        return
    database: Database = request.app.state.database
    with database.writing() as session:
        actor = access.user if access else None
        subject = f"{request.method} {request.url.path}"
        record(session, actor, "was refused", subject, status=error.status, words=error.message[:200])
