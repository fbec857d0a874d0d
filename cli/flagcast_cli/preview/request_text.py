"""`flagcast render`: what a destination would be sent, and whether it would be."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, assert_never

from cyclopts import Parameter
from msgspec import Struct

from flagcast.events.event import Event
from flagcast.exchange.aws_request import AwsRequest
from flagcast.exchange.request import Request
from flagcast.preflight.dry_run import Rehearsed, rehearsed
from flagcast.primitives.render_failure import RenderFailed
from flagcast.rendering.compilation import Compiled
from flagcast.tasks.outcomes import Faulty, Filtered, FilterFailed
from flagcast.tasks.routing import wants
from flagcast_cli.checkout import CONFIGURATION, Config
from flagcast_cli.console import CommandError, err, marked, out, show_error
from flagcast_cli.file_watch import PACE, look, read_for, saves
from flagcast_cli.preview.dry_run import Rehearsal, rehearsal_of
from flagcast_cli.request_output import show_made
from flagcast_cli.samples import find_event, sample_files


class Asked(Struct, frozen=True):
    """What is to be shown: a destination's request for an event, or for every sample where none is named.

    With `changes` as if each thing had been seen before; with `exact` only the bytes of the body.
    """

    config: Path
    destination: str
    event: str | None
    changes: bool = False
    exact: bool = False


def command(
    destination: str,
    event: str | None = None,
    /,
    *,
    all: Annotated[bool, Parameter(negative="")] = False,  # noqa: A002 - what people type
    changes: Annotated[bool, Parameter(negative="")] = False,
    watch: Annotated[bool, Parameter(negative="")] = False,
    exact: Annotated[bool, Parameter(negative="")] = False,
    config: Config = CONFIGURATION,
) -> int:
    """Print the request that a destination would receive (method, address, headers, body), and send nothing.

    Parameters
    ----------
    destination
        Its name in the configuration.
    event
        The name of a sample, such as flag-deleted-denied, or a file with an event. Without it, flag-updated.
    all
        Print the request for every sample.
    changes
        Render as if Flagcast knew what each event changed.
    watch
        Print it again each time that the configuration, a template or the event is saved, until Ctrl-C.
    exact
        Print only the bytes of the body, unchanged.

    """
    if all and (event is not None or exact):
        raise CommandError(f"--all and {'--exact' if event is None else 'an event'} contradict each other", "Give one.")
    asked = Asked(config, destination, None if all else event or "flag-updated", changes=changes, exact=exact)
    return watch_preview(asked) if watch else preview(asked)


def preview(asked: Asked) -> int:
    """Print what a destination would be sent; returns the exit code, and raises CommandError."""
    rehearsal = rehearsal_of(asked.config, asked.destination)
    if asked.event is None:
        return max(_show_all(rehearsal, [path.stem for path in sample_files()], changes=asked.changes), default=0)
    event = rehearsal.event(asked.event, changes=asked.changes)
    made = rehearsed(rehearsal.compiled, event)
    if asked.exact:
        out.write_bytes(_body(rehearsal.compiled, event, made))
        return 0
    code = _show(rehearsal.compiled, event, made)
    if isinstance(made, Filtered):
        err.print(f"flagcast render {asked.destination} --all shows every sample.", soft_wrap=True)
    return code


def _body(compiled: Compiled, event: Event, made: Rehearsed) -> bytes:
    """Return the bytes of the body; raises CommandError if there are none."""
    match made:
        case Request() | AwsRequest():
            return made.body
        case Filtered():
            raise CommandError(f"nothing is sent: {verdict(compiled, event, made)}")
        case RenderFailed(detail) | FilterFailed(detail) | Faulty(detail):
            raise CommandError(detail)
    assert_never(made)


def watch_preview(asked: Asked, wait: Callable[[], None] = lambda: time.sleep(PACE)) -> int:
    """Print it again each time that the configuration, a template or the event is saved, until Ctrl-C.

    `wait` passes the time between two looks at the files, as no event tells of a change.
    """
    files = [*read_for(asked.config), *([find_event(asked.event)] if asked.event is not None else [])]
    before = look(files)
    _show_now(asked)
    with suppress(KeyboardInterrupt):
        for saved in saves(before, lambda: look(files), wait):
            if saved:
                _show_now(asked)
    return 0


def _show_now(asked: Asked) -> None:
    """Print it under the time; what cannot be rendered now is said, as it may be with the next save."""
    if out.is_terminal:
        out.clear()
    out.rule(f"{time.strftime('%H:%M:%S')} {asked.destination} {asked.event or 'every sample'}", align="left")
    try:
        preview(asked)
    except CommandError as error:
        show_error(error)


def verdict(compiled: Compiled, event: Event, made: Rehearsed) -> str:
    """Say which of `events` and `when` decided whether an event is sent. Pure."""
    if isinstance(made, Filtered):
        return "`when` rejects this event" if wants(compiled.destination, event) else "`events` rejects this event"
    return "`events` accepts this event" if compiled.when is None else "`events` and `when` accept this event"


def _show_all(rehearsal: Rehearsal, samples: Sequence[str], *, changes: bool) -> list[int]:
    codes = []
    for sample in samples:
        out.rule(sample, align="left")
        event = rehearsal.event(sample, changes=changes)
        codes.append(_show(rehearsal.compiled, event, rehearsed(rehearsal.compiled, event)))
    return codes


def _show(compiled: Compiled, event: Event, made: Rehearsed) -> int:
    said = verdict(compiled, event, made)
    match made:
        case Request() | AwsRequest():
            err.print(marked("[green]sent:[/] {}", said), soft_wrap=True)
            show_made(made)
            return 0
        case Filtered():
            out.print(marked("[yellow]not sent:[/] {}", said), soft_wrap=True)
            return 0
        case RenderFailed(detail) | FilterFailed(detail) | Faulty(detail):
            out.print("✗", style="red", end=" ")
            out.print(detail, soft_wrap=True)
            return 1
    assert_never(made)
