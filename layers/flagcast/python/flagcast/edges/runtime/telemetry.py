"""What the functions say: one wide JSON line each time, log and metrics in one (CloudWatch EMF).

With summaries/log_fields.py the only place that knows the names of log fields, metrics and dimensions. A line never
holds a body, a header, an address or a secret, and a dimension's value never comes from a caller.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import sys
import traceback
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from flagcast.errors import FlagcastError, QueueUnavailable, StateUnavailable
from flagcast.events.event import Event
from flagcast.primitives.timestamp import rfc3339
from flagcast.summaries import log_fields
from flagcast.tasks.outcomes import (
    Answered,
    Attempted,
    Decision,
    Done,
    Filtered,
    GiveUp,
    NotNow,
    Outcome,
    RetryIn,
    Unreachable,
)
from flagcast.tasks.received_message import Message
from flagcast.tasks.task import NO_DESTINATION, Task

NAMESPACE = "Flagcast"
"""Metrics are under it and the stack's name: another stack of the account must not trouble this one's alarms."""

UNKNOWN = "-"

Unit = Literal["Count", "Milliseconds"]


def _write(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


class Telemetry:
    """Writes the lines; `now` in epoch seconds."""

    def __init__(
        self, now: Callable[[], float], stack: str, write: Callable[[str], None] = _write, *, names: bool = False
    ) -> None:
        """Keep the clock, the stack's name (it may be empty), where lines go, and whether they say who changed what."""
        self._now = now
        self._namespace = f"{NAMESPACE}/{stack}" if stack else NAMESPACE
        self._write = write
        self._names = names

    def accepted(self, source: str, event_id: str, event: Event, destinations: list[str], seconds: float) -> None:
        """Tell that an event is stored for every destination that wants it."""
        self._emit(
            "event.accepted",
            {
                "event_id": event_id, "source": source,
                **log_fields.of_event(event, names=self._names),
                "destinations": destinations, "duration_ms": _ms(seconds), "EventsAccepted": 1,
            },
            [_metrics(["source"], EventsAccepted="Count")],
        )  # fmt: skip

    def probed(self, source: str, event_id: str, seconds: float) -> None:
        """Tell that a probe was answered: it is no event, so no metric counts it."""
        self._emit("probe.answered", {"event_id": event_id, "source": source, "duration_ms": _ms(seconds)}, [])

    def rejected(self, source: str | None, reason: str, detail: str = "") -> None:
        """Log that a request was not accepted, and nothing of the request itself."""
        self._emit(
            "event.rejected",
            {"source": source or UNKNOWN, "reason": reason, "detail": detail, "EventsRejected": 1},
            [_metrics(["source", "reason"], EventsRejected="Count")],
        )

    def attempted(
        self,
        message: Message,
        outcome: Outcome | None,
        decision: Decision,
        attempts: int,
        seconds: float,
        gives_up_at: float | None = None,
    ) -> None:
        """Tell what came of a task after so many attempts, and what follows."""
        now = self._now()
        task = message.task if isinstance(message.task, Task) else None
        fields: dict[str, Any] = {
            "event_id": task.event_id if task else UNKNOWN,
            "delivery_id": task.id if task else UNKNOWN,
            "source": task.source if task else UNKNOWN,
            "destination": task.destination if task else NO_DESTINATION,
            **({"replay": task.replay.id} if task and task.replay else {}),
            "message_id": message.id,
            "attempt": attempts,
            "receives": message.receives,
            "outcome": _outcome(outcome, decision),
            "duration_ms": _ms(seconds),
            "age_ms": _ms(now - message.sent_at),
            **log_fields.of_outcome(outcome, names=self._names),
            "Deliveries": 1,
        }
        metrics = [_metrics(["destination", "outcome"], Deliveries="Count")]
        by_destination: dict[str, Unit] = {}
        if isinstance(outcome, Attempted):
            fields |= {"Failed": 0 if isinstance(decision, Done) else 1, "DeliveryLatency": _ms(seconds)}
            by_destination |= {"Failed": "Count", "DeliveryLatency": "Milliseconds"}
        match decision:
            case Done():
                fields["EndToEndLatency"] = fields["age_ms"]
                by_destination["EndToEndLatency"] = "Milliseconds"
            case RetryIn(delay):
                fields |= {
                    "waits_for": log_fields.waits_for(outcome, decision),
                    "next_attempt_at": rfc3339(now + delay),
                }
                if gives_up_at is not None:
                    fields["gives_up_at"] = rfc3339(gives_up_at)
            case GiveUp(reason):
                fields |= {"reason": reason, "DeadLettered": 1}
                metrics.append(_metrics(["destination", "reason"], DeadLettered="Count"))
        if by_destination:
            metrics.append(_metrics(["destination"], **by_destination))
        self._emit("delivery.attempted", fields, metrics)

    def queue_failed(self, action: str, error: QueueUnavailable) -> None:
        """Tell that SQS did not do something that can be done without."""
        self._emit(
            "queue.failed",
            {"action": action, "detail": str(error), "QueueFailures": 1},
            [_metrics([], QueueFailures="Count")],
        )

    def state_failed(self, action: str, error: StateUnavailable) -> None:
        """Tell that the state table did not do something that can be done without."""
        self._emit(
            "state.failed",
            {"action": action, "detail": str(error), "StateFailures": 1},
            [_metrics([], StateFailures="Count")],
        )

    def circuit_changed(self, destination: str, before: str, after: str) -> None:
        """Tell that a destination's circuit opened, is probed, or closed."""
        self._emit(
            "circuit.changed",
            {"destination": destination, "before": before, "after": after, "CircuitChanges": 1},
            [_metrics(["destination", "after"], CircuitChanges="Count")],
        )

    def notice_queued(self, kind: str, destination: str, through: str, event_id: str) -> None:
        """Log that another destination will be notified of a destination's trouble, or of its end."""
        self._emit(
            "notice.queued",
            {"kind": kind, "destination": destination, "through": through, "event_id": event_id, "Notices": 1},
            [_metrics(["destination", "kind"], Notices="Count")],
        )

    def configuration_unreadable(self, error: FlagcastError) -> None:
        """Log that nothing can be delivered until the configuration is fixed."""
        self._emit(
            "configuration.unreadable",
            {"detail": str(error), "ConfigurationUnreadable": 1},
            [_metrics([], ConfigurationUnreadable="Count")],
        )

    def broke(self, error: BaseException) -> None:
        """Log an unexpected error by its type and place: its message may hold anything."""
        trace = traceback.extract_tb(error.__traceback__)
        frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in trace]

        self._emit("error", {"error": type(error).__name__, "at": frames, "Errors": 1}, [_metrics([], Errors="Count")])

    def _emit(self, event: str, fields: dict[str, Any], metrics: list[dict[str, Any]]) -> None:
        directives = [{"Namespace": self._namespace, **each} for each in metrics]
        line = {
            "event": event,
            **fields,
            "_aws": {"Timestamp": int(self._now() * 1000), "CloudWatchMetrics": directives},
        }
        self._write(msgspec.json.encode(line).decode() + "\n")


def _metrics(dimensions: list[str], **units: Unit) -> dict[str, Any]:
    # Unit may be left out, and a count needs none: it would be half as long as the rest.
    metrics = [{"Name": name} | ({} if unit == "Count" else {"Unit": unit}) for name, unit in units.items()]
    return {"Dimensions": [dimensions], "Metrics": metrics}


def _outcome(outcome: Outcome | None, decision: Decision) -> str:
    match outcome, decision:
        case _, GiveUp():
            return "dead_lettered"
        case Filtered(), _:
            return "filtered"
        case _, Done():
            return "delivered"
        case Answered() | NotNow() | Unreachable(), _:
            return "retrying"
        case _:
            return "put_off"


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
