"""Which limits are reached first: arithmetic from the measured times, the template's defaults and AWS's quotas."""

from collections.abc import Iterator

import msgspec
from tests.support.template import written

from benchmarks import isolation
from benchmarks.cost import AWS_ANSWERS, MEMORY
from benchmarks.markdown import table
from benchmarks.recovery import Recovered
from benchmarks.results_file import Result
from benchmarks.sizes import SLOW

BATCH = 10
LOOK_AHEAD, ALARMED_AT = 120_000, 80_000
"""Messages into which SQS looks for message groups that can be received, and when an alarm notifies.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/avoid-backlog-with-the-same-message-group-id.html
"""
IN_FLIGHT = 120_000
"""Messages that may be in flight at the same time; it was 20,000 once.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-fifo.html
"""
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
SHAPES = ("groups of 1", "groups of 10")
"""How many deliveries of one message group wait at a time."""
HOUR, DAY = 3600, 86_400


def overhead(result: Result, tasks: int) -> float:
    """Return the milliseconds of an invocation beyond the destination's own."""
    size = result.at(MEMORY)
    return (size.deliver_one if tasks == 1 else size.deliver_ten) - SLOW


def default(parameter: str) -> int:
    """Return the default of one of the template's parameters."""
    return int(written()["Parameters"][parameter]["Default"])


def many_groups(result: Result, answer: float, concurrency: int) -> float:
    """Return the deliveries a second of so many functions, each with ten tasks of ten message groups."""
    return concurrency * BATCH / (answer + overhead(result, BATCH)) * 1000


def full_groups(result: Result, answer: float, concurrency: int) -> float:
    """Return the deliveries a second of so many functions, each with ten tasks of one message group.

    SQS returns as many messages of one group as it can:
    https://repost.aws/knowledge-center/sqs-fifo-messages-not-returned
    """
    return concurrency * one_group(result, answer)


def one_group(result: Result, answer: float) -> float:
    """Return the deliveries a second of one message group, which are made one after the other."""
    return 1000 / (answer + overhead(result, 1))


def hours_until(tasks: int, rate: float) -> float:
    """Return after how long a destination that takes nothing has so many tasks waiting, at events a second."""
    return tasks / rate / HOUR


def sections(result: Result) -> dict[str, str]:
    """Return the computed sections of docs/scaling.md."""
    size = result.at(MEMORY)
    ingest = size.ingest_warm + AWS_ANSWERS
    concurrency, rate = default("MaximumConcurrency"), default("ThrottlingRate")
    throughput = [
        [
            f"{answer:,} ms",
            *(f"{many_groups(result, answer, each):,.0f}" for each in (concurrency, LAMBDA)),
            *(f"{full_groups(result, answer, each):,.0f}" for each in (concurrency, LAMBDA)),
            f"{one_group(result, answer):,.1f}",
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
            [
                "destinations answer in",
                *(f"{groups}, {each:,} functions" for groups in SHAPES for each in (concurrency, LAMBDA)),
                "one group",
            ],
            throughput,
        ),
        "measured": "\n".join(_measured(result)),
        "dead": table(
            ["events a second", "waiting after a day", f"{ALARMED_AT:,} waiting", f"{LOOK_AHEAD:,} waiting"], dead, 0
        ),
        "fill": f"{LOOK_AHEAD:,} deliveries in a day are {LOOK_AHEAD / DAY:.2f} events a second for that destination.",
        "quotas": table(
            ["limit", "value", "reached at"],
            [
                ["the stack's own throttle, `ThrottlingRate`", f"{rate:,} requests/s", f"{rate:,} events/s"],
                ["API Gateway, an account", f"{API_GATEWAY:,} requests/s", f"{API_GATEWAY:,} events/s"],
                [
                    "Lambda, an account",
                    f"{LAMBDA:,} at a time",
                    f"{LAMBDA / ingest * 1000:,.0f} events/s at {ingest:.1f} ms of ingest",
                ],
                [
                    "SQS FIFO, messages in flight",
                    f"{IN_FLIGHT:,}",
                    f"{IN_FLIGHT:,} message groups whose first delivery is deferred",
                ],
                [
                    "SQS FIFO, one message group",
                    f"{PARTITION} calls/s",
                    f"{PARTITION:,} events/s of one subject for one destination",
                ],
            ],
        ),
    }


def backlogs() -> list[Recovered]:
    """Return what functions were measured at that were given a backlog for the first time."""
    found = msgspec.convert(msgspec.json.decode(isolation.RESULTS.read_bytes())["recovery"], list[Recovered])
    return [each for each in found if each.kind == "received for the first time"]


def _measured(result: Result) -> Iterator[str]:
    yield "[performance.md](performance.md#one-destination-that-hangs-or-fails) has measured both, at 50 ms:"
    yield ""
    for each in backlogs():
        rate = (many_groups if each.of_a_group == 1 else full_groups)(result, SLOW, each.functions)
        yield (
            f"- {each.functions} functions, groups of {each.of_a_group}: {each.rate.median:.0f} deliveries a second; "
            f"calculated {rate:.0f}"
        )
    yield ""
    yield "Eight functions shared two cores there, which is less than they have on AWS."


def _hours(hours: float) -> str:
    return "never: deliveries expire first" if hours > DAY / HOUR else f"after {hours:.1f} h"
