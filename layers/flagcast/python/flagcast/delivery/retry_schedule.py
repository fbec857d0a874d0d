"""When a task is tried again: one table of numbers and two pure functions."""

import math
from collections.abc import Callable, Iterable

from flagcast.config.model import Retry
from flagcast.primitives.duration import DAY, HOUR, MINUTE
from flagcast.tasks.received_message import Wear

Random = Callable[[], float]
"""Uniform over [0, 1): random.random."""

SHORTEST_DELAY = 1
LONGEST_DELAY = 11 * HOUR + 30 * MINUTE
"""SQS keeps a message invisible for at most 12 h counted from its receive, so this leaves room for the attempt.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
"""

PUT_OFF = MINUTE
JITTER = 0.2

MOST_RECEIVES = 900
LONGEST_STAY = 13 * DAY
"""A task leaves the queue by itself before the queue's own net takes it without a reason: 1000 receives, 14 days."""

FREE_RECEIVES = 50
"""Receives in which a delay is what the schedule says; after that the rest is spread over the rest of the stay."""

FREE_RECEIVES_TO_SLOT = 450
"""As many where the delay leads to a slot: to come late is to lose it, and to wait for another."""


def backoff(retry: Retry, attempts: int, random: Random, retry_after: float | None = None) -> float:
    """Return the seconds to wait after the nth attempt.

    initial x multiplier^(n-1), capped, +-20 % jitter; a Retry-After that is longer is respected as it is.
    """
    try:
        grown = retry.initial_interval * float(retry.multiplier) ** max(attempts - 1, 0)
    except OverflowError:
        grown = math.inf
    scheduled = min(grown, retry.max_interval)
    return max(jittered(scheduled, random), retry_after or 0)


def jittered(seconds: float, random: Random) -> float:
    """Spread a delay by +-20 %, so that tasks that failed together do not come back together."""
    return seconds * (1 + JITTER * (2 * random() - 1))


def whole_delay(seconds: float, group: Iterable[Wear], free: int = FREE_RECEIVES) -> int:
    """Return the visibility timeout for a delay, in whole seconds that SQS takes.

    `group` is the task and those behind it in its group: they are received whenever it is, so past `free` receives
    the delay is at least so long that none of them runs out of receives before its 13 days.
    """
    least = max((_spread(wear) for wear in group if wear.receives > free), default=0.0)
    return math.ceil(min(max(seconds, least, SHORTEST_DELAY), LONGEST_DELAY))


def _spread(wear: Wear) -> float:
    return max(LONGEST_STAY - wear.queued, 0.0) / max(MOST_RECEIVES - wear.receives, 1)
