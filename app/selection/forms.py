"""What people send to the pool: a filter in the address, a reason to reject."""

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from pydantic import BeforeValidator, Field, StringConstraints

from app.projects.models import Split
from app.selection.areas import LASSO
from app.selection.operations import Act
from app.selection.queries import By, Order, PoolFilter, TitleJudged
from app.sources.models import CandidateStatus
from app.web.forms import Form, MaybeAddress, Text

Short = Annotated[Text, StringConstraints(strip_whitespace=True, max_length=200)]


def _nothing(value: Any) -> Any:
    """What a list of a form sends for its first line, which narrows nothing."""
    return None if value == "" else value


MaybeWhole = Annotated[int | None, BeforeValidator(_nothing)]
RegionNumber = Annotated[
    Annotated[int, Field(ge=1, le=99)] | None,
    BeforeValidator(_nothing),
    Field(description="A region of the pool's map, by number."),
]
Lasso = Annotated[
    str,
    StringConstraints(pattern=LASSO),
    Field(description="Corners of a line on the map, x.y-x.y-x.y, from 0 to 65535."),
]


# So many to be like, and so many to be unlike; the latest count.
MOST_LIKE = 10
Numbers = Annotated[list[Annotated[int, Field(ge=1, le=2**53)]], Field(max_length=MOST_LIKE)]
SEARCH = {"words", "by", "like", "unlike", "page"}
FOLDED = {"site", "category", "licence", "language", "flag", "import_id", "title", "code", "order"}


class PoolQuery(Form):
    """Filter, order and page; an unknown field is refused, so that no filter walks where it should not."""

    status: Literal["open", "kept", "rejected", "used", "all"] = "open"
    source: Short = ""
    site: Short = ""
    licence: Short = ""
    split: Literal["", "train", "dev", "test"] = ""
    words: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=500)] = ""
    language: Short = ""
    flag: Short = ""
    category: Short = ""
    import_id: MaybeWhole = Field(None, ge=1, le=2**53)
    score: MaybeWhole = Field(None, ge=-(2**31), le=2**31, description="The least score.")
    title: Literal["", "yes", "no", "unseen"] = ""
    code: Literal["", "yes", "no"] = ""
    length: Annotated[str, StringConstraints(pattern=r"^(\d{1,9}-\d{0,9})?$")] = Field(
        "", description="Characters of the last message, such as 1200-4096, or 4097- without an end."
    )
    region: RegionNumber = None
    lasso: Lasso = ""
    order: Order = Order.BEST
    by: By = By.BOTH
    like: Numbers = Field([], description="Candidates that the best are near to, by number.")
    unlike: Numbers = Field([], description="Candidates that the best are far from, by number.")
    page: int = Field(1, ge=1, le=10_000_000)

    def as_filter(self) -> PoolFilter:
        """The same for the query."""
        return PoolFilter(
            status=None if self.status == "all" else CandidateStatus(self.status),
            source=self.source,
            site=self.site,
            licence=self.licence,
            split=Split(self.split) if self.split else None,
            words=self.words,
            language=self.language,
            flag=self.flag,
            category=self.category,
            import_run_id=self.import_id,
            least_score=self.score,
            title=TitleJudged(self.title) if self.title else None,
            code=self.code == "yes" if self.code else None,
            shortest=int(self.length.partition("-")[0]) if self.length else None,
            longest=int(end) if (end := self.length.partition("-")[2]) else None,
            region=self.region,
            lasso=self.lasso,
            order=self.order,
            by=self.by,
            like=tuple(self.like),
            unlike=tuple(self.unlike),
        )

    def as_query(self, *, without_page: bool = False) -> str:
        """The same for an address; what is as usual is left out."""
        left_out = {"page"} if without_page else set()
        return urlencode(self.model_dump(mode="json", exclude_defaults=True, exclude=left_out), doseq=True)

    def leaning(self, candidate_id: int, towards: Literal["like", "unlike", "neither"]) -> str:
        """The same for an address, from its first page, with more or less like this candidate, or neither any more."""
        kinds = {kind: [one for one in getattr(self, kind) if one != candidate_id] for kind in ("like", "unlike")}
        if towards != "neither":
            kinds[towards] = [*kinds[towards], candidate_id][-MOST_LIKE:]
        return self.model_copy(update=kinds).as_query(without_page=True)

    @property
    def filters(self) -> int:
        """How many of the fields beside the search say something unusual."""
        return len(self.model_dump(exclude=SEARCH, exclude_defaults=True))

    @property
    def further(self) -> int:
        """How many of those that the page folds away say something unusual."""
        return len(self.model_dump(include=FOLDED, exclude_defaults=True))

    @property
    def narrows(self) -> bool:
        """Whether anything but the usual is asked for."""
        return bool(self.model_dump(exclude={"page", "order", "by"}, exclude_defaults=True))


class CandidatesQuery(PoolQuery):
    """The same from a program, which says itself when it searches by more than words."""

    by: By = By.WORDS


class RejectForm(Form):
    """Why a candidate is set aside."""

    reason: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=300)] = ""


class JudgeForm(Form):
    """Whether the title stands alone; neither takes back what was said."""

    alone: Literal["yes", "no", "neither"]

    @property
    def value(self) -> bool | None:
        """The same for the candidate."""
        return {"yes": True, "no": False, "neither": None}[self.alone]


class ManyForm(Form):
    """Which candidates, and what to do with all of them: a reason to reject, to whom to assign, with which word."""

    ids: Annotated[list[Annotated[int, Field(ge=1, le=2**53)]], Field(max_length=1000)] = Field([])
    act: Literal["keep", "reject", "use", "assign"]
    reason: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=300)] = ""
    to: MaybeAddress = Field("", description="The e-mail address of the member to assign them to.")
    person: MaybeWhole = Field(None, ge=1, le=2**53, description="The same by number.")
    words: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=1000)] = ""

    def as_act(self) -> Act:
        """The same for the operation."""
        return Act(self.act, self.reason, self.to or self.person, self.words)
