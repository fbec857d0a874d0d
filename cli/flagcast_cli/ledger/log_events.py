"""From log events to the rows of the ledger: what is Flagcast's, and whole. Pure."""

from collections.abc import Iterator
from typing import Final

import msgspec

from flagcast_cli.ledger.log_line import LogEvent, row_of
from flagcast_cli.ledger.rows import Row

MOST_OF_A_LINE: Final = 1 << 20
"""Bytes of a line in several events that are waited for: CloudWatch takes no larger event.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"""
_OURS: Final = '{"event":'


class Lines:
    """Reads log events in the order of their streams; what is not a line of Flagcast's gives no row.

    A line that was split over several events of a stream is put together again. `unreadable` counts lines that look
    like Flagcast's and cannot be read.
    """

    def __init__(self) -> None:
        """Begin without a line that waits for its rest."""
        self.unreadable = 0
        self._begun: dict[str, LogEvent] = {}

    def read(self, each: LogEvent) -> Iterator[Row]:
        """Yield the row of a log event, if it has one; a line's row has the id and time of its first event."""
        begun = self._begun.pop(each.stream, None)
        if each.message.startswith(_OURS):
            self.unreadable += begun is not None
            whole = each
        elif begun is not None and len(begun.message) < MOST_OF_A_LINE:
            whole = msgspec.structs.replace(begun, message=begun.message.removesuffix("\n") + each.message)
        else:
            self.unreadable += begun is not None
            return
        try:
            row = row_of(whole)
        except (msgspec.ValidationError, RecursionError):
            self.unreadable += 1
        except msgspec.DecodeError:
            self._begun[each.stream] = whole
        else:
            if row is not None:
                yield row
