"""What commands of one checkout know of each other: the secret of `flagcast dev`, its variables, and what was sent."""

import os
import secrets
import string
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from flagcast_cli.checkout import LOCAL_STACK
from flagcast_cli.console import CommandError

SECRET: Final = LOCAL_STACK / "secret"
VARIABLES: Final = LOCAL_STACK / "env"
SENT: Final = LOCAL_STACK / "sent.json"
MOST_SENT: Final = 1000

_LENGTH: Final = 48
"""As template.yaml has it. Letters and digits alone, so that no shell asks for quotes; it can be a signing key, too."""
_LETTERS: Final = string.ascii_letters + string.digits


class Sent(Struct, frozen=True):
    """An event that a stack accepted from this machine; `at` in epoch seconds."""

    url: str
    event_id: str
    at: float


def signing_secret() -> str:
    """Return the secret of the local stack, the same at each start; it is made once, readable by its owner alone."""
    if not SECRET.is_file():
        write_private(SECRET, "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH)))
    return SECRET.read_text(encoding="utf-8").strip()


def write_private(path: Path, text: str) -> None:
    """Write a file that no one else may read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f"{path.name}.{os.getpid()}")
    made.touch(0o600)
    made.write_text(text, encoding="utf-8")
    made.replace(path)


def written(variables: Mapping[str, str]) -> str:
    """Write variables as a shell and `env` read them. Pure."""
    return "".join(f"{name}={value}\n" for name, value in variables.items())


def read(text: str) -> dict[str, str]:
    """Read them back. Pure."""
    return {name: value for name, _, value in (line.partition("=") for line in text.splitlines()) if name}


@contextmanager
def published(variables: Mapping[str, str]) -> Iterator[None]:
    """Keep the variables of a local stack where `flagcast --local` reads them, while it runs."""
    write_private(VARIABLES, written(variables))
    try:
        yield
    finally:
        # By now they may be those of another local stack.
        if VARIABLES.is_file() and read(VARIABLES.read_text(encoding="utf-8")) == variables:
            VARIABLES.unlink()


def local_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which a command works on the running local stack; raises CommandError if none runs.

    Nothing of it leads to an account: no profile, no login of the shell's.
    """
    try:
        found = read(VARIABLES.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CommandError("no local stack is running", "Start one in another terminal: make dev") from error
    others = {name: value for name, value in environ.items() if not name.startswith("AWS_")}
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return {**others, **nowhere, **found}


def earlier(sent: list[Sent], url: str, event_id: str) -> Sent | None:
    """Return when a stack accepted an event before, as far as that is known here. Pure."""
    return next((each for each in reversed(sent) if (each.url, each.event_id) == (url, event_id)), None)


def read_sent() -> list[Sent]:
    """Return what was sent from this checkout, oldest first; nothing if that cannot be read: it is only a help."""
    try:
        return msgspec.json.decode(SENT.read_bytes(), type=list[Sent])
    except (FileNotFoundError, msgspec.DecodeError):
        return []


def write_sent(sent: list[Sent]) -> None:
    """Keep the newest of it."""
    write_private(SENT, msgspec.json.encode(sent[-MOST_SENT:]).decode())


def forget_sent(url: str) -> None:
    """Forget what was sent to a stack that starts from the beginning."""
    if kept := read_sent():
        write_sent([each for each in kept if each.url != url])
