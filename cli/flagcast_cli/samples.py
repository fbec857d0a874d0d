"""The sample events: bodies that real Flipt servers sent, byte for byte."""

import difflib
from pathlib import Path

from flagcast.config.model import Configuration
from flagcast.events.event import Event
from flagcast.events.event_filter import NOUNS, VERBS
from flagcast.preflight.configuration_problems import taken_in
from flagcast_cli.checkout import SAMPLES
from flagcast_cli.console import CommandError

_NOTHING = Configuration({}, {})


def sample_files() -> list[Path]:
    """Return every sample, in order of name."""
    return sorted(SAMPLES.glob("*.json"))


def sample_events(configuration: Configuration = _NOTHING) -> list[Event]:
    """Return every sample as the sources of a configuration would have taken it in."""
    return [
        event
        for file in sample_files()
        for event in taken_in(file.read_bytes(), file.stem, configuration)
        if isinstance(event, Event)
    ]


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
    raise CommandError(f"{named} is neither a sample nor a file", hint, f"The samples are the files in {SAMPLES}.")
