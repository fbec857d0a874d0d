"""A task of a replay: another one than the live task of the same event, wherever SQS or a receiver compares the two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagcast.config.model import Ordering
from flagcast.events.replay import Replay
from flagcast.tasks.routing import message_group_id
from flagcast.tasks.task import UnreadableTask, decode, deduplication_id, encode, replayed
from tests.unit.builders import task_for

RUN = Replay("rpl_0123456789abcdef", "2026-11-27T06:00:00.000Z")
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", fullmatch=True)
ABOUT = st.lists(st.text(min_size=1), min_size=1, max_size=4).map(tuple)
ORDERINGS = st.sampled_from(["subject", "destination", "none"])


def test_a_replayed_task_is_the_same_event_under_an_id_of_its_own() -> None:
    live = task_for()
    again = replayed(live, RUN)
    assert (again.event_id, again.received_at, again.raw) == (live.event_id, live.received_at, live.raw)
    assert again.id == f"{live.id}:{RUN.id}"
    assert deduplication_id(again.id) != deduplication_id(live.id)
    assert deduplication_id(again.id) != deduplication_id(replayed(live, Replay("rpl_other", RUN.at)).id)


def test_a_replay_is_still_one_when_its_task_comes_back_from_the_dead_letters() -> None:
    again = replayed(task_for(), RUN)
    assert decode(encode(again)) == again


def test_a_live_task_is_written_as_before_there_were_replays() -> None:
    assert "replay" not in encode(task_for())


@pytest.mark.parametrize("name", ["", "a b", "é", "a\nb", "x" * 257])
def test_an_id_that_cannot_be_sent_as_a_header_makes_the_task_unreadable(name: str) -> None:
    made = decode(encode(replayed(task_for(), Replay(name, RUN.at))))
    assert made == UnreadableTask("not a task: replay.id cannot be sent as a header")


@given(NAMES, NAMES, ABOUT, ABOUT, ORDERINGS, ORDERINGS, NAMES)
def test_no_live_group_is_ever_that_of_a_replay(
    live: str, other: str, about: tuple[str, ...], elsewhere: tuple[str, ...], now: Ordering, then: Ordering, run: str
) -> None:
    replay = Replay(f"rpl_{run}", RUN.at)
    live_group = message_group_id(live, now, about, f"evt_1:{live}")
    assert live_group != message_group_id(other, then, elsewhere, f"evt_1:{other}:{replay.id}", replay)


@given(NAMES, ABOUT, st.sampled_from(["subject", "destination"]))
def test_what_one_replay_sends_of_one_subject_shares_a_group_and_two_replays_never_do(
    name: str, about: tuple[str, ...], ordering: Ordering
) -> None:
    first = message_group_id(name, ordering, about, f"evt_1:{name}:{RUN.id}", RUN)
    assert first == message_group_id(name, ordering, about, f"evt_2:{name}:{RUN.id}", RUN)
    assert first != message_group_id(name, ordering, about, f"evt_1:{name}:rpl_x", Replay("rpl_x", RUN.at))
