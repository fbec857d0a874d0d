"""Tasks as versions before this one stored them: they may be on a queue for 14 days, and on the other for 14 more."""

from pathlib import Path

from flagcast.config.archive_destination import ARCHIVE
from flagcast.events.change_context import NOTHING, Change, Known
from flagcast.events.flipt_signature import flipt_signature
from flagcast.events.replay import Replay
from flagcast.tasks.task import Task, decode, encode
from tests.support.captures import SECRET, captured

STORED = (Path(__file__).with_name("v1.jsonl")).read_text(encoding="ascii").splitlines()
"""Never written again: a test that follows the code would follow it past what is on people's queues."""

BODY = captured("flipt-1.61.0/changes")[3].body
EVENT = "evt_d8ba5e53d951164cb8c35aa669fe3b22"
KNOWN = Known(
    is_known=True,
    changes=(
        Change("enabled", before=False, after=True),
        Change("attachment", None, "{}", is_before_known=False, bytes_before=12_000, bytes_after=14_000, keys=("a",)),
    ),
    previous={"key": "a", "enabled": False},
    known_at="2026-11-26T17:20:52.000Z",
    names={"v1": "blue"},
    namespace="production",
    flag_key="new-checkout",
    subject=("rule", "r1"),
)


def read(line: str) -> Task:
    made = decode(line)
    assert isinstance(made, Task), made
    return made


def test_a_stored_task_is_read_as_it_was_meant() -> None:
    as_text, as_bytes, apart, with_changes, again, for_the_archive = map(read, STORED)
    assert as_text.raw == BODY
    assert as_bytes.raw == BODY + b"\xff"
    assert apart.body_ref == f"bodies/{EVENT}"
    assert (as_text.known, as_bytes.known, apart.known) == (NOTHING, NOTHING, NOTHING)
    assert with_changes.known == KNOWN
    assert (again.raw, again.replay) == (BODY, Replay("rpl_0123456789abcdef", "2026-11-27T06:00:00.000Z"))
    assert again.id == f"{EVENT}:mirror:rpl_0123456789abcdef"
    for each in (as_text, as_bytes, apart, with_changes):
        assert (each.id, each.event_id) == (f"{EVENT}:mirror", EVENT)
        assert (each.source, each.destination, each.received_at) == ("flipt", "mirror", "2026-11-24T17:50:00.000Z")
        assert (each.number, each.signature) == (None, None)
    assert (for_the_archive.destination, for_the_archive.known, for_the_archive.raw) == (ARCHIVE, KNOWN, BODY)
    assert (for_the_archive.number, for_the_archive.signature) == ("2", flipt_signature(BODY, SECRET))


def test_a_stored_task_is_the_same_when_it_is_moved_to_the_dead_letters_and_back() -> None:
    assert [encode(read(line)) for line in STORED] == STORED
