"""Dead letters as people and machines read them."""

import json
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from flagcast.primitives.duration import DAY, HOUR, MINUTE
from flagcast.primitives.timestamp import rfc3339
from flagcast_cli.console import counted, marked, out, plain
from flagcast_cli.dlq.bodies import Contents
from flagcast_cli.dlq.letters import QUEUE_NET, SHOWN_OF_AN_ID, Absent, Facts, Letter
from flagcast_cli.dlq.logged import Logged, Told
from flagcast_cli.dlq.redrive_plan import Refusal
from flagcast_cli.stack.queues import STACK

_MOST_NAMES = 3
_WHAT_FOLLOWS = {
    "rejected": "The destination rejected it, and says why. Fix one of the two, deploy, then:",
    "gone": "Its address is gone for good. Give the destination another url, deploy, then:",
    "expired": "It was retried until its time was up. When the destination works again:",
    "exhausted": "SQS handed it over until its time was up. When the destination works again:",
    "render_failed": "Its template failed on it. Fix the template (flagcast render tries it), deploy, then:",
    "filter_failed": "The destination's when failed on it. Fix it, deploy, then:",
    "unknown_destination": "The destination was not in the configuration. Add it, deploy, then:",
    "body_missing": "Its body was not where it was stored. If it is there again:",
    "crashed": "It ended the function three times. Find the reason in the function's log, then:",
    "blocked_address": "The destination's address may not be connected to (allow_private opens a subnet). Then:",
    QUEUE_NET: "SQS moved it to the dead-letter queue itself, so it has no reason. Look in the function's log, then:",
}


def counted_letters(letters: Sequence[Letter], what: str = "dead letter") -> str:
    """Say how many there are; of those of the queue's net, which keep their group, more may be hidden."""
    at_least = "at least " if any(each.reason == QUEUE_NET for each in letters) else ""
    return f"{at_least}{counted(len(letters), what)}"


def show_summary(letters: Sequence[Letter]) -> None:
    """Print how many there are, by destination and reason."""
    if not letters:
        out.print("There are no such dead letters.")
        return
    out.print(counted_letters(letters).capitalize(), style="bold")
    table = Table(header_style="bold", box=None, pad_edge=False)
    for heading in ("destination", "reason"):
        table.add_column(heading, overflow="fold")
    table.add_column("count", justify="right")
    kinds = Counter((each.destination, each.reason) for each in letters)
    for (destination, reason), count in sorted(kinds.items()):
        number = f"at least {count}" if reason == QUEUE_NET else str(count)
        table.add_row(Text(plain(destination)), Text(plain(reason), "red"), number)
    out.print(table)


def show_table(letters: Iterable[Letter], contents: Contents, logged: Logged, now: float) -> None:
    """Print a row for each letter: with its title and answer where there is a log."""
    out.print(_as_logged(letters, contents, logged, now) if logged.ledger else _as_known(letters, contents, now))


def _as_known(letters: Iterable[Letter], contents: Contents, now: float) -> Table:
    table = Table(header_style="bold")
    for heading in ("destination", "event", "key", "reason", "status", "age", "attempts", "id"):
        table.add_column(heading, overflow="fold")
    for each in letters:
        kind, key = _event_and_key(contents.at_hand(each))
        cells = (each.destination, kind, key, each.reason, each.said.get("status", ""))
        more = (age(now - each.message.sent_at), each.said.get("attempts", ""), each.name[:SHOWN_OF_AN_ID])
        table.add_row(*(Text(plain(cell)) for cell in (*cells, *more)))
    return table


def _as_logged(letters: Iterable[Letter], contents: Contents, logged: Logged, now: float) -> Table:
    """Make a table of 80 columns in which only titles and answers are broken."""
    table = Table(header_style="bold", box=None, pad_edge=False)
    for heading in ("age", "dead letter", "event", "id"):
        is_text = heading == "event"
        table.add_column(heading, overflow="ellipsis", no_wrap=not is_text, ratio=1 if is_text else None)
    for each in letters:
        told = logged.of(each)
        said = " ".join(part for part in (each.said.get("status"), _answered(each, told)) if part)
        what = Text(plain(told.title or " ".join(_event_and_key(contents.at_hand(each)))))
        if said:
            what.append(f"\n{plain(said)}", "dim")
        letter = Text(plain(each.destination)).append(f"\n{plain(each.reason)}", "red")
        table.add_row(age(now - each.message.sent_at), letter, what, plain(each.name[:SHOWN_OF_AN_ID]))
    return table


def _answered(letter: Letter, told: Told) -> str:
    """Return what the destination answered, else why the letter is one."""
    return f"“{told.answer}”" if told.answer else letter.said.get("detail", "")


def _event_and_key(facts: Facts | Absent) -> tuple[str, str]:
    return (f"{facts.event.type} {facts.event.action}", facts.key) if isinstance(facts, Facts) else ("-", "-")


def show_json(letters: Iterable[Letter], contents: Contents, logged: Logged) -> None:
    """Write every letter but its body as JSON; what is not known of one is null."""
    found = [_as_json(each, contents.at_hand(each), logged.of(each)) for each in letters]
    out.write(json.dumps({"letters": found}, indent=2) + "\n")


def _as_json(letter: Letter, facts: Facts | Absent, told: Told) -> dict[str, Any]:
    known = facts if isinstance(facts, Facts) else None
    return {
        "message_id": letter.id,
        "event_id": letter.event_id or None,
        "destination": letter.destination,
        "type": known.event.type if known else None,
        "action": known.event.action if known else None,
        "key": known.key or None if known else None,
        "title": told.title,
        "reason": letter.reason,
        "detail": letter.said.get("detail"),
        "status": letter.said.get("status"),
        "answer": told.answer,
        "attempts": letter.said.get("attempts"),
        "accepted_at": letter.task.received_at if letter.task else None,
        "replay": letter.replay,
        "dead_since": rfc3339(letter.message.sent_at),
    }


def show_letter(letter: Letter, contents: Contents, logged: Logged, now: float, stack: str) -> None:
    """Print one letter with its body, and what can be done about it."""
    facts = contents.facts(letter)
    kind, key = _event_and_key(facts)
    said, told = letter.said, logged.of(letter)
    since = f"{rfc3339(letter.message.sent_at)} ({age(now - letter.message.sent_at)} ago)"
    for name, value in (
        ("destination", letter.destination),
        ("event", f"{kind} {key}"),
        ("title", told.title),
        ("event id", letter.event_id),
        ("message id", letter.id),
        ("reason", letter.reason),
        ("detail", said.get("detail", "")),
        ("status", said.get("status", "")),
        ("answer", told.answer),
        ("attempts", said.get("attempts", "")),
        ("accepted", letter.task.received_at if letter.task else ""),
        ("replay", letter.replay),
        ("dead since", since),
    ):
        if value:
            out.print(marked("[cyan]{}[/] {}", f"{name:<12}", value), soft_wrap=True)
    out.print()
    raw = contents.raw(letter)
    for line in [raw.why] if isinstance(raw, Absent) else _lines(raw):
        out.print(plain(line), soft_wrap=True)
    out.print()
    for line in next_steps(letter, facts, stack):
        out.print(plain(line), soft_wrap=True)


def _lines(raw: bytes) -> list[str]:
    text = raw.decode(errors="replace")
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2).split("\n")
    except (ValueError, RecursionError):
        return text.split("\n")


def next_steps(letter: Letter, facts: Facts | Absent, stack: str) -> tuple[str, str]:
    """Say what to do about a letter, and the command that does it."""
    if isinstance(facts, Absent):
        return f"It cannot be redriven: {facts.why}. When it is no longer needed:", _command("drop", letter, stack)
    follows = _WHAT_FOLLOWS.get(letter.reason, "When the cause is fixed:")
    return follows, _command("redrive", letter, stack)


def _command(verb: str, letter: Letter, stack: str) -> str:
    words = ["flagcast", "dlq", verb, "--event-id", letter.name]
    if letter.task:
        words += ["--destination", letter.destination]
    return "  " + shlex.join([*words, *(() if stack == STACK else ("--stack", stack))])


def show_refusals(refusals: Sequence[Refusal]) -> None:
    """Print why letters stay, each reason once."""
    by_reason: dict[str, list[Letter]] = {}
    for each in refusals:
        by_reason.setdefault(each.why, []).append(each.letter)
    for why, letters in by_reason.items():
        names = ", ".join(each.name for each in letters[:_MOST_NAMES])
        more = f" and {len(letters) - _MOST_NAMES} more" if len(letters) > _MOST_NAMES else ""
        text = f"{why}: {names}{more}"
        out.print(marked("[red]✗[/] {} not redriven: {}", len(letters), text), soft_wrap=True)


def age(seconds: float) -> str:
    """Write a length of time as people say it, to two units: 3d4h, 5m, 20s."""
    left = max(int(seconds), 0)
    parts: list[str] = []
    for unit, length in (("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", 1)):
        number, left = divmod(left, length)
        if number or (unit == "s" and not parts):
            parts.append(f"{number}{unit}")
    return "".join(parts[:2])
