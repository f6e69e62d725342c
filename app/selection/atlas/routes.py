"""The pool's map: look, choose, decide on what was chosen, draw it."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import JSONResponse, Response

from app.examples.labels import SourceLabels, shown_title
from app.projects.access import Annotator
from app.projects.queries import composition_of
from app.selection import operations as pool
from app.selection.atlas import operations, queries
from app.selection.atlas.figures import figures_of, own_points, regions_csv
from app.selection.atlas.forms import DrawForm, MapQuery, NameForm, TitlesQuery
from app.selection.atlas.packing import packed
from app.selection.atlas.pages import map_page
from app.selection.forms import ManyForm
from app.selection.queries import candidate_in
from app.web.templating import Flash, redirect, render
from app.web.transactions import SessionDep
from app.web.words import plural

router = APIRouter(include_in_schema=False)
Wanted = Annotated[MapQuery, Query()]


@router.get("/projects/{slug}/pool/map", name="selection:map")
def see(request: Request, session: SessionDep, access: Annotator, wanted: Wanted) -> Response:
    """The map; or of it what tells how far it is, which sends on to the page once there is another map."""
    page = map_page(request, session, access, wanted)
    response = render(request, "selection/map.html", page, session=session, fragments=("map_standing",))
    another = (page.drawn.id if page.drawn else 0) != (wanted.seen or 0)
    if wanted.seen is not None and "hx-request" in request.headers and (another or page.job is None):
        response.headers["HX-Refresh"] = "true"
    return response


@router.post("/projects/{slug}/pool/map", name="selection:draw_map")
def draw(request: Request, session: SessionDep, access: Annotator, form: Annotated[DrawForm, Form()]) -> Response:
    """Have the map drawn, or what is new placed on it."""
    operations.start_mapping(session, access.user, access.project, anew=form.anew)
    return redirect(request, "selection:map", slug=access.project.slug)


@router.get("/projects/{slug}/pool/map/points", name="selection:map_points")
def points(session: SessionDep, access: Annotator) -> Response:
    """Every point for the picture, in columns (app.selection.atlas.packing)."""
    drawn = queries.map_of(session, access.project.id, whole=True)
    if drawn is None:
        return Response(b"", media_type="application/octet-stream")
    rows = session.execute(queries.seen_points(drawn.id)).all()
    labels = SourceLabels(session.scalars(composition_of(access.project)))
    body = packed(drawn, rows, own_points(session, drawn), labels, queries.given_names(session, drawn.id))
    return Response(body, media_type="application/octet-stream")


@router.get("/projects/{slug}/pool/map/titles", name="selection:map_titles")
def titles(session: SessionDep, access: Annotator, wanted: Annotated[TitlesQuery, Query()]) -> Response:
    """What some candidates ask, by number, for whoever points at them; those that are not here are left out."""
    found = queries.titles_seen(session, access.project.id, wanted.as_ids())
    return JSONResponse({str(number): shown_title(title) for number, title in found.items()})


@router.get("/projects/{slug}/pool/map/regions.csv", name="selection:map_regions")
def regions(session: SessionDep, access: Annotator) -> Response:
    """The table of regions for other programs."""
    drawn = queries.map_of(session, access.project.id, whole=True)
    words = regions_csv(figures_of(session, drawn, own_points(session, drawn))) if drawn else ""
    headers = {"content-disposition": f'attachment; filename="{access.project.slug}-regions.csv"'}
    return Response(words, media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/projects/{slug}/pool/map/regions/{number}/name", name="selection:name_region")
def name_region(
    request: Request,
    session: SessionDep,
    access: Annotator,
    number: int,
    wanted: Wanted,
    form: Annotated[NameForm, Form()],
) -> Response:
    """Call a region by a name of one's own."""
    slug, query = access.project.slug, wanted.as_query()
    try:
        called = operations.name_region(session, access.user, access.project, number, form.name)
    except operations.CalledSoAlready as refusal:
        return redirect(request, "selection:map", Flash("danger", refusal.message), slug=slug, query=query)
    back = str(request.app.url_path_for("selection:undo_region_name", slug=slug, number=number))
    flash = Flash("ok", f"Region {number} is called {called}.", undo_url=f"{back}?{query}" if query else back)
    return redirect(request, "selection:map", flash, slug=slug, query=query)


@router.post("/projects/{slug}/pool/map/regions/{number}/name/undoing", name="selection:undo_region_name")
def undo_region_name(request: Request, session: SessionDep, access: Annotator, number: int, wanted: Wanted) -> Response:
    """Call a region as it was called before."""
    called = operations.take_back_name(session, access.user, access.project, number)
    flash = Flash("ok", f"Undone: region {number} is called {called} again.")
    return redirect(request, "selection:map", flash, slug=access.project.slug, query=wanted.as_query())


@router.post("/projects/{slug}/pool/map/selected", name="selection:map_many")
def many(
    request: Request, session: SessionDep, access: Annotator, wanted: Wanted, form: Annotated[ManyForm, Form()]
) -> Response:
    """Keep, reject, use or assign all that were chosen on the map, as one act."""
    chosen = [candidate_in(session, access.project.id, one) for one in form.ids]
    query, slug = wanted.as_query(), access.project.slug
    done = pool.do_with_many(session, access.user, chosen, form.as_act())
    if not done.count:
        nothing = "Nothing was chosen" if not chosen else "All of them were so already"
        return redirect(
            request, "selection:map", Flash("ok", f"{nothing}, so nothing was changed."), slug=slug, query=query
        )
    back = str(request.app.url_path_for("selection:map_undo", slug=slug))
    words = f"{done.in_words}: {plural(done.count, 'candidate')}."
    flash = Flash("ok", words, undo_url=f"{back}?{query}" if query else back)
    return redirect(request, "selection:map", flash, slug=slug, query=query)


@router.post("/projects/{slug}/pool/map/undoing", name="selection:map_undo")
def undo(request: Request, session: SessionDep, access: Annotator, wanted: Wanted) -> Response:
    """Undo what this person did last in the pool, and stay on the map."""
    undone = pool.undo_last(session, access.user, access.project)
    flash = Flash("ok", undone.in_words)
    return redirect(request, "selection:map", flash, slug=access.project.slug, query=wanted.as_query())
