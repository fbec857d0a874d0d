"""How each destination and each source stands: what `flagcast status` answers. Times are RFC 3339 in UTC."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, Final

from msgspec import Struct

from flagcast.events.event import NOTICES
from flagcast.primitives.duration import DAY, HOUR
from flagcast.primitives.timestamp import rfc3339
from flagcast_cli.dlq.queue_look import Key
from flagcast_cli.history import answers
from flagcast_cli.history.answers import Delivery
from flagcast_cli.ledger.event_ids import Asked
from flagcast_cli.ledger.rows import ENDS, STATES, State

_WAITING: Final = tuple(each for each in STATES if each not in ENDS)


class Waiting(Struct, frozen=True):
    """The deliveries of a destination that are in one state; the times are the first of them all."""

    state: State
    count: int
    oldest_accepted_at: str
    next_attempt_at: str | None
    gives_up_at: str | None


class Destination(Struct, frozen=True):
    """How a destination stands; milliseconds are those of its answers in the last day.

    `dead_lettered` counts what is in the dead-letter queue; where it could not be asked, what the log has as dead of
    the last 14 days, in which what was dropped is still counted. `-` is what was no event.
    """

    destination: str
    delivered_last_hour: int
    delivered_last_day: int
    waiting: list[Waiting]
    dead_lettered: int
    p50_ms: int | None
    p95_ms: int | None
    last_failure: Delivery | None


class Source(Struct, frozen=True):
    """How a source stands; `rejected_last_day` counts by reason."""

    source: str
    accepted_last_hour: int
    accepted_last_day: int
    rejected_last_day: dict[str, int]


def destinations(ledger: Asked, now: float, dead_letters: Iterable[Key]) -> list[Destination]:
    """Return how each destination stands that the log knows of, or that has a dead letter."""
    hour, day = (round((now - each) * 1000) for each in (HOUR, DAY))
    delivered = _by_destination(
        ledger.ask(
            "SELECT destination, count(*) AS of_day, sum(at >= ?) AS of_hour FROM fan_out"
            " WHERE state = 'delivered' AND at >= ? GROUP BY destination",
            [hour, day],
        )
    )
    dead = Counter(destination for _, destination in dead_letters)
    waiting, answered, failed = _waiting(ledger), _answered(ledger, day), _failed(ledger, day)
    found = []
    known = {each["destination"] for each in ledger.ask("SELECT DISTINCT destination FROM fan_out")}
    for name in sorted(known | dead.keys()):
        of, times = delivered.get(name, {}), answered.get(name, [])
        found.append(
            Destination(
                destination=name,
                delivered_last_hour=of.get("of_hour", 0),
                delivered_last_day=of.get("of_day", 0),
                waiting=waiting.get(name, []),
                dead_lettered=dead[name],
                p50_ms=_percentile(times, 0.5),
                p95_ms=_percentile(times, 0.95),
                last_failure=failed.get(name),
            )
        )
    return found


def sources(ledger: Asked, now: float) -> list[Source]:
    """Return how each source stands that the log knows of; - stands for none that the configuration has."""
    hour, day = (round((now - each) * 1000) for each in (HOUR, DAY))
    accepted = {
        each["source"]: each
        for each in ledger.ask(
            "SELECT source, sum(at >= ?) AS of_day, sum(at >= ?) AS of_hour FROM events WHERE source <> ?"
            " GROUP BY source",
            [day, hour, NOTICES],
        )
    }
    rejected: dict[str, dict[str, int]] = defaultdict(dict)
    for each in ledger.ask(
        "SELECT source, reason, count(*) AS number FROM rejections WHERE at >= ? GROUP BY source, reason", [day]
    ):
        rejected[each["source"]][each["reason"]] = each["number"]
    return [
        Source(
            name,
            accepted.get(name, {}).get("of_hour", 0),
            accepted.get(name, {}).get("of_day", 0),
            rejected.get(name, {}),
        )
        for name in sorted({*accepted, *rejected})
    ]


def _waiting(ledger: Asked) -> dict[str, list[Waiting]]:
    found: dict[str, list[Waiting]] = defaultdict(list)
    states = ", ".join(f"'{each}'" for each in _WAITING)
    for each in ledger.ask(
        f"""
        SELECT destination, state, count(*) AS number, min(accepted_at) AS oldest, min(next_attempt_at) AS next,
          min(gives_up_at) AS until
        FROM deliveries WHERE state IN ({states}) GROUP BY destination, state ORDER BY destination, state
        """
    ):
        times = [None if each[name] is None else rfc3339(each[name] / 1000) for name in ("next", "until")]
        found[each["destination"]].append(
            Waiting(each["state"], each["number"], rfc3339(each["oldest"] / 1000), *times)
        )
    return found


def _answered(ledger: Asked, since: int) -> dict[str, list[int]]:
    """Return how long each request took, shortest first."""
    found: dict[str, list[int]] = defaultdict(list)
    for each in ledger.ask(
        "SELECT destination, duration_ms FROM attempts"
        " WHERE at >= ? AND (status IS NOT NULL OR why = 'Unreachable') ORDER BY duration_ms",
        [since],
    ):
        found[each["destination"]].append(each["duration_ms"])
    return found


def _failed(ledger: Asked, since: int) -> dict[str, Delivery]:
    """Return the last attempt on each destination that failed, as its delivery."""
    found = ledger.ask(
        """
        SELECT attempts.*, max(attempts.at) AS attempted_at, events.at AS accepted, events.source, events.type,
          events.action, events.namespace, events.flag, events.actor, events.title
        FROM attempts LEFT JOIN events ON events.event_id = attempts.event_id
        WHERE attempts.at >= ? AND state IN ('retrying', 'dead-lettered') GROUP BY destination
        """,
        [since],
    )
    return {
        each["destination"]: answers.delivery({**each, "accepted_at": each["accepted"] or each["at"]}) for each in found
    }


def _by_destination(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each["destination"]: each for each in rows}


def _percentile(ordered: list[int], share: float) -> int | None:
    """Return the value that so many of the values are not above; None of none."""
    return ordered[max(-int(-share * len(ordered) // 1) - 1, 0)] if ordered else None
