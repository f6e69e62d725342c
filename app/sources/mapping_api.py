"""Saved mappings of columns over JSON: the same operations as the command line."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints

from app.projects.access import Annotator
from app.sources import mappings, queries
from app.sources.models import ColumnMapping
from app.web.forms import Form, Storable
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1", tags=["sources"], responses=REFUSALS)


class MappingOut(BaseModel):
    """A saved mapping of columns."""

    name: str
    columns: dict[str, Any] = Field(description="What each column is; the prompt may have a list of them.")

    @classmethod
    def of(cls, row: ColumnMapping) -> "MappingOut":
        """From its row."""
        return cls(name=row.name, columns=row.columns)


class MappingList(BaseModel):
    """A project's saved mappings, by name."""

    mappings: list[MappingOut]


class MappingName(Form):
    """What a mapping is called from now on."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=mappings.LONGEST), Storable]


@router.get("/projects/{slug}/mappings")
def list_mappings(access: Annotator, session: SessionDep) -> MappingList:
    """How tables were mapped in this project."""
    rows = session.scalars(queries.mappings_of(access.project.id))
    return MappingList(mappings=[MappingOut.of(row) for row in rows])


@router.put("/projects/{slug}/mappings/{name:path}")
def rename_mapping(access: Annotator, session: SessionDep, name: str, body: MappingName) -> MappingOut:
    """Call a mapping otherwise."""
    mapping = mappings.mapping_named(session, access.project, name)
    mappings.rename_mapping(session, access.user, access.project, mapping, body.name)
    return MappingOut.of(mapping)


@router.delete("/projects/{slug}/mappings/{name:path}", status_code=204)
def delete_mapping(access: Annotator, session: SessionDep, name: str) -> None:
    """Remove a mapping; what was imported by it stays."""
    mapping = mappings.mapping_named(session, access.project, name)
    mappings.forget_mapping(session, access.user, access.project, mapping)
