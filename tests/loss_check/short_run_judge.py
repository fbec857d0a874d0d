"""The verdict on a small run, in which no function is killed and no answer lost: so nothing excuses a duplicate."""

from collections import Counter, defaultdict

from flagcast_cli.local.receiver_script import Received
from tests.loss_check import setup
from tests.loss_check.events import Made
from tests.loss_check.short_run import DESTINATIONS, ORDERED, Letter, Seen

ANSWERS = {"genuine": 200, "no event": 400, "unsigned": 401, "wrongly signed": 401}
REASONS = {422: "rejected", 302: "rejected", 410: "gone"}
"""The dead letter's reason, by what the destination answered; whatever else it answers is no reason for one."""
NO_DESTINATION = "-"


class Judge:
    """Holds what was seen against the promises; what it finds is in `broken`, how much there was in `counts`."""

    def __init__(self, seen: Seen) -> None:
        self.broken: list[str] = []
        self.counts: Counter[str] = Counter()
        self._seen = seen
        self._arrivals: defaultdict[tuple[str, str], list[Received]] = defaultdict(list)
        self._lines: defaultdict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
        self._letters: defaultdict[tuple[str, str], list[Letter]] = defaultdict(list)
        places = {event.event_id: (at, event) for at, (event, _) in enumerate(seen.sent)}
        for request in seen.requests:
            event_id, destination = _event_id(request), request.path.split("/")[1]
            if event_id in places:
                at, event = places[event_id]
                self._arrivals[event_id, destination].append(request)
                self._lines[destination, event.subject].append((at, event_id))
                self.counts[f"answered {request.answered}"] += 1
        for letter in seen.letters:
            self._letters[letter.event_id, letter.destination].append(letter)

    def judge(self) -> "Judge":
        """Judge everything."""
        for event, status in self._seen.sent:
            self.counts[event.kind] += 1
            self.counts["large"] += event.mark == "large"
            if status != ANSWERS[event.kind]:
                self.broken.append(f"event {event.number} ({event.kind}) was answered {status}")
            for destination in (*DESTINATIONS, NO_DESTINATION):
                self._judge_task(event, status, destination)
            self._judge_archived(event, status)
        self._judge_order()
        if self._seen.left:
            self.broken.append("tasks were still on the queue")
        return self

    def _judge_task(self, event: Made, status: int, destination: str) -> None:
        arrivals, letters = self._arrivals[event.event_id, destination], self._letters[event.event_id, destination]
        good = [each for each in arrivals if each.answered is not None and 200 <= each.answered <= 299]
        task = f"event {event.number} ({event.kind}) for {destination}"
        told = f"{task}: answers {[each.answered for each in arrivals]}, {letters}"
        if destination == NO_DESTINATION:
            wanted = status == ANSWERS["no event"]
        else:
            wanted = status == ANSWERS["genuine"] and setup.wants(DESTINATIONS, destination, event)
        ends = len(good) + len(letters)
        self.counts.update(tasks=wanted, delivered=bool(good), dead=bool(letters))
        if not wanted and (arrivals or letters):
            self.broken.append(f"a trace of what no one should have: {told}")
        elif wanted and ends != 1:
            self.broken.append(f"{'ended more than once' if ends else 'lost'}: {told}")
        for letter in letters:
            reason = REASONS.get(arrivals[-1].answered or 0) if arrivals else "invalid_event"
            if letter.reason != reason or (arrivals and letter.status != str(arrivals[-1].answered)):
                self.broken.append(f"untrue reason: {told}")
        if any(each.answered in REASONS for each in arrivals[:-1]):
            self.broken.append(f"asked again after a refusal: {told}")
        if destination in ORDERED and any(each.body != event.body for each in arrivals):
            self.broken.append(f"not as it was sent: {task}")

    def _judge_archived(self, event: Made, status: int) -> None:
        """What was accepted, and what was authentic and is no event, has one object that its signature proves."""
        found = self._seen.archived.get(event.event_id, [])
        wanted = status in (ANSWERS["genuine"], ANSWERS["no event"])
        self.counts["archived"] += bool(found)
        if found != ([""] if wanted else []):
            self.broken.append(f"event {event.number} ({event.kind}), {status}, in the archive: {found}")

    def _judge_order(self) -> None:
        """Nothing is asked about an event while an earlier one of its line is still to be asked about."""
        for (destination, subject), line in self._lines.items():
            if destination not in ORDERED:
                continue
            self.counts["order compared"] += len(line) - 1
            if sorted(line) != line:
                self.broken.append(f"reordered: {subject} at {destination}: {[at for at, _ in line]}")


def _event_id(request: Received) -> str:
    return next(value for name, value in request.headers if name.lower() == "webhook-id")
