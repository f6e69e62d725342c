"""Imports every models.py, so that the metadata is whole for migrations and mappers."""

from app.accounts import models as accounts
from app.datasets import gate_models as gates
from app.datasets import models as datasets
from app.datasets.publication import models as publications
from app.db import Base
from app.duplicates import models as duplicates
from app.duplicates.benchmarks import models as benchmarks
from app.embeddings import models as embeddings
from app.endpoints import models as endpoints
from app.examples import models as examples
from app.jobs import models as jobs
from app.projects import models as projects
from app.reviews import models as reviews
from app.runs import models as runs
from app.selection import map_models as maps
from app.selection import models as selection
from app.selection.adding import models as adding
from app.selection.sampling import models as sampling
from app.sources import models as sources
from app.suggestions import models as suggestions

metadata = Base.metadata
ROOMS = (
    *(accounts, adding, benchmarks, datasets, duplicates, embeddings, endpoints, examples, gates, jobs, maps),
    *(projects, publications, reviews, runs, sampling, selection, sources, suggestions),
)
