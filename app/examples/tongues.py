"""Original and translation are in different languages, and a language that is changed keeps it so."""

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.errors import Conflict
from app.examples.models import Example, ExampleState
from app.examples.sight import everything
from app.text.languages import name_of


class LinkedInThatLanguage(Conflict):
    """Example {number} is linked with this as a translation and is in {language} already; nothing was changed."""

    title = "In that language already"


def require_other(session: Session, example: Example, language: str) -> None:
    """Refuse the language of the example's original, of a translation of it, or of its original's other one here."""
    if language == example.language:
        return
    beside = and_(Example.translation_of_id == example.translation_of_id, Example.project_id == example.project_id)
    kin = or_(Example.id == example.translation_of_id, Example.translation_of_id == example.id, beside)
    alike = (Example.language == language, Example.state != ExampleState.REJECTED, Example.id != example.id)
    with everything(session):
        number = session.scalar(select(Example.id).where(kin, *alike).order_by(Example.id).limit(1))
    if number is not None:
        raise LinkedInThatLanguage(number=number, language=name_of(language))
