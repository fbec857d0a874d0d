"""One question to AWS at a time: its answer, None for what does not exist, or why it could not be looked at."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from flagcast_cli.console import CommandError
from flagcast_cli.doctor.facts import LOOKED_BACK
from flagcast_cli.doctor.finding import Unknown
from flagcast_cli.stack.account import Account, error_code

_GONE = frozenset(
    {"ResourceNotFoundException", "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "NotFound"}
)
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html#API_GetQueueAttributes_Errors
and the Errors of the other calls that are made here."""


class AwsLookup:
    """Asks about one account and region; `now` in epoch seconds."""

    def __init__(self, account: Account, client: Callable[[str], Any], now: float) -> None:
        """Keep whom to ask."""
        self.account = account
        self.client = client
        self._end = datetime.fromtimestamp(now, UTC)

    def at[T](self, what: str, ask: Callable[[], T]) -> T | Unknown | None:
        """Ask for one thing. An answer that lacks a part, as an emulator's may, could not be looked at either."""
        try:
            with self.account.asking(what):
                try:
                    return ask()
                except ClientError as error:
                    if error_code(error) in _GONE:
                        return None
                    raise
        except CommandError as error:
            return Unknown(str(error), error.next_steps)
        except LookupError as error:
            return Unknown(f"{what}: the answer has no {error}")

    def known[T](self, what: str, ask: Callable[[], T]) -> T | Unknown:
        """Ask for one thing that must exist."""
        found = self.at(what, ask)
        return Unknown(f"{what}: it does not exist") if found is None else found

    def total(self, namespace: str, name: str, **dimensions: str) -> int | Unknown:
        """Add up a metric of the last minutes."""
        points = self.known(
            f"the metric {name}", lambda: self._points(namespace, name, "Sum", 60 * LOOKED_BACK, dimensions)
        )
        return points if isinstance(points, Unknown) else int(sum(each["Sum"] for each in points))

    def latest(self, namespace: str, name: str, **dimensions: str) -> float | Unknown | None:
        """Return the last value of a metric; None where there was none in the last minutes."""
        points = self.known(f"the metric {name}", lambda: self._points(namespace, name, "Maximum", 60, dimensions))
        if isinstance(points, Unknown):
            return points
        return float(max(points, key=lambda each: each["Timestamp"])["Maximum"]) if points else None

    def _points(
        self, namespace: str, name: str, statistic: str, period: int, dimensions: dict[str, str]
    ) -> list[dict[str, Any]]:
        answer = self.client("cloudwatch").get_metric_statistics(
            Namespace=namespace,
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=self._end - timedelta(minutes=LOOKED_BACK),
            EndTime=self._end,
            Period=period,
            Statistics=[statistic],
        )
        points: list[dict[str, Any]] = answer["Datapoints"]
        return points
