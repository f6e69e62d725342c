"""How a map comes to be, in a worker: at once by principal components, then by UMAP; later ones are placed in it.

Guarantee: people see a whole map or none; what a stopped worker left behind is taken away by the next.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from app.db import now
from app.embeddings.choosing import model_of
from app.embeddings.encoder import Encoder
from app.embeddings.operations import encoder_for, vectors_for
from app.embeddings.pool_rows import pool_rows
from app.embeddings.vectors import STORED, Vectors
from app.jobs.running import JobContext, Step
from app.projects.models import Split
from app.selection.atlas import clustering, grid, layout, naming, operations, queries
from app.selection.atlas.neighbours import highest_cosines
from app.selection.atlas.queries import OWN, Points, Whole
from app.selection.map_models import Method, PoolMap
from app.text.dialogue import prompt_of

SEED = 7


@dataclass(frozen=True)
class Material:
    """What is drawn: the pool's vectors by candidate, and the set's examples with theirs."""

    ids: Whole
    rows: Vectors
    own_ids: list[int]
    own_candidates: list[int | None]
    own_rows: Vectors
    # Which of the examples count as near: a test prompt covers nothing that is trained on.
    covering: npt.NDArray[np.bool_]
    through: int


@dataclass(frozen=True)
class Regions:
    """The pool divided: a centre and a name each, and to which one each row belongs, counted from 0."""

    centres: Vectors
    held: clustering.Regions
    names: list[str]


def draw_map(context: JobContext, project_id: int, *, anew: bool) -> None:
    """Draw the project's map, or place what is new on the one that is there."""
    with context.reading() as session:
        model = model_of(session, context.settings, project_id)
    encoder = encoder_for(model)
    context.progress(0, 0, "candidates", "reading their vectors")
    _forget(context, project_id)
    with context.reading() as session:
        current = queries.map_of(session, project_id, whole=True)
    if current is not None and current.model != encoder.key and not anew:
        _leave(context, current)
        return
    material = _material(context, encoder, project_id)
    kept = current is not None and not anew
    # A map by principal components alone is one whose worker was stopped, unless there are too few for another.
    if current is not None and kept and (current.method is Method.UMAP or len(material.ids) < layout.FEWEST):
        _follow(context, current, material)
    elif len(material.ids):
        _lay_out(context, project_id, encoder.key, material, at_once=current is None)
    _forget(context, project_id)


def _leave(context: JobContext, drawn: PoolMap) -> None:
    """A map of another model's vectors has no place for these; it stays as it is until somebody has it drawn anew."""
    with context.writing() as session:
        held = session.get(PoolMap, drawn.id)
        if held is not None:
            held.followed_at = now()
            held.through = queries.last_text_of(session, drawn.project_id, drawn.model)


def _material(context: JobContext, encoder: Encoder, project_id: int) -> Material:
    with context.reading() as session:
        ids, rows = pool_rows(context.database, project_id, encoder.key, encoder.dimensions).follow(session)
        through = queries.last_text_of(session, project_id, encoder.key)
        own = session.execute(queries.examples_with_words(project_id)).all()
    vectors = vectors_for(context, encoder, [prompt_of(row.messages) for row in own])
    covering = [row.split is not Split.TEST for row in own]
    return Material(
        ids, rows, [row.id for row in own], [row.candidate_id for row in own], vectors,
        np.array(covering, dtype=bool), through,
    )  # fmt: skip


def _near(context: JobContext, material: Material) -> Whole:
    """How near the nearest example is to each candidate, in hundredths; a negative cosine is 0."""
    cosines = highest_cosines(material.rows, material.own_rows[material.covering], context.go_on)
    # What is .60 but for a rounding of the float is .60.
    return np.floor(np.clip(cosines, 0, 1).astype(np.float64) * 100 + 1e-4).astype(np.int64)


def _lay_out(context: JobContext, project_id: int, model: str, material: Material, *, at_once: bool) -> None:
    total = len(material.ids)
    context.progress(0, total, "candidates", "dividing them into regions")
    chosen = layout.landmarks(total, SEED)
    regions = _divided(context, project_id, material, chosen)
    near = _near(context, material)
    first = layout.upright(layout.principal(material.rows))
    few = total < layout.FEWEST
    if at_once or few:
        _publish(context, project_id, (model, Method.PCA), material, regions, near, first)
    if few:
        return
    context.progress(0, total, "candidates", "laying out neighbours")
    places = np.empty((total, 2), dtype=np.float32)
    places[chosen] = layout.neighbourly(material.rows[chosen], first[chosen], SEED, context.go_on)
    rest = np.setdiff1d(np.arange(total), chosen)
    if len(rest):
        context.progress(len(chosen), total, "candidates", "placing the others among them")
        places[rest] = layout.placed(material.rows[rest], material.rows[chosen], places[chosen], SEED, context.go_on)
    _publish(context, project_id, (model, Method.UMAP), material, regions, near, layout.evened(layout.upright(places)))


def _divided(context: JobContext, project_id: int, material: Material, chosen: Whole) -> Regions:
    count = clustering.how_many(len(material.ids))
    centres = clustering.divided(material.rows[chosen], count, SEED, context.go_on)
    centres, held = clustering.by_size(centres, clustering.belonging(material.rows, centres)[0])
    region_of = dict(zip(material.ids.tolist(), held.tolist(), strict=True))
    with context.reading() as session:
        rows = queries.in_parts(session, queries.titles(project_id))
        titles = ((row.title, region_of[row.id]) for row in rows if row.id in region_of)
        names = naming.names(titles, len(centres))
    return Regions(centres, held, names)


def _publish(
    context: JobContext, project_id: int, kind: tuple[str, Method], material: Material, regions: Regions,
    near: Whole, places: layout.Places,
) -> None:  # fmt: skip
    """Write a map down, unseen, and show it in the place of any other at last."""
    frame = layout.frame_of(places)
    cells = grid.on_grid(places, frame)
    order = np.argsort(material.ids, kind="stable")
    points = np.column_stack([material.ids, cells, regions.held + 1, near])[order]
    own = _own(material, regions.centres, points, frame)
    stands = [grid.standing(cells[regions.held == number]) for number in range(len(regions.names))]
    model, method = kind
    drawn = PoolMap(
        project_id=project_id, model=model, method=method, seed=SEED, followed_at=now(), through=material.through,
        frame=list(frame), centres=regions.centres.astype(STORED).tobytes(), own=own.tobytes(),
        regions=[{"name": name, "x": x, "y": y} for name, (x, y) in zip(regions.names, stands, strict=True)],
    )  # fmt: skip
    with context.writing() as session:
        session.add(drawn)
        session.flush()
        map_id = drawn.id
    context.in_turns(_adding(map_id, points))
    with context.writing() as session:
        operations.show_map(session, map_id, project_id)


def _adding(map_id: int, points: npt.NDArray[np.int64]) -> Iterator[Step]:
    for start in range(0, len(points), operations.POINTS_AT_ONCE):
        part = points[start : start + operations.POINTS_AT_ONCE].tolist()
        yield lambda session, part=part: operations.add_points(session, map_id, part)  # type: ignore[misc]


def _own(material: Material, centres: Vectors, points: npt.NDArray[np.int64], frame: grid.Frame) -> Any:
    """Where each example lies: where its candidate does, else among the candidates as one of them would."""
    found = np.zeros(len(material.own_ids), dtype=OWN)
    found["id"] = material.own_ids
    by_id = points[:, 0]
    at = np.searchsorted(by_id, [one or 0 for one in material.own_candidates])
    at = np.minimum(at, len(points) - 1)
    there = by_id[at] == np.array([one or 0 for one in material.own_candidates], dtype=np.int64)
    for place, name in enumerate(("x", "y", "region"), 1):
        found[name][there] = points[at[there], place]
    worded = np.flatnonzero(~there & material.own_rows.any(axis=1))
    if len(worded):
        among = layout.landmarks(len(points), SEED)
        rows = material.rows[np.argsort(material.ids, kind="stable")[among]]
        places = grid.off_grid(points[among, 1:3], frame)
        placed = layout.placed(material.own_rows[worded], rows, places, SEED, lambda: None)
        cells = grid.on_grid(placed, frame)
        found["x"][worded], found["y"][worded] = cells[:, 0], cells[:, 1]
        found["region"][worded] = clustering.belonging(material.own_rows[worded], centres)[0] + 1
    return found[there | material.own_rows.any(axis=1)]


def _follow(context: JobContext, drawn: PoolMap, material: Material) -> None:
    """Place what is new; what has a place keeps it. How near the set is, is told anew for all."""
    centres = np.frombuffer(drawn.centres, dtype=STORED).reshape(len(drawn.regions), -1).astype(np.float32)
    with context.reading() as session:
        there = queries.points_of(session, drawn.id)
    near = _near(context, material)
    added = _added(context, drawn, there, material, centres, near)
    context.in_turns(_adding(drawn.id, added))
    context.in_turns(_changing(drawn.id, there, material.ids, near))
    all_points = np.column_stack([there.ids, there.x, there.y, there.region, there.near])
    points = np.concatenate([all_points, added])
    points = points[np.isin(points[:, 0], material.ids)]
    own = _own(material, centres, points[np.argsort(points[:, 0], kind="stable")], drawn.frame)
    with context.writing() as session:
        held = session.get(PoolMap, drawn.id)
        if held is not None:
            held.own, held.followed_at, held.through = own.tobytes(), now(), material.through


def _added(
    context: JobContext, drawn: PoolMap, there: Points, material: Material, centres: Vectors, near: Whole
) -> npt.NDArray[np.int64]:
    order = np.argsort(material.ids, kind="stable")
    known = order[np.isin(material.ids[order], there.ids)]
    new = np.flatnonzero(~np.isin(material.ids, there.ids))
    if not len(new) or not len(known):
        return np.empty((0, 5), dtype=np.int64)
    context.progress(0, len(new), "candidates", "placing what is new")
    at = np.searchsorted(there.ids, material.ids[known])
    among = layout.landmarks(len(known), SEED)
    places = grid.off_grid(np.column_stack([there.x, there.y])[at[among]], drawn.frame)
    placed = layout.placed(material.rows[new], material.rows[known[among]], places, SEED, context.go_on)
    held = clustering.belonging(material.rows[new], centres)[0]
    return np.column_stack([material.ids[new], grid.on_grid(placed, drawn.frame), held + 1, near[new]])


def _changing(map_id: int, there: Points, ids: Whole, near: Whole) -> Iterator[Step]:
    """Of what had a place before: whose nearest example is another by now."""
    order = np.argsort(ids, kind="stable")
    at = np.searchsorted(ids[order], there.ids)
    at = np.minimum(at, len(ids) - 1) if len(ids) else at
    now_near = near[order][at] if len(ids) else there.near
    changed = np.flatnonzero((now_near != there.near) & np.isin(there.ids, ids))
    for start in range(0, len(changed), operations.POINTS_AT_ONCE):
        part = changed[start : start + operations.POINTS_AT_ONCE]
        rows = list(zip(there.ids[part].tolist(), now_near[part].tolist(), strict=True))
        yield lambda session, rows=rows: operations.change_nearness(session, map_id, rows)  # type: ignore[misc]


def _forget(context: JobContext, project_id: int) -> None:
    """Maps that nobody sees go, in steps."""
    context.in_turns(_forgetting(project_id))


def _forgetting(project_id: int) -> Iterator[Step]:
    more = True

    def forget(session: Session) -> None:
        nonlocal more
        more = operations.forget_some(session, project_id)

    while more:
        yield forget
