"""Imports every room that has job handlers, which registers them and how each kind of job ends."""

from app.duplicates import jobs as duplicates
from app.examples import jobs as examples
from app.home import letters
from app.runs import jobs as runs
from app.selection import jobs as selection
from app.sources import jobs as sources

ROOMS = (examples, duplicates, letters, runs, selection, sources)
