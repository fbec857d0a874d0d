"""S3: the bodies that are too large for a message, one object per event."""

from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from flagcast.edges.aws.client import error_name
from flagcast.edges.runtime.bounded_calls import within
from flagcast.errors import BodyUnavailable

TRIES = 2


class BodyStore:
    """One bucket; its lifecycle takes every object after 45 days (template.yaml)."""

    def __init__(self, client: Callable[[], Any], bucket: str) -> None:
        """Keep the bucket's name; `client` gives the client when there is a body to store or fetch, which is rare.

        It is made within the deadline of the call that needs it first: it takes longer than all else in a request.
        """
        self._client = client
        self._bucket = bucket

    def store(self, ref: str, raw: bytes, deadline: float) -> None:
        """Put a body where tasks say it is, by the deadline (monotonic seconds); raises BodyUnavailable.

        A repeat writes the same bytes again: the key is of the content.
        """
        self._in_time(partial(self._put, ref, raw), deadline)

    def fetch(self, ref: str, deadline: float) -> bytes | None:
        """Return a body by the deadline (monotonic seconds), None if it is not there; raises BodyUnavailable."""
        return self._in_time(partial(self._get, ref), deadline)

    def _in_time[T](self, call: Callable[[], T], deadline: float) -> T:
        """Make a call, and once more if it fails and there is time."""
        problem = ""
        for _ in range(TRIES):
            (future,) = within(deadline, [call])
            if not future.done():
                problem = "no answer in time"
                break
            error = future.exception()
            if error is None:
                return future.result()
            if not isinstance(error, BotoCoreError | ClientError):
                raise error
            problem = error_name(error)
        raise BodyUnavailable(f"S3: {problem}")

    def _put(self, ref: str, raw: bytes) -> None:
        self._client().put_object(Bucket=self._bucket, Key=ref, Body=raw)

    def _get(self, ref: str) -> bytes | None:
        client = self._client()
        try:
            answer = client.get_object(Bucket=self._bucket, Key=ref)
        except client.exceptions.NoSuchKey:
            # S3 says so only to who may list the bucket; to others what is missing is AccessDenied:
            # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (permissions).
            return None
        # In a `with` of its own it is urllib3's stream, whose errors are not botocore's.
        with closing(answer["Body"]) as stream:
            return bytes(stream.read())
