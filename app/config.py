"""Settings: each has a default, a HANDPICKED_ name and the line of documentation that stands beside it."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

# The checkout or image: templates, static files and migrations lie beside the app package.
ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Everything that an installation may choose, read from HANDPICKED_… environment variables."""

    model_config = SettingsConfigDict(env_prefix="HANDPICKED_", frozen=True, extra="ignore")

    data_dir: Path = Field(Path("data"), description="Folder of everything kept: database, uploads, runs, models.")
    database_url: str = Field(
        "",
        description="Database URL, such as postgresql://user@host/name; empty: a SQLite file in the data folder.",
    )
    base_url: str = Field("", description="Address that people use, for links; empty means the one that serve prints.")
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        ("127.0.0.1", "localhost", "[::1]"),
        description="Host names the server answers to, separated by commas; the base URL's host is added.",
    )
    trusted_proxies: str = Field("", description="Addresses of proxies whose X-Forwarded headers count, by commas.")
    secure_cookies: bool = Field(False, description="Send the session cookie over HTTPS only; set it behind TLS.")
    import_folders: Annotated[tuple[Path, ...], NoDecode] = Field(
        (), description="Server folders from which admins may import in the browser, separated by commas."
    )
    model_folders: Annotated[tuple[Path, ...], NoDecode] = Field(
        (), description="Server folders from which admins may register base models in the browser, by commas."
    )
    max_upload_mb: int = Field(20_000, ge=1, description="Largest upload, in MB.")
    max_half_sent: int = Field(3, ge=1, description="Uploads that one person may have half sent.")
    half_sent_hours: float = Field(24.0, gt=0, description="A half-sent upload is removed after so long in silence.")
    max_unpacked_mb: int = Field(200_000, ge=1, description="Largest content of one archive, in MB.")
    max_unpacked_ratio: int = Field(
        250, ge=1, description="Most that an archive above 100 MB unpacks to, in times its size."
    )
    max_unpack_minutes: float = Field(60.0, gt=0, description="Longest unpacking of one archive.")
    unpacked_days: float = Field(30.0, gt=0, description="Unpacked archives that nobody opens are kept for so long.")
    max_hub_mb: int = Field(5_000, ge=1, description="Largest data set fetched from the Hugging Face Hub, in MB.")
    max_record_mb: int = Field(8, ge=1, description="Largest single record of an import, in MB.")
    max_text_mb: float = Field(1.0, gt=0, description="Largest text of one example, in MB.")
    claim_minutes: float = Field(30.0, gt=0, description="Whoever writes on an example has it alone for so long.")
    smtp_url: str = Field("", description="Mail server for daily letters, smtp://name:word@host:25; empty: no letters.")
    smtp_from: str = Field("handpicked@localhost", description="The sender of daily letters.")
    session_idle_hours: float = Field(24.0, gt=0, description="A session ends after so long without a request.")
    session_days: float = Field(14.0, gt=0, description="A session ends after so long whatever happens.")
    invitation_days: float = Field(7.0, gt=0, description="An invitation or set-up link works for so long.")
    sign_in_tries: int = Field(10, ge=1, description="Failed sign-ins for one name or address before a wait.")
    sign_in_minutes: float = Field(15.0, gt=0, description="The window in which failed sign-ins are counted.")
    web_threads: int = Field(8, ge=1, description="Requests handled at once by one web process.")
    lease_seconds: float = Field(30.0, gt=0, description="A worker silent for so long is taken for dead.")
    poll_seconds: float = Field(0.5, gt=0, description="How often an idle worker looks for work.")
    worker_lanes: Annotated[tuple[str, ...], NoDecode] = Field(
        ("quick", "training", "asking"),
        description="What a worker takes: quick work, training, asking model servers; separated by commas.",
    )
    max_attempts: int = Field(5, ge=1, description="Workers that may die on one job before it is given up.")
    stop_grace_seconds: float = Field(120.0, ge=0, description="Time a stopped trainer has to save a checkpoint.")
    embedding_model: str = Field("", description="Path or Hub id of the encoder; empty means the bundled MiniLM.")
    threads: int = Field(0, ge=0, description="CPU threads for models; 0 means all cores.")
    niceness: int = Field(5, ge=0, le=19, description="How far training steps back for the web app; 0: not at all.")

    @field_validator("allowed_hosts", "import_folders", "model_folders", "worker_lanes", mode="before")
    @classmethod
    def _split_commas(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @property
    def url(self) -> str:
        """The database URL in force."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'handpicked.sqlite3').absolute()}"


def as_markdown() -> str:
    """The table of docs/settings.md."""
    rows = ["| variable | default | what it is |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = ",".join(map(str, field.default)) if isinstance(field.default, tuple) else str(field.default)
        shown = f"`{default}`" if default else "(empty)"
        rows.append(f"| `HANDPICKED_{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(rows) + "\n"
