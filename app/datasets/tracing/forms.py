"""Which rows of a version somebody asks for, as the address says it."""

from typing import Annotated, Literal
from urllib.parse import urlencode

from pydantic import Field, StringConstraints

from app.datasets.tracing.tracing import RowFilter
from app.projects.models import Split
from app.web.forms import Form, Text


class RowsQuery(Form):
    """Filter and page of a version's rows; an unknown field is refused. Of the words so many count as `parse` takes."""

    words: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=1000)] = Field(
        "", description="Words, “a phrase”, -not; or sha256: and the beginning of a row's hash."
    )
    split: Literal["", "train", "dev", "test"] = ""
    source: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=64)] = ""
    licence: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=80)] = ""
    import_id: Annotated[str, StringConstraints(pattern=r"^(?:[1-9][0-9]{0,17})?$")] = Field(
        "", description="The number of an import: rows that it brought."
    )
    page: int = Field(1, ge=1, le=10_000_000)

    @property
    def as_filter(self) -> RowFilter:
        """The same for the query."""
        return RowFilter(
            words=self.words,
            split=Split(self.split) if self.split else None,
            source=self.source,
            licence=self.licence,
            import_run_id=int(self.import_id) if self.import_id else None,
        )

    @property
    def narrows(self) -> bool:
        """Whether anything but the split is asked for: that has tabs of its own."""
        return bool(self.words or self.source or self.licence or self.import_id)

    def as_query(self, **other: str) -> str:
        """The filter for an address, without the page; `other` fields instead of one's own."""
        named = {name: str(getattr(self, name)) for name in ("words", "split", "source", "licence", "import_id")}
        return urlencode({name: value for name, value in (named | other).items() if value})
