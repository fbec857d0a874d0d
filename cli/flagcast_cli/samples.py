"""The sample events: bodies that real Flipt servers sent, byte for byte."""

from pathlib import Path

from flagcast_cli.checkout import SAMPLES
from flagcast_cli.console import CommandError


def sample_files() -> list[Path]:
    """Return every sample, in order of name."""
    return sorted(SAMPLES.glob("*.json"))


def sample(kind: str, action: str) -> Path:
    """Return the sample of a type and action; raises CommandError with those there are."""
    path = SAMPLES / f"{kind}-{action}.json"
    if not path.is_file():
        plain = [each.stem for each in sample_files() if each.stem.count("-") == 1]
        raise CommandError(f"there is no sample of {kind} {action}", f"There are, among others: {', '.join(plain)}")
    return path
