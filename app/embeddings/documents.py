"""How far a pool is encoded, as the command line and the API say it."""

from dataclasses import asdict
from typing import Any

from sqlalchemy.orm import Session

from app.config import Settings
from app.embeddings import measured
from app.embeddings.choosing import change_of, model_of
from app.embeddings.operations import light_encoder_within, live_encoding
from app.embeddings.queries import pool_standing
from app.projects.models import Project


def encoding_document(session: Session, project: Project, settings: Settings, patience: float) -> dict[str, Any]:
    """The standing of a project's pool; model and number are None while the model is not loaded within `patience`.

    Raises what the encoder raises where there is no model.
    """
    encoder = light_encoder_within(patience, model_of(session, settings, project.id))
    job = live_encoding(session, project)
    encoded, total = pool_standing(session, encoder.key if encoder else "", project.id)
    choice = measured.chosen(settings, encoder.key) if encoder else None
    change = change_of(session, settings, project)
    return {
        "model": encoder.key if encoder else None,
        "encoded": encoded if encoder else None,
        "total": total,
        "job_id": job.id if job else None,
        "engine": asdict(choice) if choice else None,
        "next": asdict(change) if change else None,
    }
