"""The table of what a FIFO queue of SQS does.

A row names the stand-ins that do otherwise, and says what they do; it is not run on them.
"""

from collections.abc import Callable

from msgspec import Struct

from tests.integration.simulator.probe import Probe


class Row(Struct, frozen=True):
    check: Callable[[Probe], None]
    differs: frozenset[str]
    moves_time: bool
    most_receives: int


ROWS: list[Row] = []


def row(
    *differs: str, moves_time: bool = False, most_receives: int = 1000
) -> Callable[[Callable[[Probe], None]], Callable[[Probe], None]]:
    def keep(check: Callable[[Probe], None]) -> Callable[[Probe], None]:
        ROWS.append(Row(check, frozenset(differs), moves_time, most_receives))
        return check

    return keep
