"""What a stack costs a month, by stage: quantities from the design and the measured durations, times the prices."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from tests.support.template import decided
from tests.support.template import written as template

from benchmarks import archive_cost, prices
from benchmarks.alarms import watched
from benchmarks.cost_item import Item
from benchmarks.markdown import table
from benchmarks.prices import Price
from benchmarks.results_file import Result
from benchmarks.sizes import SLOW
from benchmarks.usage import Series, Step, Usage
from benchmarks.usage import read as read_usage

MEMORY = 512
DESTINATIONS = 3
RETRIED = 0.01
"""Share of the deliveries that fail once and are made again."""
LARGE = 0.001
"""Share of the events that are too large for a message."""
AWS_ANSWERS = 20
"""Milliseconds in which AWS answers ingest: 10 for SQS's send, 5 for each of DynamoDB's two calls. An assumption: the
benchmark's stub answers at once, and AWS says no more than "single-digit millisecond" of DynamoDB.
"""
THINGS = 1_000
"""Flags, variants, segments, rules and so on that Flipt has; each has a row. An assumption."""
POLLERS, POLL = 5, 20
"""Lambda's pollers of the queue, and the seconds for which one waits.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html: with MaximumConcurrency set there are no fewer.
"""
HOURS = 30 * 24
MONTH = HOURS * 3600
SECRETS_KEPT = 300
"""Seconds for which a function keeps a secret; one call a function each while there is traffic."""
EVENTS = (0, 1_000, 1_000_000)


QUEUE_CALLS = ("SendMessageBatch", "ChangeMessageVisibilityBatch", "DeleteMessageBatch")


def items(events: int, ingest_ms: float, deliver_ms: float, usage: Usage) -> Iterator[Item]:
    """Yield what a month with so many events uses, each for three destinations, evenly over the month.

    Every task is an invocation of its own, which is the most expensive: under load up to ten share one.
    """
    deliveries = events * DESTINATIONS
    refused = deliveries * RETRIED
    attempts = deliveries + refused
    runs = [
        (usage.ingest, events),
        (usage.delivered, deliveries - refused),
        (usage.refused, refused),
        (usage.again, refused),
    ]
    gigabytes = MEMORY / 1024
    queue_calls = sum(step.calls.get(name, 0) * times for step, times in runs for name in QUEUE_CALLS)
    polls = POLLERS * MONTH / POLL
    seconds_kept = min(MONTH, events * SECRETS_KEPT)
    written = sum((step.log_bytes + usage.lambda_bytes) * times for step, times in runs)
    logs = (written + usage.access_log_bytes * events) / 1e9
    retries, known = refused * usage.row_bytes / 1e9, min(events, THINGS) * usage.known_row_bytes / 1e9
    alarms = watched(decided(template()), {each for step, times in runs if times for each in step.series})
    yield Item("API Gateway", "requests", events, prices.HTTP_API)
    yield Item("Lambda ingest", "invocations", events, prices.LAMBDA_REQUEST)
    yield Item("Lambda ingest", "GB-s", events * (ingest_ms + AWS_ANSWERS) / 1000 * gigabytes, prices.LAMBDA_TIME)
    yield Item("SQS FIFO", "requests of the functions: send, delay", queue_calls, prices.SQS_FIFO)
    yield Item("SQS FIFO", "requests of Lambda: receive, delete", attempts + deliveries, prices.SQS_FIFO)
    yield Item("SQS FIFO", "empty receives", max(polls - attempts, 0), prices.SQS_FIFO)
    yield Item("Lambda deliver", "invocations", attempts, prices.LAMBDA_REQUEST)
    yield Item("Lambda deliver", "GB-s", attempts * deliver_ms / 1000 * gigabytes, prices.LAMBDA_TIME)
    yield Item("DynamoDB", "reads", sum(step.read_units * times for step, times in runs), prices.DYNAMODB_READ)
    yield Item("DynamoDB", "writes", sum(step.write_units * times for step, times in runs), prices.DYNAMODB_WRITE)
    yield Item("DynamoDB", "GB kept 30 days: rows of retries", retries, prices.DYNAMODB_KEPT)
    yield Item("DynamoDB", f"GB kept: rows of {THINGS:,} things that Flipt has", known, prices.DYNAMODB_KEPT)
    yield Item("S3", "bodies stored", events * LARGE, prices.S3_PUT)
    yield Item("S3", "bodies fetched", attempts * LARGE, prices.S3_GET)
    yield Item("CloudWatch Logs", "GB ingested", logs, prices.LOGS)
    yield Item("CloudWatch Logs", "GB kept 30 days", logs, prices.LOGS_KEPT)
    yield Item("Custom metrics", "metrics, by the hours that have a value", _metrics(runs), prices.METRIC)
    yield Item("Alarms", "metrics that the alarms list", alarms.listed, prices.ALARM)
    yield Item("Alarms", "metrics that their queries analyze", alarms.queried, prices.QUERY_ALARM)
    yield Item("Dashboard", "dashboards", 1, prices.DASHBOARD)
    yield Item("Secrets Manager", "secrets: Flipt's, one for each destination", 1 + DESTINATIONS, prices.SECRET)
    yield Item("Secrets Manager", "calls", (1 + DESTINATIONS) * seconds_kept / SECRETS_KEPT, prices.SECRET_CALL)


def _metrics(runs: Sequence[tuple[Step, float]]) -> float:
    """Return how many metrics there are on average: one counts in the hours in which it has a value.

    https://aws.amazon.com/cloudwatch/pricing/. Values are spread evenly, which fills the most hours.
    """
    values: dict[Series, float] = {}
    for step, times in runs:
        for each in step.series:
            # A run of ingest has the metrics of its source; one of deliver those of one destination of several.
            share = DESTINATIONS if "destination" in dict(each.dimensions) else 1
            values[each] = values.get(each, 0) + times / share
    return sum(min(count, HOURS) / HOURS for count in values.values())


def options(usage: Usage, deliver_ms: float) -> Iterator[list[str]]:
    """Yield what is off by default, and what it costs a month: idle, and with a million events."""
    off, on = (watched(decided(template(), QuietHours=hours), set()).listed for hours in ("0", "24"))
    alarm = (on - off) * prices.ALARM.dollars
    yield [
        "`QuietHours`: an alarm, and the metric that it watches",
        f"{alarm:.2f}",
        f"{alarm + prices.METRIC.dollars:.2f}",
    ]
    size = (EVENTS[-1] * DESTINATIONS * RETRIED * usage.row_bytes + THINGS * usage.known_row_bytes) / 1e9
    backed_up = size * prices.DYNAMODB_BACKUP.dollars
    yield ["`PointInTimeRecovery`: by the size of the state table", "0.00", f"{backed_up:.4f}"]
    kept = archive_cost.dollars(EVENTS[-1], MEMORY, deliver_ms, usage)
    yield ["`ArchiveDays`: a delivery and an object for each event ([below](#the-archive))", "0.00", f"{kept:.2f}"]
    yield ["`KmsKeyArn`: the key; its requests come on top", *[f"{prices.KEY.dollars:.2f}"] * 2]


def targets() -> Iterator[list[str]]:
    """Yield what AWS takes for a million events that one destination sends to one of its services."""
    services = {
        "SQS standard queue": prices.SQS_STANDARD,
        "SQS FIFO queue": prices.SQS_FIFO,
        "SNS standard topic; what it delivers comes on top": prices.SNS,
        "SNS FIFO topic; its data comes on top": prices.SNS_FIFO,
        "EventBridge event bus": prices.EVENTBRIDGE_EVENT,
        "S3 bucket; what it keeps comes on top": prices.S3_PUT,
    }
    for service, price in services.items():
        yield [service, f"{EVENTS[-1] * price.dollars:.2f}"]


def untracked(usage: Usage) -> str:
    """Say what a stack saves that does not keep what Flipt has."""
    read, written = (EVENTS[-1] * each for each in (usage.ingest.read_units, usage.ingest.write_units))
    saved = read * prices.DYNAMODB_READ.dollars + written * prices.DYNAMODB_WRITE.dollars
    return (
        f"With `TrackChanges=off` ingest makes neither the read nor the write: ${saved:.2f} less for "
        f"{EVENTS[-1]:,} events, and {THINGS:,} rows of {usage.known_row_bytes / 1024:.1f} KB fewer in the table."
    )


def sections(result: Result) -> dict[str, str]:
    """Return the computed sections of docs/cost.md."""
    size, usage = result.at(MEMORY), read_usage()
    months = [list(items(events, size.ingest_warm, size.deliver_one, usage)) for events in EVENTS]
    stages = list(dict.fromkeys(item.stage for item in months[0]))

    def by(chosen: Callable[[Item], bool]) -> list[str]:
        costs = [sum(item.dollars(with_free=False) for item in month if chosen(item)) for month in months]
        costs.append(sum(item.dollars(with_free=True) for item in months[-1] if chosen(item)))
        return [f"{each:,.2f}" if each >= 0.005 or each == 0 else f"{each:.4f}" for each in costs]

    rows = [[stage, *by(partial(Item.is_of, stage=stage))] for stage in stages]
    headings = [
        "$ a month",
        *(f"{events:,} events" if events else "idle" for events in EVENTS),
        "1,000,000, less the free tier",
    ]
    quantities = [
        [item.stage, item.what, f"{item.quantity:,.0f}" if item.quantity >= 10 else f"{item.quantity:.4g}",
         f"{item.price.dollars:.10f}".rstrip("0").rstrip("."), item.price.unit]
        for item in months[-1]
    ]  # fmt: skip
    total = ["**total**", *(f"**{each}**" for each in by(lambda _: True))]
    ingest = f"ingest {size.ingest_warm} ms + {AWS_ANSWERS} ms for the answers of DynamoDB and SQS"
    duration = f"{MEMORY} MB, {ingest}, deliver {size.deliver_one} ms at a destination that answers in {SLOW} ms"
    cold = size.ingest_cold / 1000 * MEMORY / 1024 * prices.LAMBDA_TIME.dollars
    return {
        "stages": f"{duration} ({result.date}).\n\n{table(headings, [*rows, total])}",
        "cold": f"A cold start of ingest took {size.ingest_cold / 1000:.1f} s at {MEMORY} MB, which is ${cold:.6f}.",
        "usage": _usage(usage),
        "quantities": table(["stage", "what", "quantity", "$ for one", "unit"], quantities, 2),
        "untracked": untracked(usage),
        "archive": archive_cost.section(EVENTS[-1], MEMORY, size.deliver_one, usage),
        "options": table(["$ a month", "idle", f"{EVENTS[-1]:,} events"], options(usage, size.deliver_one)),
        "targets": table(["a destination that is an", f"$ for {EVENTS[-1]:,} events"], targets()),
        "peers": table(["$ a month", *headings[1:4]], _peers([by(lambda _: True)[at] for at in range(3)])),
        "prices": _price_list(),
    }


def _usage(usage: Usage) -> str:
    steps = {
        "an event accepted": usage.ingest,
        "a delivery": usage.delivered,
        "an attempt that is answered 500": usage.refused,
        "the delivery after it": usage.again,
    }
    rows = [
        [
            what,
            f"{step.log_bytes:.0f}",
            f"{usage.access_log_bytes:.0f}" if step is usage.ingest else "",
            ", ".join(f"{count:g} {name}" for name, count in step.calls.items()),
            f"{step.read_units:g}",
            f"{step.write_units:g}",
        ]
        for what, step in steps.items()
    ]
    headings = ["what", "log, bytes", "access log, bytes", "AWS calls", "read units", "write units"]
    return (
        f"{usage.date}, {usage.events} captured events for {DESTINATIONS} destinations, on average. "
        f"Lambda itself writes {usage.lambda_bytes} bytes more for each invocation.\n\n{table(headings, rows)}"
    )


def _peers(ours: list[str]) -> Iterator[list[str]]:
    yield ["Flagcast, without the free tier", *ours]
    yield ["Flipt direct", *("0" for _ in EVENTS)]
    each = prices.HTTP_API.dollars + prices.EVENTBRIDGE_EVENT.dollars
    each += DESTINATIONS * prices.EVENTBRIDGE_DESTINATION.dollars
    yield ["EventBridge API destinations behind an HTTP API", *(f"{events * each:,.2f}" for events in EVENTS)]
    messages = prices.SVIX_MESSAGE
    yield [
        "Svix, free plan and what exceeds it",
        *(f"{max(events * DESTINATIONS - messages.free, 0) * messages.dollars:,.0f}" for events in EVENTS),
    ]
    paid = f"{prices.HOOKDECK_PAID.dollars:.0f} and what exceeds it"
    free = prices.HOOKDECK_FREE_EVENTS
    yield ["Hookdeck Event Gateway", *("0" if events * DESTINATIONS <= free else paid for events in EVENTS)]


def _price_list() -> str:
    named = {name: price for name, price in vars(prices).items() if isinstance(price, Price)}
    lines = [f"- {price.unit}: <{price.page}>, {price.read}" for price in named.values()]
    return f"Looked up {prices.READ}, US East (N. Virginia), without tax:\n\n" + "\n".join(dict.fromkeys(lines))
