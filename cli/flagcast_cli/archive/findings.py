"""What each object of the archive is found to be, with its other versions."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Literal, Self, assert_never

from msgspec import Struct

from flagcast.archive.record import Key, NewerRecord
from flagcast.archive.verification import Altered, Proven, Unproven, verify
from flagcast.primitives.duration import DAY, HOUR
from flagcast.primitives.timestamp import epoch_of, rfc3339
from flagcast_cli.archive.bucket import Bucket, Days, Foreign, Stored, Version

MOST_KEPT: Final = 1_000
"""Findings of one kind that are kept, for a report; all are counted."""

Result = Literal["proven", "unproven", "altered", "newer"]


class Finding(Struct, frozen=True):
    """What one object is; `what` says how it was altered, or why it is unproven (archive/verification).

    `version` is the newest. `intact_version` is an earlier one that is as it was written, where the newest is not.
    """

    result: Result
    key: Key
    version: str
    what: tuple[str, ...] = ()
    intact_version: str | None = None


class Period(Struct, frozen=True):
    """From one moment (epoch seconds; None is the beginning) until before another, by when events were accepted."""

    since: float | None
    until: float

    @property
    def days(self) -> Days | None:
        """Return the days (UTC) that it is in; None for all."""
        return None if self.since is None else Days(rfc3339(self.since)[:10], rfc3339(self.until)[:10])

    @property
    def listed(self) -> Days | None:
        """Return the days to list: the log has an event a moment after it was received, which may be the day after."""
        return None if self.since is None else Days(rfc3339(self.since - HOUR)[:10], rfc3339(self.until)[:10])

    def has(self, moment: float | None) -> bool:
        """Return whether a moment is in it; one that is not known is."""
        return moment is None or (self.since or 0) <= moment < self.until


class Seen:
    """The events that the archive has an object of: on disk, as there can be millions."""

    def __init__(self) -> None:
        """Begin with none."""
        self._connection = sqlite3.connect("")  # A file that SQLite deletes: https://www.sqlite.org/inmemorydb.html
        self._connection.execute("CREATE TABLE seen (event_id TEXT PRIMARY KEY) WITHOUT ROWID")

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Forget everything."""
        self._connection.close()

    def add(self, event_id: str) -> bool:
        """Note an event; tells whether it is new."""
        return self._connection.execute("INSERT OR IGNORE INTO seen VALUES (?)", (event_id,)).rowcount == 1

    def __contains__(self, event_id: object) -> bool:
        """Return whether an event was noted."""
        return self._connection.execute("SELECT 1 FROM seen WHERE event_id = ?", (event_id,)).fetchone() is not None


class Tally:
    """How many objects there are of each kind, and which are not as they should be."""

    def __init__(self) -> None:
        """Count from nothing."""
        self.results: Counter[Result] = Counter()
        self.unproven: Counter[str] = Counter()
        self.altered: list[Finding] = []
        self.foreign: list[str] = []
        self.more_foreign = 0
        self.expired = 0
        """Deleted by the lifecycle, and still there as an earlier version."""
        self.again = 0
        """Objects of an event that has one on another day: a resend after more than five minutes."""

    @property
    def objects(self) -> int:
        """Return how many were verified."""
        return self.results.total()

    def add(self, finding: Finding) -> None:
        """Count a finding."""
        self.results[finding.result] += 1
        self.unproven.update(finding.what if finding.result == "unproven" else ())
        if finding.result == "altered" and len(self.altered) < MOST_KEPT:
            self.altered.append(finding)

    def add_foreign(self, key: str) -> None:
        """Count an object that the archive did not write."""
        if len(self.foreign) < MOST_KEPT:
            self.foreign.append(key)
        else:
            self.more_foreign += 1


class Verification:
    """One run over a bucket, whose lifecycle deletes what is older than `kept_days`; 0 means that it deletes nothing.

    `secrets` are those that a source's Flipt may have signed with. `seen` gets every event that has an object.
    """

    def __init__(
        self, bucket: Bucket, secrets: Callable[[str], Sequence[str]], kept_days: int, period: Period, seen: Seen
    ) -> None:
        """Read nothing yet."""
        self._bucket = bucket
        self._secrets = secrets
        self._kept_for = kept_days * DAY
        self._period = period
        self._seen = seen
        self.tally = Tally()

    def run(self, sources: Iterable[str]) -> Iterator[Finding]:
        """Verify the objects of sources, and yield what each is; raises CommandError."""
        for source in sources:
            secrets = self._secrets(source)
            for stored, data in self._bucket.fetch_each(self._objects(source)):
                if (finding := self._finding(stored, data, secrets)) is not None:
                    self.tally.add(finding)
                    yield finding

    def _objects(self, source: str) -> Iterator[Stored]:
        days = self._period.days
        for each in self._bucket.objects(source, self._period.listed):
            if isinstance(each, Foreign):
                self.tally.add_foreign(each.key)
                continue
            is_new = self._seen.add(each.key.event_id)
            if days is not None and each.key.day < days.first:
                continue
            self.tally.again += not is_new
            if self._is_expired(each):
                self.tally.expired += 1
            else:
                yield each

    def _is_expired(self, stored: Stored) -> bool:
        """Return whether the lifecycle deleted an object: it leaves an earlier version for 30 days (template.yaml).

        Then the delete marker is alone until S3 deletes that too, a day or more later, and the key says how old it was:
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-configuration-examples.html (example 7)
        """
        newest, oldest = stored.versions[0], stored.versions[-1]
        accepted = epoch_of(f"{stored.key.day}T00:00:00Z") if oldest.is_deletion else None
        age = newest.at - (oldest.at if accepted is None else accepted)
        return stored.is_deleted and self._kept_for > 0 and age >= self._kept_for

    def _finding(self, stored: Stored, data: bytes | None, secrets: Sequence[str]) -> Finding | None:
        """Judge one object; None for one outside of the period, or deleted since it was listed."""
        newest = stored.versions[0]
        if newest.is_deletion:
            return self._altered(stored, f"deleted at {_written(newest)}", secrets)
        if data is None:
            return None
        verdict = verify(data, stored.key, secrets)
        if isinstance(verdict, Altered):
            return self._altered(stored, "; ".join(verdict.what), secrets)
        if self._is_outside(verdict):
            return None
        if self._bucket.is_overwritten(stored, data):
            return self._altered(stored, f"overwritten at {_written(newest)}", secrets)
        return _intact(stored, verdict)

    def _is_outside(self, verdict: Proven | Unproven | NewerRecord) -> bool:
        return not isinstance(verdict, NewerRecord) and not self._period.has(epoch_of(verdict.record.received_at))

    def _altered(self, stored: Stored, what: str, secrets: Sequence[str]) -> Finding:
        """Describe an altered object, and find its newest version before that which is as it was written."""
        for each in stored.versions[1:]:
            data = None if each.is_deletion else self._bucket.fetch(stored.key, each.id)
            if data is not None and not isinstance(verify(data, stored.key, secrets), Altered):
                return Finding("altered", stored.key, stored.versions[0].id, (what,), each.id)
        return Finding("altered", stored.key, stored.versions[0].id, (what,))


def _intact(stored: Stored, verdict: Proven | Unproven | NewerRecord) -> Finding:
    version = stored.versions[0].id
    match verdict:
        case Proven():
            return Finding("proven", stored.key, version)
        case Unproven(why=why):
            return Finding("unproven", stored.key, version, (why,))
        case NewerRecord(number):
            return Finding("newer", stored.key, version, (f"version {number}",))
    assert_never(verdict)


def _written(version: Version) -> str:
    return rfc3339(version.at)
