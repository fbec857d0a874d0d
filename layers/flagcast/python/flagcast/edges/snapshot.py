"""SnapStart: what a function makes before Lambda takes its snapshot, and what must differ between its copies.

Modules, configuration and clients may be in a snapshot: none of them is one copy's own, nothing is connected yet, and
credentials are looked up anew when they are out of date. Secrets are fetched, and connections opened, by the first
request, so after the restore. What would be the same in every copy is the state of `random`, by which retries spread.
https://docs.aws.amazon.com/lambda/latest/dg/snapstart-uniqueness.html
"""

import random
from collections.abc import Callable
from contextlib import suppress

from flagcast.errors import ConfigurationUnreadable


def prepare(*makers: Callable[[], object]) -> None:
    """Have these called before a snapshot is taken, and `random` seeded anew in each copy of it.

    Lambda's runtime brings the library; elsewhere there are no snapshots, and nothing is done.
    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
    """
    try:
        from snapshot_restore_py import register_after_restore, register_before_snapshot
    except ImportError:
        return
    register_before_snapshot(_make, makers)
    register_after_restore(random.seed)


def _make(makers: tuple[Callable[[], object], ...]) -> None:
    # A configuration that cannot be read is told of by the requests that need it, as everywhere.
    with suppress(ConfigurationUnreadable):
        for make in makers:
            make()
