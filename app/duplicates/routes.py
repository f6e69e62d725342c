"""Duplicates: the inbox, one pair, what was decided, and looking for more."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from app.duplicates import operations, queries
from app.duplicates.forms import ClusterForm, DecisionForm, ScanForm
from app.duplicates.gathering import cluster_with, clusters_of, next_after
from app.duplicates.models import DuplicatePair, Verdict
from app.duplicates.pages import example_pairs_page, inbox_page
from app.duplicates.scan_pages import ScanFields, scans_page
from app.duplicates.settling import settle_cluster
from app.examples.queries import example_in
from app.projects.access import Annotator
from app.web.forms import Posted, posted
from app.web.found import found
from app.web.paging import PageNumber
from app.web.templating import Flash, leave, redirect, render
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)

LIST = ("pairs_known",)
DONE_WORDS = {
    Verdict.KEEP_LEFT: "Kept left; right is rejected.",
    Verdict.KEEP_RIGHT: "Kept right; left is rejected.",
    Verdict.KEEP_BOTH: "Kept both.",
}
PercentQuery = Annotated[int | None, Query(ge=0, le=100, alias="t")]


@router.get("/projects/{slug}/duplicates", name="duplicates:inbox")
def inbox(
    request: Request,
    access: Annotator,
    session: SessionDep,
    show: Literal["open", "settled"] = "open",
    at: PercentQuery = None,
    page: PageNumber = 1,
) -> Response:
    """Pairs to settle, leaks first, with the first one open; or those that are settled."""
    view = inbox_page(session, access, show=show, at=at, number=page)
    return render(request, "duplicates/inbox.html", view, session=session, fragments=LIST)


@router.get("/projects/{slug}/duplicates/scans", name="duplicates:scans")
def scans(request: Request, access: Annotator, session: SessionDep, page: PageNumber = 1) -> Response:
    """Every look for duplicates, and the form of a new one."""
    return render(request, "duplicates/scans.html", scans_page(session, access, page), session=session)


@router.post("/projects/{slug}/duplicates/scans", name="duplicates:start")
def start(
    request: Request,
    access: Annotator,
    session: SessionDep,
    form: Annotated[Posted[ScanForm], Depends(posted(ScanForm))],
) -> Response:
    """Look for duplicates, or show the form again."""
    if form.errors:
        view = scans_page(session, access, 1, ScanFields(form.typed, form.errors))
        return render(request, "duplicates/scans.html", view, session=session, status=422)
    wanted = form.value
    operations.start_scan(
        session, access.user, access.project, methods=wanted.methods, on=wanted.on, threshold=wanted.threshold,
        wording=wanted.wording,
    )  # fmt: skip
    return redirect(request, "duplicates:inbox", slug=access.project.slug)


@router.get("/projects/{slug}/duplicates/{pair_id}", name="duplicates:pair")
def pair(request: Request, access: Annotator, session: SessionDep, pair_id: int, at: PercentQuery = None) -> Response:
    """One pair side by side, in its list."""
    chosen = found(session, queries.pair_in(access.project.id, pair_id))
    view = inbox_page(session, access, chosen=chosen, at=at)
    return render(request, "duplicates/inbox.html", view, session=session, fragments=LIST)


@router.post("/projects/{slug}/duplicates/{pair_id}/decision", name="duplicates:decide")
def decide(
    request: Request, access: Annotator, session: SessionDep, pair_id: int, form: Annotated[DecisionForm, Form()]
) -> Response:
    """Settle a pair and go on with the next."""
    chosen = found(session, queries.pair_in(access.project.id, pair_id))
    decided = operations.decide(session, access.user, access.project, chosen, form.verdict, form.reason)
    return go_on(request, access, session, decided, DONE_WORDS[decided.verdict], form.t)


@router.post("/projects/{slug}/duplicates/{pair_id}/cluster", name="duplicates:settle")
def settle(
    request: Request, access: Annotator, session: SessionDep, pair_id: int, form: Annotated[ClusterForm, Form()]
) -> Response:
    """Settle the whole cluster of a pair and go on with the next."""
    chosen = found(session, queries.pair_in(access.project.id, pair_id))
    cluster = cluster_with(clusters_of(session, access.project.id, form.t / 100), chosen)
    keep = form.keep or None
    leader = settle_cluster(session, access.user, access.project, cluster, keep, form.reason, seen=form.seen)
    count = len(cluster.members)
    words = f"Kept one of {count}; the other {count - 1} are rejected." if keep else f"Kept all {count}."
    return go_on(request, access, session, leader, words, form.t)


def go_on(
    request: Request, access: Annotator, session: SessionDep, decided: DuplicatePair, words: str, percent: int
) -> Response:
    """To the next pair of the same texts, else of the next cluster; with the undo of what was decided."""
    slug = access.project.slug
    undo_url = str(request.app.url_path_for("duplicates:undo", slug=slug, pair_id=decided.id))
    flash = Flash("ok", words, undo_url=undo_url)
    session.flush()
    following = next_after(
        clusters_of(session, access.project.id, percent / 100),
        (decided.left_key, decided.right_key),
        (not decided.leak, -decided.score, decided.id),
    )
    query = f"t={percent}" if percent else None
    if following is None:
        return leave(request, "duplicates:inbox", flash, slug=slug)
    return leave(request, "duplicates:pair", flash, slug=slug, pair_id=following.id, query=query)


@router.post("/projects/{slug}/duplicates/{pair_id}/reversal", name="duplicates:undo")
def undo(request: Request, access: Annotator, session: SessionDep, pair_id: int) -> Response:
    """Open a pair again, with everything as it was before the decision."""
    chosen = found(session, queries.pair_in(access.project.id, pair_id))
    operations.undo(session, access.user, access.project, chosen)
    flash = Flash("ok", "Undone: this pair is open again.")
    return redirect(request, "duplicates:pair", flash, slug=access.project.slug, pair_id=pair_id)


@router.get("/projects/{slug}/examples/{example_id}/duplicates", name="duplicates:panel")
def panel(request: Request, access: Annotator, session: SessionDep, example_id: int) -> Response:
    """The pairs that an example is in: a fragment of its page, or a page."""
    example = example_in(session, access.project.id, example_id)
    view = example_pairs_page(session, access, example.id)
    return render(request, "duplicates/panel.html", view, session=session, fragments=("duplicates_panel",))
