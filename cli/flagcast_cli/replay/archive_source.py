"""Events of the archive."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final

from flagcast.archive.record import Key, NewerRecord
from flagcast.archive.verification import Altered, verify
from flagcast_cli.archive.bucket import TOGETHER, Bucket, Days, Stored
from flagcast_cli.replay.kept_event import KeptEvent, NotReplayable, Where

_GONE: Final = "it is not in the archive any more"
_EVER: Final = Days("0001-01-01", "9999-12-31")


class ArchiveSource:
    """A stack's archive; the newest version of an object counts."""

    def __init__(self, bucket: Bucket) -> None:
        """Read nothing yet."""
        self._bucket = bucket

    def events(self, where: Where) -> Iterator[KeptEvent | NotReplayable]:
        """Yield the events of the days that are asked for; what does not fit its key or its hash is not replayable."""
        for each, data in self._bucket.fetch_each(self._objects(where)):
            yield _read(each.key, data)

    def fetch(self, refs: Sequence[str]) -> list[KeptEvent | NotReplayable]:
        """Return the events of keys, several at a time."""
        with ThreadPoolExecutor(TOGETHER) as threads:
            return list(threads.map(self._fetch, refs))

    def _objects(self, where: Where) -> Iterator[Stored]:
        days = None if where.since is where.until is None else Days(_day(where.since, _EVER.first), _day(where.until))
        for source in self._bucket.sources() if where.source is None else [where.source]:
            for each in self._bucket.objects(source, days):
                if isinstance(each, Stored) and not each.is_deleted and where.names(each.key.event_id):
                    yield each

    def _fetch(self, ref: str) -> KeptEvent | NotReplayable:
        key = Key.parse(ref)
        return NotReplayable(ref, _GONE) if key is None else _read(key, self._bucket.fetch(key))


def _read(key: Key, data: bytes | None) -> KeptEvent | NotReplayable:
    """Read an object; who signed it is not asked: `flagcast archive verify` does, with the secrets of that time."""
    if data is None:
        return NotReplayable(str(key), _GONE)
    match verify(data, key, ()):
        case NewerRecord(version):
            return NotReplayable(str(key), f"a later version of Flagcast wrote it (v{version}): use that flagcast")
        case Altered(what):
            return NotReplayable(str(key), f"it was altered in the archive: {'; '.join(what)}")
        case judged:
            kept = judged.record
            return KeptEvent(str(key), kept.event_id, kept.source, kept.received_at, kept.raw, kept.known)


def _day(at: int | None, otherwise: str = _EVER.last) -> str:
    """Return the day of epoch milliseconds; years that no event has are the first or the last."""
    return otherwise if at is None else datetime.fromtimestamp(at / 1000, UTC).date().isoformat()
