"""`replay`, from finding the events to what was sent."""

from collections.abc import Sequence
from contextlib import ExitStack

from msgspec import Struct
from rich.progress import Progress

from flagcast.events.replay import Replay
from flagcast_cli.archive.bucket import bucket_of
from flagcast_cli.confirmation import agreed, require_answer
from flagcast_cli.console import CommandError, err, marked, out
from flagcast_cli.history.filter import Filter
from flagcast_cli.ledger.file import in_memory
from flagcast_cli.ledger.shown_copy import with_copy
from flagcast_cli.replay.archive_source import ArchiveSource
from flagcast_cli.replay.dead_letter_source import DeadLetterSource
from flagcast_cli.replay.kept_event import NAMES, KeptIn, Source
from flagcast_cli.replay.later_events import Had, had
from flagcast_cli.replay.output import (
    Report,
    nothing_found,
    of,
    report_of,
    show_later,
    show_plan,
    show_result,
    write,
)
from flagcast_cli.replay.saved_replay import VERSION, ReplayFile, SavedReplay, opened
from flagcast_cli.replay.selection import Chosen, choose, where_of
from flagcast_cli.replay.sending import Sending
from flagcast_cli.replay.target import Target, target_of
from flagcast_cli.stack.account import Account
from flagcast_cli.stack.deployed_configuration import deployed_configuration
from flagcast_cli.stack.queues import StackQueues, place_of


class Options(Struct, frozen=True, kw_only=True):
    """How to go about it; `rate` is events a second."""

    rate: float | None = None
    allow_stale: bool = False
    yes: bool = False
    dry_run: bool = False
    json: bool = False


def start(
    stack: str, account: Account, name: str, kept_in: KeptIn, wanted: Filter, ids: Sequence[str], replay: Replay,
    options: Options,
) -> int:  # fmt: skip
    """Find the events that are asked for and send them to a destination; returns 1 if not all of them were sent."""
    require_answer(yes=options.yes or options.dry_run)
    where = where_of(wanted, ids)
    target = target_of(deployed_configuration(stack, account), name)
    place = place_of(stack, account)
    source = _source(kept_in, stack, account, place)
    rate = options.rate or target.rate
    with in_memory() as index, err.status(f"Reading {NAMES[kept_in]}"):
        chosen = choose(source.events(where), where, wanted, target, replay, index, NAMES[kept_in])
    found = _had(stack, account, target, chosen, options)
    report = report_of(target, chosen, found)
    if not options.json:
        _show(report, found, chosen, target, kept_in, rate)
    is_stale = report.events > 0 and found is not None and found.is_stale and not options.allow_stale
    if options.json and (is_stale or options.dry_run or not report.events):
        write(report)
    if found is not None and is_stale:
        raise CommandError(
            f"{name} had later events of {_subjects(found)} already",
            "It would get events of one subject in another order than they were accepted in.",
            "--allow-stale sends them all the same; --event, --flag or --until leaves some out.",
        )
    if not report.events:
        return 1 if report.rejected or report.unusable else 0
    if options.dry_run:
        if not options.json:
            out.print("Nothing was changed: this was a dry run.")
        return 0
    if not agreed(f"Send {report.events:,} to {name}?", yes=options.yes):
        return 1
    saved = SavedReplay(
        v=VERSION,
        replay=replay,
        queue=place.task_url,
        destination=name,
        ordering=target.destination.ordering,
        kept_in=kept_in,
        refs=tuple(each.ref for each in chosen.events),
        rate=rate,
    )
    with opened(replay.id, is_new=True) as file:
        file.save(saved)
        return _send(saved, file, source, place, report, stack, options)


def resume(stack: str, account: Account, name: str, options: Options) -> int:
    """Go on with a replay that was stopped, with the same messages; returns 1 if not all of them were sent."""
    require_answer(yes=options.yes or options.dry_run)
    with opened(name, is_new=False) as file:
        saved = file.read()
        place = place_of(stack, account)
        if saved.queue != place.task_url:
            raise CommandError(
                f"{name} is a replay of another stack, or of another account or region",
                "Give its own --stack, --profile and --region.",
            )
        target = target_of(deployed_configuration(stack, account), saved.destination)
        left = len(saved.refs) - file.progress.position
        report = Report(destination=saved.destination, events=left)
        if options.dry_run and options.json:
            write(report)
        if not options.json:
            show_plan(report, target, options.rate or saved.rate)
        if options.dry_run:
            return 0
        if not agreed(f"Send the {left} that are left of {name} to {saved.destination}?", yes=options.yes):
            return 1
        return _send(saved, file, _source(saved.kept_in, stack, account, place), place, report, stack, options)


def _source(kept_in: KeptIn, stack: str, account: Account, place: StackQueues) -> Source:
    # A stack without it is of a release that knows no replays: it would send them without their mark.
    bucket = bucket_of(stack, account)
    match kept_in:
        case "archive":
            return ArchiveSource(bucket, place.now)
        case "dead-letters":
            return DeadLetterSource(place)


def _had(stack: str, account: Account, target: Target, chosen: Chosen, options: Options) -> Had | None:
    """Ask the log what the destination had; None where the log cannot be read and --allow-stale says to go on."""
    with ExitStack() as entered:
        try:
            copy = entered.enter_context(with_copy(stack, account, offline=False))
        except CommandError as error:
            if not options.allow_stale:
                raise CommandError(
                    f"what {target.name} had already is not known: {error}",
                    *error.next_steps,
                    "--allow-stale sends without knowing.",
                ) from error
            err.print(marked("Without what the functions' log says: {}", error), style="yellow", soft_wrap=True)
            return None
        return had(copy.store, target.name, chosen.events)


def _show(report: Report, found: Had | None, chosen: Chosen, target: Target, kept_in: KeptIn, rate: float) -> None:
    if not report.events and not report.rejected:
        out.print(nothing_found(kept_in), soft_wrap=True)
    show_plan(report, target, rate)
    if found is not None:
        show_later(report, found)
        _say_what_is_not_known(found, chosen)


def _say_what_is_not_known(found: Had, chosen: Chosen) -> None:
    first = chosen.events[0].at if chosen.events else None
    if first is not None and (found.begins is None or found.begins > first):
        out.print(
            "The log begins later than the first of them: what the destination had before that is not known.",
            style="yellow",
            soft_wrap=True,
        )


def _subjects(found: Had) -> str:
    number = len(found.later)
    return f"{number} of the subjects" if number else "subjects that the log does not say"


def _send(
    saved: SavedReplay, file: ReplayFile, source: Source, place: StackQueues, report: Report, stack: str,
    options: Options,
) -> int:  # fmt: skip
    sending = Sending(saved, file, source, place, options.rate)
    try:
        with Progress(console=err, transient=True) as progress:
            bar = progress.add_task(f"Replaying to {saved.destination}", total=len(saved.refs))
            progress.update(bar, completed=sending.position)
            sending.run(lambda position: progress.update(bar, completed=position))
    except BaseException:  # However it ends, Ctrl-C too: what is left can be resumed.
        command = " ".join(["flagcast replay --resume", saved.replay.id, *of(stack)])
        total = len(saved.refs)
        err.print(
            marked("[yellow]Stopped:[/] {} of {} sent. To go on: {}", sending.position, total, command), soft_wrap=True
        )
        raise
    file.remove()
    report.replay, report.sent, report.missing = saved.replay.id, sending.sent, sending.missing
    if options.json:
        write(report)
    else:
        show_result(report, stack)
    return 1 if sending.missing else 0
