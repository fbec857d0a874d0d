"""Which limits bind first: arithmetic from the measured service times and AWS's quotas."""

from benchmarks.cost import AWS_ANSWERS, MEMORY
from benchmarks.results_file import Result
from benchmarks.sizes import SLOW

MAXIMUM_CONCURRENCY = 10
BATCH = 10
LOOK_AHEAD, ALARMED_AT = 120_000, 80_000
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-fifo.html"""
API_GATEWAY = 10_000
"""Requests a second of an account in a region; 2,500 in some.

https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
"""
LAMBDA = 1_000
"""Functions at the same time of an account in a region.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""
PARTITION = 300
"""Calls a second of each kind for one message group, at most.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
"""
ANSWERS = (50, 200, 1_000, 10_000)
"""Milliseconds in which a destination answers; the last is the default timeout."""
RATES = (0.5, 1, 2, 5, 10)
HOUR, DAY = 3600, 86_400


def overhead(result: Result, tasks: int) -> float:
    """Return the milliseconds of an invocation beyond the destination's own."""
    size = result.at(MEMORY)
    return (size.deliver_one if tasks == 1 else size.deliver_ten) - SLOW


def per_second(result: Result, answer: float, concurrency: int = MAXIMUM_CONCURRENCY) -> float:
    """Return the deliveries a second of so many functions, each with ten tasks of ten groups."""
    return concurrency * BATCH / (answer + overhead(result, BATCH)) * 1000


def line(result: Result, answer: float) -> float:
    """Return the deliveries a second of one group, which is one after the other."""
    return 1000 / (answer + overhead(result, 1))


def hours_until(tasks: int, rate: float) -> float:
    """Return after how long a destination that takes nothing has so many tasks waiting, at events a second."""
    return tasks / rate / HOUR


def sections(result: Result) -> dict[str, str]:
    """Return the computed sections of docs/scaling.md."""
    from benchmarks.documents import table

    size = result.at(MEMORY)
    ingest = size.ingest_warm + AWS_ANSWERS
    throughput = [
        [
            f"{answer:,} ms",
            f"{per_second(result, answer):,.0f}",
            f"{per_second(result, answer, LAMBDA):,.0f}",
            f"{line(result, answer):,.1f}",
        ]
        for answer in ANSWERS
    ]
    dead = [
        [
            f"{rate:g}",
            f"{rate * DAY:,.0f}",
            _hours(hours_until(ALARMED_AT, rate)),
            _hours(hours_until(LOOK_AHEAD, rate)),
        ]
        for rate in RATES
    ]
    return {
        "throughput": table(
            ["destinations answer in", f"MaximumConcurrency {MAXIMUM_CONCURRENCY}", f"{LAMBDA:,}", "one group"],
            throughput,
        ),
        "dead": table(
            ["events a second", "waiting after a day", f"{ALARMED_AT:,} waiting", f"{LOOK_AHEAD:,} waiting"], dead, 0
        ),
        "fill": f"{LOOK_AHEAD:,} tasks in a day are {LOOK_AHEAD / DAY:.2f} events a second for that one destination.",
        "quotas": table(
            ["limit", "value", "reached at"],
            [
                ["API Gateway, an account", f"{API_GATEWAY:,} requests/s", f"{API_GATEWAY:,} events/s"],
                [
                    "Lambda, an account",
                    f"{LAMBDA:,} at a time",
                    f"{LAMBDA / ingest * 1000:,.0f} events/s at {ingest:.1f} ms of ingest",
                ],
                [
                    "SQS FIFO, one group",
                    f"{PARTITION} calls/s",
                    f"{PARTITION:,} events/s of one subject for one destination",
                ],
            ],
        ),
    }


def _hours(hours: float) -> str:
    return "never: tasks expire first" if hours > DAY / HOUR else f"after {hours:.1f} h"
