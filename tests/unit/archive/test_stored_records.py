"""Objects as versions before this one wrote them: they are in archives for years."""

from pathlib import Path

from flagcast.archive.record import Record, decode, encode
from flagcast.archive.verification import Proven, Unproven, verify
from flagcast.events.change_context import NOTHING
from tests.support.captures import SECRET
from tests.unit.tasks.test_stored_tasks import BODY, KNOWN

STORED = (Path(__file__).with_name("v1.jsonl")).read_bytes().splitlines(keepends=True)
"""Never written again: a test that follows the code would follow it past what is in people's buckets."""


def read(line: bytes) -> Record:
    made = decode(line)
    assert isinstance(made, Record), made
    return made


def test_a_stored_object_is_read_as_it_was_meant_and_proves_what_it_proved() -> None:
    with_changes, as_bytes, unsigned = map(read, STORED)
    assert (with_changes.raw, with_changes.known, with_changes.number) == (BODY, KNOWN, "2")
    assert (as_bytes.raw, as_bytes.known, as_bytes.number) == (BODY + b"\xff", NOTHING, None)
    assert (unsigned.raw, unsigned.signature) == (BODY, None)
    verdicts = []
    for line in STORED:
        key = read(line).key
        assert key is not None
        verdicts.append(verify(line, key, [SECRET]))
    assert verdicts == [Proven(with_changes), Proven(as_bytes), Unproven(unsigned, "unsigned")]


def test_a_stored_object_is_written_with_the_same_bytes() -> None:
    assert [encode(read(line)) for line in STORED] == STORED
