"""How long the functions take by their memory size, for a size is a share of a processor: all of one at 1,769 MB.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
Fresh processes run under that share by a control group, where the machine lets one be made.
"""

import statistics
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from benchmarks.aws_stub import aws_stub
from benchmarks.cold import CONFIGURATION
from benchmarks.deliver import configuration, record
from benchmarks.environments import Layout, Started, run, share_of_a_processor
from benchmarks.ingest import EVENT
from benchmarks.measuring import receiver, stack_environment, take_one_processor

ONE_PROCESSOR = 1769
SIZES = (128, 256, 512, 1024, ONE_PROCESSOR)
WARM = 15
SLOW = 50
"""Milliseconds in which the destination answers."""


class Size(Struct, frozen=True):
    """Milliseconds of wall time at one memory size (MB): the first answer, and the median of those after it."""

    memory: int
    ingest_cold: float
    ingest_cold_sources: float
    ingest_warm: float
    deliver_cold: float
    deliver_one: float
    deliver_ten: float


def measured() -> list[Size]:
    """Measure every size, the largest first; none where this machine gives no share of a processor."""
    with aws_stub() as endpoint, receiver(SLOW) as address, tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        compiled, sources = Layout.make(folder, compiled=True), Layout.make(folder, compiled=False)
        batches = [{"Records": [record(f"d{at}") for at in range(tasks)]} for tasks in (1, 10)]
        prepared = partial(_prepared, folder, endpoint)
        ingest = partial(run, compiled, "ingest", *prepared("ingest", CONFIGURATION, [EVENT], built=True))
        plain = partial(run, sources, "ingest", *prepared("plain", CONFIGURATION, [EVENT], built=False))
        deliver = partial(run, compiled, "deliver", *prepared("deliver", configuration(address), batches, built=True))
        return [size for memory in SIZES if (size := _at(memory, ingest, plain, deliver)) is not None]


def _prepared(
    folder: Path, endpoint: str, name: str, file: dict[str, Any], events: list[Any], *, built: bool
) -> tuple[Path, dict[str, str]]:
    here = folder / name
    here.mkdir()
    (here / "events.json").write_bytes(msgspec.json.encode(events))
    return here / "events.json", stack_environment(here, endpoint, file, built=built)


def _at(
    memory: int, ingest: Callable[..., Started], plain: Callable[..., Started], deliver: Callable[..., Started]
) -> Size | None:
    with share_of_a_processor(memory / ONE_PROCESSOR) as share:
        if share is None:
            return None
        took = [ingest(WARM, share) for _ in range(2)]
        from_sources = plain(0, share)
        sent = deliver(WARM, share)
        (warm,), (one, ten) = took[0].warm, sent.warm
        return Size(
            memory,
            *(
                round(each, 1)
                for each in (
                    min(each.first for each in took),
                    from_sources.first,
                    statistics.median(warm),
                    sent.first,
                    statistics.median(one),
                    statistics.median(ten),
                )
            ),
        )


if __name__ == "__main__":
    take_one_processor()
    for size in measured():
        print(size)
