"""What `handpicked import` is given: paths as they are, data sets of the Hub fetched first."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

from app.cli.context import House, project_for
from app.projects.limits import require_open
from app.sources.hub import HubId, fetch, hub_id, is_hub_id, new_folder


def there(values: list[str]) -> list[str]:
    """Refuse a path at which there is nothing; an id of the Hub is taken at its word."""
    for one in values:
        if not is_hub_id(one) and not Path(one).exists():
            raise typer.BadParameter(f"there is nothing at {one}.")
    return values


@contextmanager
def brought_in(house: House, slug: str, given: Sequence[str]) -> Iterator[dict[Path, HubId | None]]:
    """The paths to import; data sets of the Hub are fetched first, and removed where their import does not begin."""
    there: dict[Path, HubId | None] = {}
    try:
        for one in given:
            path = new_folder(house.settings) if is_hub_id(one) else Path(one)
            there[path] = _fetched(house, slug, one, path) if is_hub_id(one) else None
        yield there
    except BaseException:
        for path in (path for path, hub in there.items() if hub is not None):
            shutil.rmtree(path, ignore_errors=True)
        raise


def _fetched(house: House, slug: str, typed: str, folder: Path) -> HubId:
    """Fetch a data set here and now, for somebody who may import it: it lies with the uploads from then on."""
    wanted = hub_id(typed)
    with house.writing() as (session, actor):
        require_open(project_for(session, actor, slug))
    return HubId(wanted.name, fetch(wanted, folder, house.settings))


def called(path: Path, hub: HubId | None) -> str:
    """Name an import after its file or folder, or its data set."""
    return path.absolute().name if hub is None else hub.name
