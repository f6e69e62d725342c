"""Addresses by name, found in a table: a page names a hundred, and the framework looks through all routes for each."""

from typing import Any

from fastapi import FastAPI
from starlette.datastructures import URLPath
from starlette.routing import BaseRoute, NoMatchFound


class Addressed(FastAPI):
    """An application that knows its routes by name."""

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """The path of the route of that name that takes these parameters; NoMatchFound where there is none."""
        for route in self._named().get(name, ()):
            try:
                return route.url_path_for(name, **path_params)
            except NoMatchFound:
                continue
        return super().url_path_for(name, **path_params)

    def _named(self) -> dict[str, list[BaseRoute]]:
        # Routes are added while the application is built: the table is of so many.
        known: tuple[int, dict[str, list[BaseRoute]]] = getattr(self.state, "routes_by_name", (0, {}))
        if known[0] != len(self.router.routes):
            table: dict[str, list[BaseRoute]] = {}
            for route in self.router.routes:
                table.setdefault(getattr(route, "name", ""), []).append(route)
            known = self.state.routes_by_name = (len(self.router.routes), table)
        return known[1]
