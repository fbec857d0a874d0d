"""What the archive costs: one delivery more for each event, an object, and what reads it."""

from collections.abc import Iterator

from msgspec import structs

from benchmarks import prices
from benchmarks.cost_item import Item
from benchmarks.markdown import table
from benchmarks.measuring import ROOT
from benchmarks.usage import Usage
from flagcast.archive.record import encode, record_of
from flagcast.config.archive_destination import ARCHIVE
from flagcast.tasks.task import event_id, task


def items(events: int, memory: int, deliver_ms: float, usage: Usage) -> Iterator[Item]:
    """Yield what a month's events use more if they are archived, and kept for a month.

    Each is one delivery more, in a message beside the others, and one object. It is taken to be as fast as a
    destination that answers in SLOW milliseconds: how fast S3 is has not been measured.
    """
    written = (usage.delivered.log_bytes + usage.lambda_bytes) * events / 1e9
    yield Item("SQS FIFO", "requests of Lambda: receive, delete", 2 * events, prices.SQS_FIFO)
    yield Item("Lambda deliver", "invocations", events, prices.LAMBDA_REQUEST)
    yield Item("Lambda deliver", "GB-s", events * deliver_ms / 1000 * memory / 1024, prices.LAMBDA_TIME)
    yield Item("DynamoDB", "reads", usage.delivered.read_units * events, prices.DYNAMODB_READ)
    yield Item("CloudWatch Logs", "GB ingested", written, prices.LOGS)
    yield Item("CloudWatch Logs", "GB kept 30 days", written, prices.LOGS_KEPT)
    yield Item("S3", "objects written", events, prices.S3_PUT)
    yield Item("S3", "GB kept 30 days", events * record_bytes() / 1e9, prices.S3_KEPT)


def record_bytes() -> float:
    """Return how large an archived sample event is on average."""
    made = []
    for path in sorted((ROOT / "events/flipt").glob("*.json")):
        raw = path.read_bytes()
        of = task(event_id("flipt", raw), "flipt", ARCHIVE, "2026-01-02T03:04:05.678Z", raw)
        made.append(len(encode(record_of(structs.replace(of, signature="0" * 64), raw))))
    return sum(made) / len(made)


def section(events: int, memory: int, deliver_ms: float, usage: Usage) -> str:
    """Say what the archive costs by the event, and to read."""
    made = list(items(events, memory, deliver_ms, usage))
    size = record_bytes()
    read = events * (prices.S3_GET.dollars + size * prices.ATHENA.dollars)
    rows = [[item.stage, item.what, f"{item.quantity:,.4g}" if item.quantity < 10 else f"{item.quantity:,.0f}",
             f"{item.dollars(with_free=False):.2f}"] for item in made]  # fmt: skip
    total = sum(item.dollars(with_free=False) for item in made)
    heading = ["stage", "what", "quantity", f"$ for {events:,} events"]
    return (
        f"{table(heading, [*rows, ['**total**', '', '', f'**{total:.2f}**']], 2)}\n\n"
        f"An archived sample event has {size:,.0f} bytes on average. A query of Athena that reads {events:,} of them "
        f"costs ${read:.2f}, nearly all of it for S3's {events:,} GETs. `flagcast archive verify` makes as many."
    )


def dollars(events: int, memory: int, deliver_ms: float, usage: Usage) -> float:
    """Return what archiving so many events costs."""
    return sum(item.dollars(with_free=False) for item in items(events, memory, deliver_ms, usage))
