"""The bundled sample as a project to try things out with."""

from sqlalchemy.orm import Session

from app import sample
from app.accounts.models import User
from app.projects import queries as projects
from app.projects.models import Project
from app.projects.operations import create_project
from app.sources.models import Into
from app.sources.operations import ImportPlan, start_import
from app.sources.rulesets import LIMA, NONE

SLUG = "demo"
LICENCE = "CC0 1.0"


def start_demo(session: Session, actor: User) -> Project:
    """The project `demo` with imports of the sample's dump and pairs under way; where it stands already, as it is."""
    standing = projects.project_by_slug(session, SLUG)
    if standing is not None:
        return standing
    project = create_project(session, actor, slug=SLUG, name="Workshop demo")
    for plan in plans():
        start_import(session, actor, project, plan)
    return project


def plans() -> tuple[ImportPlan, ...]:
    """How the sample comes in: the dump as candidates by LIMA's rules, the pairs as submitted examples."""
    dump = ImportPlan(
        path=sample.dump_folder(), name="Workshop dump", format="stackexchange", ruleset=LIMA, site=sample.SITE
    )
    pairs = ImportPlan(
        path=sample.pairs_file(),
        name="Thirty pairs",
        format="lima",
        ruleset=NONE,
        source="authors",
        licence=LICENCE,
        into=Into.SET,
    )
    return dump, pairs
