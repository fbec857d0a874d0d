"""How long tests wait: enough for any machine, as nothing here measures one (benchmarks/ does)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 120.0
"""Seconds for which a test waits for what comes at once on a machine with nothing else to do."""
SLACK = 30.0
"""Seconds that a busy machine may add to what ends by a deadline."""
HOLD = SLACK * 3
"""Seconds for which something that hangs holds on: past every deadline, with slack, that a test sets."""


@contextmanager
def ends_within(seconds: float) -> Iterator[None]:
    """Fail unless what is inside ends by its deadline, although what it waits for never comes."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert took < seconds + SLACK, f"{took:.1f} s instead of {seconds} s"
