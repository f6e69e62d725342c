"""Addresses by name: the same as the framework gives, for every route, and for those that come later."""

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import NoMatchFound

from app.main import create_app


def test_every_route_has_the_address_that_the_framework_gives_it(app):
    named = [route for route in app.routes if isinstance(route, APIRoute)]
    assert len(named) > 100
    for route in named:
        values = dict.fromkeys(route.param_convertors, 1)
        assert app.url_path_for(route.name, **values) == FastAPI.url_path_for(app, route.name, **values)
    assert app.url_path_for("static", path="app.css") == "/static/app.css"


def test_names_and_parameters_that_fit_nothing_are_refused_and_a_later_route_is_known(settings, database):
    app = create_app(settings, database)
    for name, values in (("examples:nowhere", {}), ("examples:index", {}), ("examples:index", {"slug": "a", "x": 1})):
        with pytest.raises(NoMatchFound):
            app.url_path_for(name, **values)
    app.get("/later", name="later")(lambda: None)
    assert app.url_path_for("later") == "/later"
