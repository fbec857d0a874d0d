"""Which of the events that are kept are sent, and in which order."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flagcast.config.read import read
from flagcast.events.change_context import NOTHING
from flagcast.events.replay import Replay
from flagcast.primitives.timestamp import rfc3339
from flagcast_cli.console import CommandError
from flagcast_cli.history.filter import Filter
from flagcast_cli.ledger.file import in_memory
from flagcast_cli.replay.kept_event import KeptEvent, NotReplayable, Where
from flagcast_cli.replay.selection import Chosen, choose, where_of
from flagcast_cli.replay.target import Target, target_of
from tests.unit.builders import body

RUN = Replay("rpl_1", "2026-11-27T06:00:00.000Z")
BEGIN = 1_790_000_000.0


def target(keys: str = "") -> Target:
    text = f"sources: {{flipt: {{auth: none}}}}\ndestinations: {{later: {{url: 'https://a.example.com'{keys}}}}}"
    return target_of(read(text), "later")


def kept(number: int, at: float = 0, key: str = "a", sequence: int = 0, **wire: Any) -> KeptEvent:
    raw = body(payload={"key": key, "n": number}, **wire)
    name = f"evt_{number:032x}"
    return KeptEvent(f"ref-{number}", name, "flipt", rfc3339(BEGIN + at), raw, NOTHING, sequence)


def chosen(
    found: Sequence[KeptEvent | NotReplayable],
    where: Where | None = None,
    wanted: Filter | None = None,
    to: Target | None = None,
) -> Chosen:
    with in_memory() as index:
        return choose(found, where or Where(), wanted or Filter(), to or target(), RUN, index, "the archive")


def refs(made: Chosen) -> list[str]:
    return [each.ref for each in made.events]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.sampled_from("abc")), max_size=30), st.randoms())
def test_whatever_the_order_in_which_they_are_kept_they_are_sent_in_the_order_in_which_they_were_accepted(
    moments: list[tuple[int, int, str]], random: Any
) -> None:
    events = [
        kept(number, at / 1000, key, sequence * 100 + number) for number, (at, sequence, key) in enumerate(moments)
    ]
    mixed = list(events)
    random.shuffle(mixed)
    in_order = sorted(events, key=lambda each: (each.at, each.sequence))
    assert refs(chosen(mixed)) == [each.ref for each in in_order]


def test_an_event_that_is_kept_twice_is_sent_once_by_its_first_acceptance() -> None:
    first, again = kept(1, at=10), kept(1, at=90_000)
    assert [(each.ref, each.at) for each in chosen([again, first]).events] == [("ref-1", first.at)]


def test_only_the_time_that_is_asked_for_counts_to_the_millisecond() -> None:
    events = [kept(number, at=number / 1000) for number in range(4)]
    where = Where(since=events[1].at, until=events[3].at)
    assert refs(chosen(events, where, Filter(since=where.since, until=where.until))) == ["ref-1", "ref-2"]


def test_what_the_destination_rejects_is_counted_by_what_rejects_it_and_a_when_that_fails_is_left_to_the_delivery() -> (
    None
):
    to = target(""", events: ["flag:*"], when: 'event.payload.key == "a" or 1 // (event.payload.n % 2)'""")
    events = [kept(1), kept(2, key="b"), kept(3, key="b"), kept(4, type="rule")]
    made = chosen(events, to=to)
    assert refs(made) == ["ref-1", "ref-2", "ref-3"]
    assert made.rejected == {"its events": 1}
    assert chosen(events, to=target(", when: not event.is_replay")).rejected == {"its when": 4}


def test_what_is_no_event_or_flagcasts_own_is_not_sent_and_said() -> None:
    broken = KeptEvent("ref-9", "evt_9", "flipt", rfc3339(BEGIN), b"[]", NOTHING)
    notice = KeptEvent("ref-8", "evt_8", "flagcast:notices", rfc3339(BEGIN), body(type="flagcast"), NOTHING)
    made = chosen([broken, notice, NotReplayable("ref-7", "altered"), kept(1)])
    assert refs(made) == ["ref-1"]
    assert [each.ref for each in made.unusable] == ["ref-9", "ref-8", "ref-7"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("evt_ffff", "there is no event ffff to replay"),
        ("0000", "several events begin with 0000"),
        ("beef", "evt_beef cannot be replayed: altered"),
    ],
)
def test_an_id_names_one_event_or_it_is_said_why_not(given: str, said: str) -> None:
    altered = NotReplayable("flipt/2026/01/01/evt_beef.json", "altered")
    events: list[KeptEvent | NotReplayable] = [kept(1), kept(2), altered]
    with pytest.raises(CommandError, match=said):
        chosen(events, where_of(Filter(), [given]))


def test_what_is_too_short_to_name_an_event_is_said_before_anything_is_read() -> None:
    with pytest.raises(CommandError, match="evt_abc is too short"):
        where_of(Filter(), ["evt_abc"])


def test_a_value_that_no_event_has_is_said_with_those_there_are() -> None:
    with pytest.raises(CommandError, match="the archive has no flag z") as raised:
        chosen([kept(1)], wanted=Filter(flag="z"))
    assert "It has a." in raised.value.next_steps


def test_a_target_has_half_of_its_rate_limit_and_at_most_ten_a_second() -> None:
    assert target().rate == 10
    assert target(", rate_limit: 4/s").rate == 2
    assert target(", rate_limit: 100/s").rate == 10


@pytest.mark.parametrize(("keys", "said"), [(", when: 'event.'", "has a problem"), (", timeout: 99s", "has a problem")])
def test_a_destination_that_would_only_keep_its_deliveries_waiting_is_refused(keys: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        target(keys)
