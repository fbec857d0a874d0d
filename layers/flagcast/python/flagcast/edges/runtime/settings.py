"""What each function reads from its environment, and nothing else; template.yaml sets it."""

from collections.abc import Mapping
from typing import Self

from msgspec import Struct


class Settings(Struct, frozen=True):
    """The settings of both functions."""

    configuration_path: str
    queue_url: str
    dead_letter_queue_url: str
    secret_prefix: str
    parameter_prefix: str
    bodies_bucket: str
    archive_bucket: str
    """An ARN, as the urls of destinations are."""
    archives: bool
    """Whether ingest queues events for the archive; what is queued for it is delivered either way."""
    state_table: str
    circuit_breaker: bool
    tracks_changes: bool
    stack: str
    """The stack's name, for commands that people type; empty if not given."""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings; a KeyError names the variable that template.yaml failed to set."""
        return cls(
            tracks_changes=environ["FLAGCAST_TRACK_CHANGES"] == "on",
            configuration_path=environ["FLAGCAST_CONFIG"],
            queue_url=environ["FLAGCAST_QUEUE_URL"],
            dead_letter_queue_url=environ["FLAGCAST_DEAD_LETTER_QUEUE_URL"],
            secret_prefix=environ["FLAGCAST_SECRET_PREFIX"],
            parameter_prefix=environ["FLAGCAST_PARAMETER_PREFIX"],
            bodies_bucket=environ["FLAGCAST_BODIES_BUCKET"],
            archive_bucket=environ["FLAGCAST_ARCHIVE_BUCKET"],
            archives=environ["FLAGCAST_ARCHIVE"] == "on",
            state_table=environ["FLAGCAST_STATE_TABLE"],
            circuit_breaker=environ["FLAGCAST_CIRCUIT_BREAKER"] == "on",
            stack=stack_name(environ),
        )


def stack_name(environ: Mapping[str, str]) -> str:
    """Return the stack's name; by itself, as problems of the other settings are logged under it."""
    return environ.get("FLAGCAST_STACK", "")


def logs_names(environ: Mapping[str, str]) -> bool:
    """Return whether log lines may say who did what to which flag; not where no one said so."""
    return environ.get("FLAGCAST_LOG_NAMES") == "on"
