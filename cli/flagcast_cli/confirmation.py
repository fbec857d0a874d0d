"""Whether a person agrees to what is about to be done."""

import sys

from flagcast_cli.console import CommandError, out


def require_answer(*, yes: bool) -> None:
    """Raise CommandError if there is no person to ask and --yes was not given."""
    if not yes and not sys.stdin.isatty():
        raise CommandError(
            "there is no terminal to ask for confirmation",
            "--dry-run shows what would be done, and --yes does it without asking.",
        )


def agreed(question: str, *, yes: bool) -> bool:
    """Ask, and return whether the answer was yes; anything else is no."""
    if yes:
        return True
    try:
        answer = out.input(f"{question} [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() in ("y", "yes"):
        return True
    out.print("Nothing was changed.")
    return False
