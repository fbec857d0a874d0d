"""The archive's bucket, read: its objects by source and day with all their versions, and the bytes of each."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import groupby
from typing import Any, Final

from botocore.exceptions import ClientError
from msgspec import Struct

from flagcast.archive.record import Key, prefix
from flagcast_cli.stack.account import Account, error_code
from flagcast_cli.stack.deployed import existing

OUTPUT: Final = "ArchiveBucketName"
TOGETHER: Final = 16
"""Objects that are fetched at the same time, and so the most that are in memory."""
_GONE: Final = frozenset({"NoSuchKey", "NoSuchVersion"})
"""https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList"""


class Version(Struct, frozen=True):
    """One version of an object; `at` is when it was written, in epoch seconds.

    `is_deletion` tells that it is a delete marker, which hides the versions before it:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html
    """

    id: str
    at: float
    is_deletion: bool = False


class Stored(Struct, frozen=True):
    """One object with all its versions, the newest first."""

    key: Key
    versions: tuple[Version, ...]

    @property
    def is_deleted(self) -> bool:
        """Return whether a delete marker hides it."""
        return self.versions[0].is_deletion


class Foreign(Struct, frozen=True):
    """An object with a key that the archive does not write."""

    key: str


class Days(Struct, frozen=True):
    """From one day to another, both included, of UTC: 2026-11-27."""

    first: str
    last: str


def months(days: Days) -> Iterator[str]:
    """Yield the months that days are in: 2026-11."""
    month = days.first[:7]
    while month <= days.last[:7]:
        yield month
        year, number = int(month[:4]), int(month[5:])
        month = f"{year + number // 12:04}-{number % 12 + 1:02}"


class Bucket:
    """One bucket; every call raises CommandError."""

    def __init__(self, s3: Any, account: Account, name: str) -> None:
        """Keep the client, and the bucket's name."""
        self._s3 = s3
        self._account = account
        self.name = name

    def sources(self) -> list[str]:
        """Return the sources that it has objects of, those included of which each one is hidden by a delete marker.

        ListObjectsV2 does not see these: https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html
        """
        with self._asking():
            pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=self.name, Delimiter="/")
            return [each["Prefix"].removesuffix("/") for page in pages for each in page.get("CommonPrefixes", [])]

    def objects(self, source: str, days: Days | None = None) -> Iterator[Stored | Foreign]:
        """Yield a source's objects in the order of their keys: all, or those of some days."""
        for month in [""] if days is None else months(days):
            entries = self._entries(prefix(source, month))
            for name, versions in groupby(entries, lambda each: str(each["Key"])):
                key = Key.parse(name)
                if key is None:
                    yield Foreign(name)
                elif days is None or days.first <= key.day <= days.last:
                    yield Stored(key, tuple(_version(each) for each in versions))

    def fetch(self, key: Key, version: str | None = None) -> bytes | None:
        """Return an object's bytes, or those of one of its versions; None if it is not there any more."""
        which = {} if version is None else {"VersionId": version}
        with self._asking():
            try:
                answer = self._s3.get_object(Bucket=self.name, Key=str(key), **which)
            except ClientError as error:
                if error_code(error) not in _GONE:
                    raise
                return None
            with closing(answer["Body"]) as stream:
                return bytes(stream.read())

    def fetch_each(self, wanted: Iterable[Stored]) -> Iterator[tuple[Stored, bytes | None]]:
        """Yield each object with the bytes of its newest version, several fetched at a time, in the order given.

        None stands for one that a delete marker hides, or that is not there any more.
        """
        waiting: deque[tuple[Stored, Future[bytes | None]]] = deque()
        with ThreadPoolExecutor(TOGETHER) as threads:
            try:
                for each in wanted:
                    waiting.append((each, threads.submit(self._newest, each)))
                    if len(waiting) >= TOGETHER:
                        first, fetched = waiting.popleft()
                        yield first, fetched.result()
                while waiting:
                    first, fetched = waiting.popleft()
                    yield first, fetched.result()
            finally:
                for _, fetched in waiting:
                    fetched.cancel()

    def is_overwritten(self, stored: Stored, data: bytes) -> bool:
        """Return whether an earlier version has other bytes than the newest: the archive writes each object once."""
        before = (each for each in stored.versions[1:] if not each.is_deletion)
        return any(self.fetch(stored.key, each.id) != data for each in before)

    def _newest(self, stored: Stored) -> bytes | None:
        return None if stored.is_deleted else self.fetch(stored.key, stored.versions[0].id)

    def _entries(self, begin: str) -> Iterator[dict[str, Any]]:
        """Yield versions and delete markers of keys that begin so, those of one key together, the newest first.

        S3 lists keys in the order of UTF-8, and so by day:
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
        """
        pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=self.name, Prefix=begin)
        iterator = iter(pages)
        while True:
            with self._asking():
                page = next(iterator, None)
            if page is None:
                return
            markers = [{**each, "IsDeletion": True} for each in page.get("DeleteMarkers", [])]
            yield from sorted(
                [*page.get("Versions", []), *markers],
                key=lambda each: (each["Key"], not each["IsLatest"], -each["LastModified"].timestamp()),
            )

    def _asking(self) -> Any:
        return self._account.asking(f"could not read the archive {self.name}")


def _version(entry: dict[str, Any]) -> Version:
    # A version that was written before its bucket had versions has the id null, as a text.
    return Version(entry["VersionId"], entry["LastModified"].timestamp(), entry.get("IsDeletion", False))


def bucket_of(stack: str, account: Account) -> Bucket:
    """Find a stack's archive by its outputs; raises CommandError."""
    client = account.clients()
    name = existing(client("cloudformation"), account, stack, OUTPUT).outputs[OUTPUT]
    return Bucket(client("s3"), account, name)
