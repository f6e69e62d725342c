"""A candidate as one JSON document, the same for the API and the command line."""

from typing import Any

from app.selection.search.finding import Page
from app.sources.models import Candidate


def candidate_document(candidate: Candidate) -> dict[str, Any]:
    """A candidate with its provenance."""
    return {
        "id": candidate.id,
        "site": candidate.site,
        "external_id": candidate.external_id,
        "title": candidate.title,
        "messages": candidate.messages,
        "source": candidate.source,
        "split": candidate.split.value,
        "language": candidate.language,
        "score": candidate.score,
        "author": candidate.author,
        "author_url": candidate.author_url,
        "url": candidate.url,
        "licence": candidate.licence,
        "posted_at": candidate.posted_at.isoformat() if candidate.posted_at else None,
        "content_hash": candidate.content_hash,
        "status": candidate.status.value,
        "reason": candidate.status_reason,
        "flags": list(candidate.flags),
        "title_alone": candidate.title_alone,
    }


def found_documents(page: Page) -> list[dict[str, Any]]:
    """What was found, each with its cosine where it was compared by meaning, else None."""
    cosines = {one: round(cosine, 4) for one, cosine in page.cosines.items()}
    return [candidate_document(one) | {"near": cosines.get(one.id)} for one in page.candidates]
