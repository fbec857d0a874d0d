"""What is new in the log of the local stack."""

from collections.abc import Sequence
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from flagcast_cli.console import CommandError
from flagcast_cli.ledger.log_line import LogEvent, log_event

_OVERLAP: Final = 5_000
"""Milliseconds that are looked at again: a function's lines reach the log when its invocation has ended."""


class LogTail:
    """Reads what is new in log groups at each call, by FilterLogEvents."""

    def __init__(self, client: Any, groups: Sequence[str], since: int) -> None:
        """Begin with what was logged since a time in epoch milliseconds."""
        self._pages = client.get_paginator("filter_log_events")
        self._groups = groups
        self._since = since
        self._seen: frozenset[str] = frozenset()

    def new(self) -> list[LogEvent]:
        """Return the lines that were not returned before, in order of time; raises CommandError."""
        try:
            found = [each for group in self._groups for each in self._read(group)]
        except (BotoCoreError, ClientError) as error:
            raise CommandError("the local stack has stopped answering", "Start it again: make dev") from error
        new = [each for each in found if each.id not in self._seen]
        self._seen = frozenset(each.id for each in found)
        self._since = max([self._since, *(each.at - _OVERLAP for each in found)])
        return sorted(new, key=lambda each: each.at)

    def _read(self, group: str) -> list[LogEvent]:
        pages = self._pages.paginate(logGroupName=group, startTime=self._since)
        return [log_event(each) for page in pages for each in page["events"]]
