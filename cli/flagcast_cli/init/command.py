"""`flagcast init`: three questions, or their answers as options, and a file that `flagcast check` accepts."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from msgspec import Struct

from flagcast.config.decode import meant
from flagcast.config.presets import read_preset
from flagcast.edges.runtime.configuration_file import read_configuration, read_presets
from flagcast.errors import ConfigurationUnreadable
from flagcast_cli.checkout import CONFIGURATION, configuration_file
from flagcast_cli.console import CommandError, out
from flagcast_cli.init.starter import PLACE_TO_FILL_IN, starter


class Question(Struct, frozen=True):
    """One thing to know: how it is asked, the option that answers it, and what Enter alone means."""

    text: str
    option: str
    usual: str


PRESET = Question("Where should Flagcast send Flipt's changes?", "--preset", "slack")
ENVIRONMENT = Question("What is this Flipt's environment called? Messages show it.", "--environment", "production")
FLIPT_URL = Question("What is the address of Flipt's UI? Messages link to it. Enter for no links.", "--flipt-url", "")


def init(
    folder: Path = CONFIGURATION.parent,
    /,
    *,
    preset: str | None = None,
    environment: str | None = None,
    flipt_url: str | None = None,
    force: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Write a first flagcast.yaml. Asks three questions, or takes the answers as options.

    Parameters
    ----------
    folder
        The folder to write flagcast.yaml to. Give it to the other commands with --config (CONFIG with make).
    preset
        A preset of `flagcast presets`, whose name the destination gets. With this option nothing is asked.
    environment
        The name of this Flipt's environment, which messages show.
    flipt_url
        The address of Flipt's UI, for links.
    force
        Replace a flagcast.yaml that has destinations.

    """
    file = configuration_file(folder) if folder.is_dir() else folder.absolute() / "flagcast.yaml"
    _refuse_to_replace(file, force=force)
    asks = preset is None
    name = _preset(preset or _ask(PRESET))
    text = starter(
        name,
        read_preset(read_presets()[name]),
        _answer(ENVIRONMENT, environment, asks=asks),
        _answer(FLIPT_URL, flipt_url, asks=asks),
    )
    _write(file, text)
    _show_next_steps(file, name, text)
    return 0


def _refuse_to_replace(file: Path, *, force: bool) -> None:
    if force or not file.exists():
        return
    try:
        has_destinations = bool(read_configuration(file).destinations)
    except ConfigurationUnreadable:
        has_destinations = True  # What cannot be read may be the operator's work.
    if has_destinations:
        raise CommandError(f"{file} exists already", "Give another folder, or --force to replace it.")


def _preset(name: str) -> str:
    names = sorted(read_presets())
    if name not in names:
        raise CommandError(f"there is no preset {name}", meant(name, names) or f"There are: {', '.join(names)}.")
    return name


def _answer(question: Question, given: str | None, *, asks: bool) -> str:
    if given is not None:
        return given
    return _ask(question) if asks else ""


def _ask(question: Question) -> str:
    if not sys.stdin.isatty():
        raise CommandError("there is no terminal to ask questions on", "Give --preset, --environment and --flipt-url.")
    usual = f" [{question.usual}]" if question.usual else ""
    try:
        return out.input(f"{question.text}{usual} ").strip() or question.usual
    except EOFError as error:
        raise CommandError("no answer", f"Give {question.option}.") from error


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}", "Give a folder that can be written.") from error


def _show_next_steps(file: Path, name: str, text: str) -> None:
    config = "" if file == CONFIGURATION else f" --config {file.parent}"
    out.print(f"Wrote {file}. Next:", soft_wrap=True)
    if PLACE_TO_FILL_IN in text:
        out.print(f"  replace {PLACE_TO_FILL_IN} in it", soft_wrap=True)
    out.print(f"  flagcast render {name}{config}   # prints what would be sent", soft_wrap=True)
    out.print(f"  flagcast check --stack flagcast{config}   # prints which secrets to store, and how", soft_wrap=True)
    out.print("  make deploy STACK=flagcast REGION=..." + (f" CONFIG={file.parent}" if config else ""), soft_wrap=True)
