"""What a function waited for in vain: its process alone knows, as a busy machine makes any answer come too late."""

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from msgspec import structs

from flagcast.edges.runtime import bounded_calls
from flagcast.exchange.aws_request import AwsRequest
from flagcast.exchange.request import Request
from flagcast.tasks.outcomes import Outcome, Unreachable

ATTEMPT = "X-Attempt"
Send = Callable[[Request | AwsRequest, float], Outcome]


class Patience:
    """Numbers what a function waits for until a deadline, and tells which answers had not come by then.

    They are told before the function goes on. One that gives up before its deadline has no excuse.
    """

    def __init__(self, tell: Callable[[list[int]], object]) -> None:
        """Keep what takes the numbers of the answers that did not come."""
        self._tell = tell
        self._numbers = itertools.count(1)
        self._of_thread = threading.local()

    @property
    def number(self) -> int:
        """Return the number of the call that this thread makes, 0 if no one waits for it until a deadline."""
        return getattr(self._of_thread, "number", 0)

    def within[T](self, deadline: float, calls: Sequence[Callable[[], T]]) -> list[Future[T]]:
        """Make calls as the product does."""
        numbered = {next(self._numbers): call for call in calls}
        futures = bounded_calls.within(deadline, [self._numbered(*each) for each in numbered.items()])
        late = [number for number, future in zip(numbered, futures, strict=True) if not future.done()]
        self._note(late, deadline)
        return futures

    def send(self, send: Send) -> Send:
        """Return what sends a request as the product does; one by HTTP has its number in a header."""

        def sent(request: Request | AwsRequest, deadline: float) -> Outcome:
            if isinstance(request, AwsRequest):
                return send(request, deadline)
            number = next(self._numbers)
            outcome = send(structs.replace(request, headers={**request.headers, ATTEMPT: str(number)}), deadline)
            self._note([number] if isinstance(outcome, Unreachable) else [], deadline)
            return outcome

        return sent

    def _numbered[T](self, number: int, call: Callable[[], T]) -> Callable[[], T]:
        def made() -> T:
            self._of_thread.number = number
            try:
                return call()
            finally:
                self._of_thread.number = 0

        return made

    def _note(self, late: list[int], deadline: float) -> None:
        if late and time.monotonic() >= deadline:
            self._tell(late)
