"""A request as people read it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import assert_never

from rich.json import JSON

from flagcast.exchange.request import Request
from flagcast.preflight.dry_run import Rehearsed, rehearsed
from flagcast.primitives.render_failure import RenderFailed
from flagcast.tasks.outcomes import Faulty, Filtered, FilterFailed
from flagcast_cli.console import err, marked, out
from flagcast_cli.preview.dry_run import Rehearsal, rehearsal_of
from flagcast_cli.samples import sample_files


def preview(config: Path, destination: str, event: str, *, changes: bool = False) -> int:
    """Print what a destination would be sent for one event; returns the exit code."""
    rehearsal = rehearsal_of(config, destination)
    made = rehearsed(rehearsal.compiled, rehearsal.event(event, changes=changes))
    code = _show(made)
    if isinstance(made, Filtered):
        err.print(f"flagcast render {destination} --all shows every sample.", soft_wrap=True)
    return code


def preview_all(config: Path, destination: str, *, changes: bool = False) -> int:
    """Print what a destination would be sent for every sample; returns the exit code."""
    rehearsal = rehearsal_of(config, destination)
    return max(_show_named(rehearsal, [path.stem for path in sample_files()], changes=changes), default=0)


def _show_named(rehearsal: Rehearsal, samples: Sequence[str], *, changes: bool) -> list[int]:
    codes = []
    for sample in samples:
        out.rule(sample, align="left")
        codes.append(_show(rehearsed(rehearsal.compiled, rehearsal.event(sample, changes=changes))))
    return codes


def _show(made: Rehearsed) -> int:
    match made:
        case Request():
            show_request(made)
            return 0
        case Filtered():
            out.print(marked("[yellow]not sent:[/] `events` or `when` rejects this event"), soft_wrap=True)
            return 0
        case RenderFailed(detail) | FilterFailed(detail) | Faulty(detail):
            out.print("✗", style="red", end=" ")
            out.print(detail, soft_wrap=True)
            return 1
    assert_never(made)


def show_request(request: Request) -> None:
    """Print a request whose secrets are masked already."""
    out.print(marked("[bold]{}[/] {}", request.method, request.url), soft_wrap=True)
    for name, value in request.headers.items():
        out.print(marked("[cyan]{}:[/] {}", name, value), soft_wrap=True)
    out.print()
    _show_body(request.body)


def _show_body(body: bytes) -> None:
    text = body.decode(errors="replace")
    try:
        json.loads(text)
    except ValueError:
        out.print(text, soft_wrap=True)
        return
    if out.is_terminal:
        out.print(JSON(text, ensure_ascii=False), soft_wrap=True)
    else:
        out.print(json.dumps(json.loads(text), ensure_ascii=False, indent=2), soft_wrap=True)
