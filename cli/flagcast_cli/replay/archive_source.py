"""Events of the archive."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final

from flagcast.archive.record import Key, NewerRecord
from flagcast.archive.verification import Altered, verify
from flagcast.primitives.duration import DAY
from flagcast_cli.archive.bucket import TOGETHER, Bucket, Days, Stored
from flagcast_cli.replay.kept_event import KeptEvent, NotReplayable, Where

_GONE: Final = "it is not in the archive any more"
_ALTERED: Final = "it was altered in the archive"


class ArchiveSource:
    """A stack's archive. The newest version of an object counts, and a replay keeps to it when it is resumed."""

    def __init__(self, bucket: Bucket, now: Callable[[], float]) -> None:
        """Read nothing yet; `now` in epoch seconds."""
        self._bucket = bucket
        self._now = now

    def events(self, where: Where) -> Iterator[KeptEvent | NotReplayable]:
        """Yield the events of the days that are asked for; what was altered is not replayable."""
        for each, data in self._bucket.fetch_each(self._objects(where)):
            read = _read(each.key, each.versions[0].id, data)
            if data is not None and isinstance(read, KeptEvent) and self._bucket.is_overwritten(each, data):
                read = NotReplayable(str(each.key), f"{_ALTERED}: it was overwritten")
            yield read

    def fetch(self, refs: Sequence[str]) -> list[KeptEvent | NotReplayable]:
        """Return the events of versions of objects, several at a time."""
        with ThreadPoolExecutor(TOGETHER) as threads:
            return list(threads.map(self._fetch, refs))

    def _objects(self, where: Where) -> Iterator[Stored]:
        # A month is asked for at a time, so a beginning without an end ends tomorrow: a clock here may be behind AWS's.
        last = _day(self._now() + DAY if where.until is None else where.until / 1000)
        days = None if where.since is None else Days(_day(where.since / 1000), last)
        for source in self._bucket.sources() if where.source is None else [where.source]:
            for each in self._bucket.objects(source, days):
                if (
                    isinstance(each, Stored)
                    and not each.is_deleted
                    and each.key.day <= last
                    and where.names(each.key.event_id)
                ):
                    yield each

    def _fetch(self, ref: str) -> KeptEvent | NotReplayable:
        name, _, version = ref.partition(" ")
        key = Key.parse(name)
        return NotReplayable(ref, _GONE) if key is None else _read(key, version, self._bucket.fetch(key, version))


def _read(key: Key, version: str, data: bytes | None) -> KeptEvent | NotReplayable:
    """Read an object; who signed it is not asked: `flagcast archive verify` does, with the secrets of that time."""
    if data is None:
        return NotReplayable(str(key), _GONE)
    match verify(data, key, ()):
        case NewerRecord(newer):
            return NotReplayable(str(key), f"a later version of Flagcast wrote it (v{newer}): use that flagcast")
        case Altered(what):
            return NotReplayable(str(key), f"{_ALTERED}: {'; '.join(what)}")
        case judged:
            kept = judged.record
            return KeptEvent(f"{key} {version}", kept.event_id, kept.source, kept.received_at, kept.raw, kept.known)


def _day(at: float) -> str:
    """Return the day (UTC) of epoch seconds."""
    return datetime.fromtimestamp(at, UTC).date().isoformat()
