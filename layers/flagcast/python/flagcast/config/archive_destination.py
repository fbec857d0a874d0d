"""The archive as a destination: its name, which no other can have, and how its deliveries are retried."""

from typing import Final

from flagcast.config.model import LONGEST_BACKOFF, Destination, Retry
from flagcast.config.secret_references import Text

ARCHIVE: Final = "flagcast-archive"

ARCHIVE_DESTINATION: Final = Destination(
    url=Text(""),
    # Each event is an object of its own, so none has to wait for another.
    ordering="none",
    # The bucket is the stack's own, so what it refuses is for the operator to fix: permission (403), bucket (404) or
    # a key that is disabled (400). 409 is another write of the same object that has not ended.
    # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    retry=Retry(max_backoff_duration=LONGEST_BACKOFF, retry_on=(400, 403, 404, 409)),
)
"""Its events are all there are; it is paused, limited or filtered by nothing."""
