"""The sample events: bodies that real Flipt servers sent, byte for byte."""

import difflib
from collections.abc import Iterator
from pathlib import Path

from flagcast.core.config.model import Configuration, Source
from flagcast.core.event import Event, InvalidEvent, Origin, parse
from flagcast.core.filters import NOUNS, VERBS
from flagcast_cli.checkout import SAMPLES
from flagcast_cli.console import CommandError

_RECEIVED_AT = "2026-01-02T03:04:05.678Z"


def sample_files() -> list[Path]:
    """Return every sample, in order of name."""
    return sorted(SAMPLES.glob("*.json"))


def sample(kind: str, action: str) -> Path:
    """Return the sample of a type and action; raises CommandError with those there are."""
    path = SAMPLES / f"{kind}-{action}.json"
    if not path.is_file():
        raise CommandError(
            f"there is no sample of {kind} {action}",
            f"Types are {', '.join(NOUNS)}; actions {', '.join(VERBS)} (a token is never updated).",
        )
    return path


def find_event(named: str) -> Path:
    """Return the file of a sample by its name, or of an event by its path; raises CommandError."""
    for path in (SAMPLES / f"{named}.json", Path(named)):
        if path.is_file():
            return path
    close = difflib.get_close_matches(named, [path.stem for path in sample_files()], n=3, cutoff=0.4)
    hint = f"Did you mean {' or '.join(close)}?" if close else "For example flag-updated or flag-deleted-denied."
    raise CommandError(f"{named} is neither a sample nor a file", hint, f"The samples are the files of {SAMPLES}.")


def taken_in(raw: bytes, name: str, configuration: Configuration) -> Iterator[Event | InvalidEvent]:
    """Yield an event as each source would have taken it in; as one without settings where none is right."""
    usable = {name: source for name, source in configuration.sources.items() if isinstance(source, Source)}
    for source_name, source in (usable or {"source": Source()}).items():
        yield parse(raw, Origin(f"evt_{name}", source_name, source.environment, source.flipt_url, _RECEIVED_AT))
