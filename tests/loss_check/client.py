"""The client: sends each event when it is due, and again until it is accepted, subject by subject in order."""

import base64
import heapq
import threading
from collections import defaultdict, deque
from typing import Any

from flagcast.events.flipt_signature import flipt_signature
from tests.loss_check import setup
from tests.loss_check.events import Made
from tests.loss_check.ledger import Ledger, Sending
from tests.loss_check.seeded_random import SeededRandom, Strikes
from tests.support.api_gateway import http_event

REFUSED = frozenset({400, 401, 404, 405, 413})
GIVES_UP = 0.1
"""How often an event that was not accepted is never sent again."""
UNHEARD = 0.005
"""How often an answer does not reach the client, so that it sends again."""


class Client:
    """Hands out what is to be sent, and takes what was answered; any number of threads may use it."""

    def __init__(
        self, events: list[Made], rate: float, begin: float, dice: SeededRandom, strikes: Strikes, ledger: Ledger
    ) -> None:
        self._due = [(begin + each.number / rate, each.number) for each in events]
        self._events = {each.number: each for each in events}
        self._busy: set[str] = set()
        self._behind: defaultdict[str, deque[int]] = defaultdict(deque)
        self._left = len(events)
        self._dice = dice
        self._strikes = strikes
        self._ledger = ledger
        self._lock = threading.Lock()

    @property
    def is_done(self) -> bool:
        return self._left == 0

    @property
    def next_due(self) -> float | None:
        with self._lock:
            return self._due[0][0] if self._due else None

    def next(self, now: float) -> Sending | None:
        """Return an event whose time has come and whose subject waits for no answer."""
        with self._lock:
            while self._due and self._due[0][0] <= now:
                _, number = heapq.heappop(self._due)
                event = self._events[number]
                sending = self._ledger.sendings.get(number)
                if sending is None:
                    if event.subject in self._busy:
                        self._behind[event.subject].append(number)
                        continue
                    sending = self._ledger.sendings[number] = Sending(event)
                self._busy.add(event.subject)
                return sending
            return None

    def answered(self, sending: Sending, status: int | None, now: float, generation: int) -> None:
        """Take an answer: what is not accepted is sent again after a while, up to a point."""
        event, tries = sending.event, len(sending.statuses)
        if status == 200 and self._dice.roll("unheard", event.number, tries) < UNHEARD and tries < 3:
            self._strikes.strike("client: the answer is lost")
            status = None
        sending.statuses.append(status)
        if status == 200:
            sending.accepted, sending.accepted_at = self._ledger.tick(), now
            sending.generation = generation
        ends = status == 200 or status in REFUSED
        if not ends and self._dice.roll("gives up", event.number, tries) < GIVES_UP:
            self._strikes.strike("client: never sent again")
            ends = True
        with self._lock:
            if not ends:
                heapq.heappush(self._due, (now + 1 + 14 * self._dice.roll("again", event.number, tries), event.number))
                return
            self._left -= 1
            self._busy.discard(event.subject)
            if behind := self._behind[event.subject]:
                heapq.heappush(self._due, (now, behind.popleft()))


def headers(event: Made, secret: str = setup.SIGNING) -> list[tuple[str, str]]:
    """Make the headers of one event's request; `secret` is what a genuine one is signed with."""
    made = [("Content-Type", "application/json")]
    if event.kind != "unsigned":
        used = "another secret" if event.kind == "wrongly signed" else secret
        made.append(("X-Flipt-Webhook-Signature", flipt_signature(event.body, used)))
    return made


def request(event: Made) -> dict[str, Any]:
    """Make what API Gateway hands over; every other body as it does with what is not text to it."""
    made = http_event(headers=headers(event), body=event.body, request_id=f"request-{event.number}")
    if event.number % 2:
        made |= {"body": base64.b64encode(event.body).decode(), "isBase64Encoded": True}
    return made
