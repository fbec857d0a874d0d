"""What a stack costs a month, by stage: quantities from the design and the measured durations, times the prices."""

from collections.abc import Callable, Iterator
from math import ceil

from msgspec import Struct

from benchmarks import prices
from benchmarks.prices import Price
from benchmarks.results_file import Result
from benchmarks.sizes import SLOW

MEMORY = 512
DESTINATIONS = 3
RETRIED = 0.01
"""Share of the deliveries that fail once and are made again."""
LARGE = 0.001
"""Share of the events that are too large for a message."""
AWS_ANSWERS = 10
"""Milliseconds in which SQS answers ingest's send on AWS; the benchmark's stub answers at once. An assumption."""
POLLERS, POLL = 5, 20
"""Lambda's pollers of the queue, and the seconds for which one waits.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html: with MaximumConcurrency set there are no fewer.
"""
MONTH = 30 * 24 * 3600
SECRETS_KEPT = 300
"""Seconds for which a function keeps a secret; one call a function each while there is traffic."""
ALARMS = 11
"""Those of the template that watch a metric, the query that watches each destination's failures aside."""
LINES = {"ingest": 360, "deliver": 790, "Lambda": 330}
"""Bytes of the line of an accepted event, of an attempt, and of what Lambda writes itself for an invocation."""
EVENTS = (0, 1_000, 1_000_000)


class Item(Struct, frozen=True):
    """So much of something that has a price."""

    stage: str
    what: str
    quantity: float
    price: Price

    def dollars(self, *, with_free: bool) -> float:
        """Return the price, less what every account has free if it is not used up elsewhere."""
        return max(self.quantity - (self.price.free if with_free else 0), 0) * self.price.dollars


def items(events: int, ingest_ms: float, deliver_ms: float) -> Iterator[Item]:
    """Yield what a month with so many events uses, each for three destinations, evenly over the month.

    Every task is an invocation of its own, which is the dearest: under load up to ten share one.
    """
    deliveries = events * DESTINATIONS
    attempts = deliveries * (1 + RETRIED)
    gigabytes = MEMORY / 1024
    sends = events * ceil(DESTINATIONS / 10)
    polls = POLLERS * MONTH / POLL
    seconds_kept = min(MONTH, events * SECRETS_KEPT)
    series = 1 + 5 * DESTINATIONS if events else 0
    written = events * (LINES["ingest"] + LINES["Lambda"]) + attempts * (LINES["deliver"] + LINES["Lambda"])
    logs = written / 1e9
    yield Item("API Gateway", "requests", events, prices.HTTP_API)
    yield Item("Lambda ingest", "invocations", events, prices.LAMBDA_REQUEST)
    yield Item("Lambda ingest", "GB-s", events * (ingest_ms + AWS_ANSWERS) / 1000 * gigabytes, prices.LAMBDA_TIME)
    yield Item("SQS FIFO", "send, receive, delete, delay", sends + 2 * attempts + deliveries * RETRIED, prices.SQS_FIFO)
    yield Item("SQS FIFO", "empty receives", max(polls - attempts, 0), prices.SQS_FIFO)
    yield Item("Lambda deliver", "invocations", attempts, prices.LAMBDA_REQUEST)
    yield Item("Lambda deliver", "GB-s", attempts * deliver_ms / 1000 * gigabytes, prices.LAMBDA_TIME)
    yield Item(
        "DynamoDB", "reads: rest and circuit of each attempt, row of a retry", 2.01 * attempts, prices.DYNAMODB_READ
    )
    yield Item("DynamoDB", "writes: row of what goes back", deliveries * RETRIED, prices.DYNAMODB_WRITE)
    yield Item("S3", "bodies stored", events * LARGE, prices.S3_PUT)
    yield Item("S3", "bodies fetched", attempts * LARGE, prices.S3_GET)
    yield Item("CloudWatch Logs", "GB in", logs, prices.LOGS)
    yield Item("CloudWatch Logs", "GB kept 30 days", logs, prices.LOGS_KEPT)
    yield Item("Custom metrics", "series", series, prices.METRIC)
    yield Item("Alarms", "metrics", ALARMS, prices.ALARM)
    yield Item("Alarms", "destinations in the query", DESTINATIONS if events else 0, prices.QUERY_ALARM)
    yield Item("Dashboard", "dashboards", 1, prices.DASHBOARD)
    yield Item("Secrets Manager", "secrets: Flipt's, one for each destination", 1 + DESTINATIONS, prices.SECRET)
    yield Item("Secrets Manager", "calls", (1 + DESTINATIONS) * seconds_kept / SECRETS_KEPT, prices.SECRET_CALL)


def sections(result: Result) -> dict[str, str]:
    """Return the computed sections of docs/cost.md."""
    from benchmarks.documents import table

    size = result.at(MEMORY)
    months = [list(items(events, size.ingest_warm, size.deliver_one)) for events in EVENTS]
    stages = list(dict.fromkeys(item.stage for item in months[0]))

    def by(chosen: Callable[[Item], bool]) -> list[str]:
        costs = [sum(item.dollars(with_free=False) for item in month if chosen(item)) for month in months]
        costs.append(sum(item.dollars(with_free=True) for item in months[-1] if chosen(item)))
        return [f"{each:,.2f}" if each >= 0.005 or each == 0 else f"{each:.4f}" for each in costs]

    rows = [[stage, *by(lambda item, stage=stage: item.stage == stage)] for stage in stages]  # type: ignore[misc]  # the default binds it
    headings = [
        "$ a month",
        *(f"{events:,} events" if events else "idle" for events in EVENTS),
        "1,000,000, less what is free",
    ]
    quantities = [
        [item.stage, item.what, f"{item.quantity:,.0f}" if item.quantity >= 10 else f"{item.quantity:.2f}",
         f"{item.price.dollars:.10f}".rstrip("0").rstrip("."), item.price.unit]
        for item in months[-1]
    ]  # fmt: skip
    total = ["**together**", *(f"**{each}**" for each in by(lambda _: True))]
    ingest = f"ingest {size.ingest_warm} ms + {AWS_ANSWERS} ms for SQS's answer"
    duration = f"{MEMORY} MB, {ingest}, deliver {size.deliver_one} ms at a destination that answers in {SLOW} ms"
    return {
        "stages": f"{duration} ({result.date}).\n\n{table(headings, [*rows, total])}",
        "quantities": table(["stage", "what", "quantity", "$ for one", "unit"], quantities, 2),
        "peers": table(["$ a month", *headings[1:4]], _peers([by(lambda _: True)[at] for at in range(3)])),
        "prices": _price_list(),
    }


def _peers(ours: list[str]) -> Iterator[list[str]]:
    yield ["Flagcast, nothing free", *ours]
    yield ["Flipt direct", *("0" for _ in EVENTS)]
    each = prices.HTTP_API.dollars + prices.EVENTBRIDGE_EVENT.dollars
    each += DESTINATIONS * prices.EVENTBRIDGE_DESTINATION.dollars
    bridge = [f"{events * each:,.2f}" for events in EVENTS]
    yield ["EventBridge API destinations behind an HTTP API", *bridge]
    for name, free, paid in (
        ("Svix", prices.SVIX_FREE_MESSAGES, prices.SVIX_PAID),
        ("Hookdeck Event Gateway", prices.HOOKDECK_FREE_EVENTS, prices.HOOKDECK_PAID),
    ):
        yield [
            name,
            *("0" if events * DESTINATIONS <= free else f"{paid.dollars:.0f} and what is over" for events in EVENTS),
        ]


def _price_list() -> str:
    named = {name: price for name, price in vars(prices).items() if isinstance(price, Price)}
    lines = [f"- {price.unit}: {price.source}" for price in named.values()]
    return f"Looked up {prices.READ}, US East (N. Virginia), without tax:\n\n" + "\n".join(dict.fromkeys(lines))
