"""The archive as a destination: its name, which no other can have, and how its deliveries are retried."""

from collections.abc import Mapping
from typing import Final

from flagcast.config.model import LONGEST_BACKOFF, Destination, FaultyDestination, Retry
from flagcast.config.secret_references import Text

ARCHIVE: Final = "flagcast-archive"

ARCHIVE_DESTINATION: Final = Destination(
    url=Text(""),
    # Each event is an object of its own, so none has to wait for another.
    ordering="none",
    # The bucket is the stack's own, so what it refuses is for the operator to fix: a key that is disabled (400), a
    # permission (403), the bucket itself (410). 409 is another write of the same object that has not ended.
    # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    retry=Retry(max_backoff_duration=LONGEST_BACKOFF, retry_on=(400, 403, 409, 410)),
)
"""It gets every event, and nothing pauses, limits or filters it."""


def with_archive(
    destinations: Mapping[str, Destination | FaultyDestination],
) -> dict[str, Destination | FaultyDestination]:
    """Return the destinations of the configuration and the archive."""
    return {**destinations, ARCHIVE: ARCHIVE_DESTINATION}
