"""Imports every room that has job handlers, which registers them and how each kind ends; and who looks at saves."""

from app.datasets import jobs as datasets
from app.datasets.publication import jobs as publications
from app.duplicates import barring
from app.duplicates import jobs as duplicates
from app.duplicates.benchmarks import jobs as benchmarks
from app.embeddings import jobs as embeddings
from app.endpoints import jobs as endpoints
from app.examples import jobs as examples
from app.home import letters
from app.runs import jobs as runs
from app.selection import jobs as selection
from app.selection.atlas import jobs as maps
from app.sources import jobs as sources
from app.suggestions import jobs as suggestions

ROOMS = (
    *(barring, datasets, examples, duplicates, benchmarks, embeddings, endpoints, letters, maps, publications),
    *(runs, selection, sources, suggestions),
)
