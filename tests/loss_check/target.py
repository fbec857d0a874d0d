"""AWS services that destinations send to, and the archive: they take a call, refuse it, or are not heard."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.loss_check.answers import MOST_FAULTS
from tests.loss_check.archive import ARCHIVE, BUCKET, Objects, event_of
from tests.loss_check.clock import SharedClock
from tests.loss_check.ledger import Arrival, Ledger
from tests.loss_check.seeded_random import SeededRandom, Strikes

REFUSED: Mapping[str, tuple[str, int]] = {
    "throttled": ("ThrottlingException", 429),
    "denied": ("AccessDeniedException", 403),
    "missing": ("ResourceNotFoundException", 410),
    "failed": ("InternalFailure", 502),
}
"""By kind: what the service answers, and the status that it stands for."""
KINDS = (*REFUSED, "unreachable", "answer lost", "killed before", "killed after")
CHANCES: Mapping[str, float] = {kind: 0.006 if kind.startswith("killed") else 0.01 for kind in KINDS}
"""Of one call."""

DESTINATIONS = {"send_message": "queue", "put_events": "bus", "put_object": "bucket"}
Reply = tuple[str, Any]


class Targets:
    """A FIFO queue, an event bus and a bucket, and the bucket of the archive."""

    def __init__(
        self,
        clock: SharedClock,
        dice: SeededRandom,
        strikes: Strikes,
        ledger: Ledger,
        scale: float,
        generation: Callable[[int], int],
    ) -> None:
        self._clock = clock
        self._dice = dice
        self._strikes = strikes
        self._ledger = ledger
        self._scale = scale
        self._generation = generation
        self.archive = Objects()

    def call(
        self, pid: int, number: int, operation: str, arguments: Mapping[str, Any], kill: Callable[[int, str], None]
    ) -> Reply | None:
        """Answer a call; None where there is no one left to hear it."""
        is_archive = arguments.get("Bucket") == BUCKET
        destination = ARCHIVE if is_archive else DESTINATIONS[operation]
        event_id = event_of(arguments) if is_archive else _event_id(operation, arguments)
        arrival = Arrival(f"{event_id}:{destination}", 0, self._clock.now(), self._generation(pid), pid, call=number)
        before = self._ledger.arrived(arrival)
        arrival.action = kind = self._chosen(destination, event_id, before)
        if kind in REFUSED:
            code, arrival.status = REFUSED[kind]
            arrival.wants_rest = kind == "throttled"
            if operation == "put_events":
                entry = {"ErrorCode": code, "ErrorMessage": "no"}
                return "ok", {"FailedEntryCount": 1, "Entries": [entry], "ResponseMetadata": {"HTTPStatusCode": 200}}
            return "error", code
        match kind:
            case "unreachable":
                return "unreachable", None
            case "killed before":
                kill(pid, f"before the {destination} was called")
                return None
            case "answer lost":
                if is_archive:
                    self.archive.put(arguments)
                arrival.is_lost = True
                return "no answer", None
        if is_archive and not self.archive.put(arguments):
            arrival.status = 412
            return "error", "PreconditionFailed"
        arrival.status = 200
        if kind == "killed after":
            kill(pid, f"after the {destination} was called")
            return None
        return "ok", {"Entries": [{"EventId": "e"}], "ResponseMetadata": {"HTTPStatusCode": 200}}

    def _chosen(self, destination: str, event_id: str, before: int) -> str:
        if before >= MOST_FAULTS:
            return "good"
        # EventBridge does not tell of a bus that is missing: it takes the event, and drops it.
        not_told = {"missing"} if destination == "bus" else set()
        chances = {kind: chance * self._scale for kind, chance in CHANCES.items() if kind not in not_told}
        kind = self._dice.choose(chances, "target", destination, event_id, before) or "good"
        if kind != "good":
            self._strikes.strike(f"{'archive' if destination == ARCHIVE else 'target'}: {kind}")
        return kind


def _event_id(operation: str, arguments: Mapping[str, Any]) -> str:
    match operation:
        case "send_message":
            return str(arguments["MessageAttributes"]["Webhook-Id"]["StringValue"])
        case "put_events":
            return str(arguments["Entries"][0]["Resources"][0])
        case _:
            return str(arguments["Metadata"]["Webhook-Id"])
