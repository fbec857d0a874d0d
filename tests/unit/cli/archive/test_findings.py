"""What an object is found to be, over a bucket whose versions have the times that a test gives them."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from msgspec import structs

from flagcast.archive.record import Key, encode, record_of
from flagcast.primitives.duration import DAY
from flagcast.tasks.task import event_id, task
from flagcast_cli.archive.bucket import Bucket, Days, Foreign, Stored, Version
from flagcast_cli.archive.findings import Finding, Period, Seen, Tally, Verification

RAW = b'{"type": "flag", "action": "updated"}'
RECEIVED = "2026-11-27T12:00:00.000Z"
WRITTEN = 1_795_780_800.0
"""RECEIVED in epoch seconds."""
RECORD = record_of(task(event_id("flipt", RAW), "flipt", "flagcast-archive", RECEIVED, RAW), RAW)
EVER = Period(None, WRITTEN + 4_000 * DAY)


class FakeBucket(Bucket):
    """Holds objects by version."""

    def __init__(self, *objects: Stored | Foreign, versions: dict[str, bytes]) -> None:
        self._objects = objects
        self._versions = versions

    def objects(self, source: str, days: Days | None = None) -> Iterator[Stored | Foreign]:
        yield from self._objects

    def fetch(self, key: Key, version: str | None = None) -> bytes | None:
        return self._versions.get(version or "")

    def fetch_each(self, wanted: Iterable[Stored]) -> Iterator[tuple[Stored, bytes | None]]:
        for each in wanted:
            yield each, None if each.is_deleted else self.fetch(each.key, each.versions[0].id)


def key() -> Key:
    assert RECORD.key is not None
    return RECORD.key


def found(bucket: Any, kept_days: int = 0, period: Period = EVER) -> tuple[list[Finding], Tally]:
    with Seen() as seen:
        run = Verification(bucket, lambda _: [], kept_days, period, seen)
        return list(run.run(["flipt"])), run.tally


def deleted_after(days: float) -> FakeBucket:
    marker, first = Version("2", WRITTEN + days * DAY, is_deletion=True), Version("1", WRITTEN)
    return FakeBucket(Stored(key(), (marker, first)), versions={"1": encode(RECORD)})


@pytest.mark.parametrize("days", [7, 7.5, 36])
def test_what_the_lifecycle_deleted_is_expired_and_no_finding(days: float) -> None:
    findings, tally = found(deleted_after(days), kept_days=7)
    assert (findings, tally.expired, tally.objects) == ([], 1, 0)


@pytest.mark.parametrize(("days", "kept_days"), [(6.9, 7), (36, 0)])
def test_what_was_deleted_before_its_time_or_without_a_lifecycle_is_altered(days: float, kept_days: int) -> None:
    ([finding], tally) = found(deleted_after(days), kept_days)
    assert (finding.result, finding.version, finding.intact_version) == ("altered", "2", "1")
    assert finding.what[0].startswith("deleted at ")
    assert tally.expired == 0


@pytest.mark.parametrize(("days", "results"), [(7, []), (36, []), (5.9, ["altered"])])
def test_a_delete_marker_that_is_all_that_is_left_is_judged_by_the_day_of_its_key(
    days: float, results: list[str]
) -> None:
    """S3 deletes the last version of what expired a day or more before the marker: each was said to be altered."""
    marker = Version("2", WRITTEN + days * DAY, is_deletion=True)
    findings, tally = found(FakeBucket(Stored(key(), (marker,)), versions={}), kept_days=7)
    assert [each.result for each in findings] == results
    assert tally.expired == (not results)


def test_a_lone_delete_marker_of_no_day_is_altered() -> None:
    nowhere = structs.replace(key(), day="2026-99-99")
    marker = Version("2", WRITTEN + 36 * DAY, is_deletion=True)
    ([finding], _) = found(FakeBucket(Stored(nowhere, (marker,)), versions={}), kept_days=7)
    assert finding.result == "altered"


def test_an_object_that_is_gone_since_it_was_listed_is_no_finding() -> None:
    assert found(FakeBucket(Stored(key(), (Version("1", WRITTEN),)), versions={}))[0] == []


def test_the_newest_version_that_is_intact_is_named_and_none_if_there_is_none() -> None:
    versions = tuple(Version(str(number), WRITTEN + number) for number in (4, 3, 2, 1))
    whole, broken = encode(RECORD), b"{}"
    stored = Stored(key(), versions)
    ([finding], _) = found(FakeBucket(stored, versions={"4": broken, "3": broken, "2": whole, "1": whole}))
    assert finding.intact_version == "2"
    ([finding], _) = found(FakeBucket(stored, versions=dict.fromkeys("4321", broken)))
    assert finding.intact_version is None


def test_an_event_with_objects_of_two_days_is_counted() -> None:
    later = structs.replace(RECORD, received_at="2026-11-28T00:00:00.000Z")
    assert later.key is not None
    bucket = FakeBucket(
        Stored(key(), (Version("1", WRITTEN),)),
        Stored(later.key, (Version("2", WRITTEN + DAY),)),
        versions={"1": encode(RECORD), "2": encode(later)},
    )
    findings, tally = found(bucket)
    assert [each.result for each in findings] == ["unproven", "unproven"]
    assert (tally.again, tally.objects) == (1, 2)


@pytest.mark.parametrize(
    ("since", "until", "count"),
    [(None, 1, 1), (0, 1, 1), (0.5, 1, 0), (None, 0, 0), (-1, 0, 0)],
)
def test_only_what_was_accepted_in_the_time_is_judged(since: float | None, until: float, count: int) -> None:
    bucket = FakeBucket(Stored(key(), (Version("1", WRITTEN + 60),)), versions={"1": encode(RECORD)})
    begin = None if since is None else WRITTEN + since
    assert len(found(bucket, period=Period(begin, WRITTEN + until))[0]) == count


def test_a_record_of_a_later_version_is_counted_and_not_judged() -> None:
    text = b'{"v":2'
    data = text + b',"record_sha256":"' + hashlib.sha256(text).hexdigest().encode() + b'"}\n'
    ([finding], tally) = found(FakeBucket(Stored(key(), (Version("1", WRITTEN),)), versions={"1": data}))
    assert (finding.result, tally.results["newer"]) == ("newer", 1)


def test_days_of_a_time() -> None:
    assert Period(WRITTEN, WRITTEN + DAY).days == Days("2026-11-27", "2026-11-28")
    assert EVER.days is None
    assert Period(WRITTEN, WRITTEN + 1).has(None)
