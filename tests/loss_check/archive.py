"""The stack's archive: objects that are written once, if at all, and what they must be."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flagcast.archive.record import Key
from flagcast.archive.verification import Proven, verify

ARCHIVE = "flagcast-archive"
BUCKET = "archive"


class Objects:
    """A bucket with versions, as far as the archive uses it."""

    def __init__(self) -> None:
        self.versions: defaultdict[str, list[bytes]] = defaultdict(list)

    def put(self, arguments: Mapping[str, Any]) -> bool:
        """Write an object; tells whether its condition held."""
        there = self.versions[arguments["Key"]]
        if arguments.get("IfNoneMatch") == "*" and there:
            return False
        there.append(arguments["Body"])
        return True


def versions(s3: Any, bucket: str) -> Iterator[tuple[str, bytes]]:
    """Yield every version of every object of a bucket."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for each in page.get("Versions", []):
            stored = s3.get_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
            yield each["Key"], bytes(stored["Body"].read())


def event_of(arguments: Mapping[str, Any]) -> str:
    """Return the id of the event whose object is written."""
    key = Key.parse(arguments["Key"])
    assert key is not None, arguments["Key"]
    return key.event_id


def faults(versions: Iterable[tuple[str, bytes]], secret: str) -> dict[str, list[str]]:
    """Return, by event, what is wrong with each version of its object: nothing where its signature holds."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name, data in versions:
        key = Key.parse(name)
        if key is None:
            found[name].append("no key of the archive")
            continue
        verdict = verify(data, key, [secret])
        found[key.event_id].append("" if isinstance(verdict, Proven) else type(verdict).__name__)
    return dict(found)
