"""The sample events: bodies that real Flipt servers sent, byte for byte."""

import difflib
from pathlib import Path

from flagcast.core.filters import NOUNS, VERBS
from flagcast_cli.checkout import SAMPLES
from flagcast_cli.console import CommandError


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
