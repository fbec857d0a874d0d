"""`flagcast import-flipt`: the file in, flagcast.yaml out, and everything else beside it."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flagcast.config.model import Problem
from flagcast_cli.check.problems import problems_of
from flagcast_cli.console import CommandError, err, out
from flagcast_cli.flipt_import.convert import convert
from flagcast_cli.flipt_import.flipt_file import read_flipt
from flagcast_cli.flipt_import.planned_secrets import Secret
from flagcast_cli.flipt_import.report import report
from flagcast_cli.flipt_import.yaml_writer import flagcast_yaml


def command(
    file: Path,
    /,
    *,
    output: Path | None = None,
    force: Annotated[bool, Parameter(negative="")] = False,
    stack: str = "flagcast",
    secret: str | None = None,
) -> int:
    """Convert the webhooks of a Flipt configuration to a flagcast.yaml, and print the next steps.

    The new file goes to stdout, everything else to stderr. FLIPT_ variables replace values of the file, as in
    Flipt. Exits 1 if the new file has a problem that you must fix.

    Parameters
    ----------
    file
        Flipt's configuration file (Flipt 1, YAML).
    output
        The file to write instead of stdout. An existing file is replaced only with --force.
    force
        Replace the file that --output names.
    stack
        The stack for which the secrets are stored.
    secret
        Write only the value of this secret, into a pipe.

    """
    return import_flipt(file, environ=os.environ, output=output, force=force, stack=stack, secret=secret)


def import_flipt(
    path: Path,
    *,
    environ: Mapping[str, str],
    output: Path | None = None,
    force: bool = False,
    stack: str = "flagcast",
    secret: str | None = None,
) -> int:
    """Write flagcast.yaml for what a Flipt of this file and environment sends, or the value of one `secret` of it.

    Returns 1 if the written file has a problem; raises CommandError if none could be written.
    """
    flipt = read_flipt(path, environ)
    imported = convert(flipt)
    if secret is not None:
        _pipe(secret, imported.secrets)
        return 0
    text = flagcast_yaml(imported, path.name)
    problems = _problems(text)
    if output is None:
        out.write(text)
    else:
        _to_file(text, output, force=force)
    for line in report(imported, flipt, problems, path, stack, output):
        err.print(line, soft_wrap=True)
    return 1 if problems else 0


def _problems(text: str) -> list[Problem]:
    """Check what is about to be written, and try its templates on every sample event."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "flagcast.yaml"
        file.write_text(text, encoding="utf-8")
        return problems_of(file)


def _pipe(name: str, secrets: tuple[Secret, ...]) -> None:
    """Write one secret as it is to be stored, for the command behind the pipe; it is never shown."""
    found = next((each for each in secrets if each.name == name), None)
    if found is None:
        there_are = ", ".join(each.name for each in secrets) or "none"
        raise CommandError(f"the file has no secret {name}", f"There are: {there_are}.")
    if out.file.isatty():
        raise CommandError(
            "a secret is not shown on a terminal",
            "Pipe it into the command that stores it. import-flipt prints that command.",
        )
    out.write(found.value())


def _to_file(text: str, output: Path, *, force: bool) -> None:
    try:
        with output.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise CommandError(f"{output} exists already", "Give another --output, or --force to replace it.") from error
    except OSError as error:
        raise CommandError(f"{output}: {error.strerror}", "Give the path of a file that can be written.") from error
