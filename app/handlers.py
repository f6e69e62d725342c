"""Imports every room that has job handlers, which registers them; the web process needs none of them."""

from app.duplicates import jobs as duplicates
from app.examples import jobs as examples
from app.runs import jobs as runs
from app.sources import jobs as sources

ROOMS = (examples, duplicates, runs, sources)
