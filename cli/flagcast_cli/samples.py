"""The sample events: bodies that real Flipt servers sent, byte for byte."""

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
