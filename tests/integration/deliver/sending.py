"""What is sent for real, and what came of it without the headers of the answer: each server has others."""

from msgspec import structs

from flagcast.edges.http import transport
from flagcast.exchange.request import Request
from flagcast.tasks.outcomes import Answered, BlockedAddress, Unreachable


def send(request: Request, deadline: float) -> Answered | Unreachable | BlockedAddress:
    """Send a request by a deadline (monotonic seconds)."""
    return without_headers(transport.send(request, deadline))


def without_headers[T](outcome: T) -> T | Answered:
    """Return what came of a request, as it would be without headers."""
    return structs.replace(outcome, headers={}) if isinstance(outcome, Answered) else outcome
