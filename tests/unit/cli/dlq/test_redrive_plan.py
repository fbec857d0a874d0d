import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagcast.config.archive_destination import ARCHIVE, with_archive
from flagcast.events.change_context import Known
from flagcast.tasks.outgoing_message import Entry
from flagcast.tasks.routing import Route, message_group_id
from flagcast.tasks.task import encode, moved_deduplication_id, task
from flagcast_cli.dlq.letters import Absent, Facts, Letter, read_letter
from flagcast_cli.dlq.redrive_plan import MOST_ENTRIES, Ready, batches, plan
from tests.unit.builders import body, destination
from tests.unit.cli.dlq.test_letters import letter, received

ROUTES: dict[str, Route] = {
    "chat": destination(),
    "line": destination(ordering="destination"),
    "loose": destination(ordering="none"),
}
LATER = Absent("its body could not be fetched", for_good=False)


def dead(name: str = "chat", at: str = "2026-01-01", sequence: int = 1, key: str = "a", event: str = "evt_1") -> Letter:
    made = task(event, "flipt", name, at, body(payload={"key": key}))
    said = {"sequence": {"StringValue": str(sequence)}}
    return read_letter(received(encode(made), MessageId=f"m-{at}-{sequence}", MessageAttributes=said))


def known(each: Letter) -> tuple[Letter, Facts | Absent]:
    facts = each.facts()
    assert facts is not None
    return each, facts


def test_letters_are_sent_in_the_order_in_which_their_events_were_accepted() -> None:
    in_order = [
        dead(at="2026-01-01", sequence=99),
        dead(at="2026-01-02", sequence=9),
        dead(at="2026-01-02", sequence=10),
    ]
    ready, refusals = plan([known(each) for each in reversed(in_order)], ROUTES)
    assert ([each.letter for each in ready], refusals) == (in_order, [])


def test_the_message_is_the_letters_own_body_in_the_group_that_ingest_would_give_it() -> None:
    for name, ordering in (("chat", "subject"), ("line", "destination"), ("loose", "none")):
        each = dead(name)
        (ready,), _ = plan([known(each)], ROUTES)
        assert ready.entry == Entry(
            each.message.body,
            message_group_id(name, ROUTES[name].ordering, ("flag", "default", "a"), f"evt_1:{name}"),
            moved_deduplication_id(f"evt_1:{name}", each.id),
        )
        assert ROUTES[name].ordering == ordering


@pytest.mark.parametrize(
    ("beside", "about"),
    [
        (Known(), ("rule", "r1")),
        (Known(namespace="eu", flag_key="a"), ("flag", "eu", "a")),
        (Known(namespace="eu", flag_key="a", subject=("rule", "r1")), ("rule", "r1")),
    ],
)
def test_a_distribution_is_redriven_in_the_group_in_which_it_was_accepted(
    beside: Known, about: tuple[str, ...]
) -> None:
    raw = body(type="distribution", payload={"id": "d1", "rule_id": "r1", "variant_id": "v1"})
    each = read_letter(received(encode(task("evt_1", "flipt", "chat", "2026-01-01", raw, beside))))
    (ready,), _ = plan([known(each)], ROUTES)
    assert ready.entry.group == message_group_id("chat", "subject", about, "evt_1:chat")
    assert ready.entry.body == each.message.body


def test_two_letters_of_one_task_become_two_messages_and_one_letter_always_the_same() -> None:
    ready, _ = plan([known(dead(sequence=1)), known(dead(sequence=2)), known(dead(sequence=1))], ROUTES)
    first, again, second = (each.entry.deduplication for each in ready)
    assert first == again != second


def test_what_cannot_be_sent_is_refused_with_the_reason_and_the_rest_is_sent() -> None:
    unknown, nowhere, none = dead("gone"), dead("-"), letter("{")
    ready, refusals = plan([known(each) for each in (unknown, dead(), nowhere, none)], ROUTES)
    assert [each.letter for each in ready] == [dead()]
    why = {each.letter.destination: each.why for each in refusals if each.letter is not none}
    assert why["gone"].startswith("destination gone is not in the configuration")
    assert why["-"] == "it was accepted for no destination, so there is nowhere to send it"
    assert next(each.why for each in refusals if each.letter is none).startswith("not a task")


def test_what_is_gone_for_good_keeps_none_back() -> None:
    ready, refusals = plan([(dead(sequence=1), Absent("gone")), known(dead(sequence=2))], ROUTES)
    assert (len(ready), [each.why for each in refusals]) == (1, ["gone"])


def test_what_cannot_be_read_for_now_keeps_back_what_follows_it_at_its_destination() -> None:
    others = [dead("line", sequence=9), dead("chat", sequence=1)]
    behind = [dead("chat", sequence=3, key="b"), dead("chat", sequence=4)]
    ready, refusals = plan([(dead(sequence=2), LATER), *map(known, [*others, *behind])], ROUTES)
    assert [each.letter for each in ready] == [others[1], others[0]]
    assert [each.letter for each in refusals[1:]] == behind


def test_where_no_order_is_kept_none_is_kept_back() -> None:
    for name in ("loose", "gone"):
        waiting = [(dead(name, sequence=1), LATER), known(dead("loose", sequence=2))]
        ready, _ = plan(waiting, ROUTES)
        assert len(ready) == 1


@given(st.lists(st.integers(0, 12), max_size=60))
def test_requests_keep_the_order_and_hold_at_most_ten_and_no_two_of_a_group(groups: list[int]) -> None:
    ready = [Ready(letter(), Entry("", str(group), str(at))) for at, group in enumerate(groups)]
    made = list(batches(ready))
    assert [each for batch in made for each in batch] == ready
    for batch in made:
        assert 0 < len(batch) <= MOST_ENTRIES
        assert len({each.entry.group for each in batch}) == len(batch)


def test_requests_are_as_full_as_they_may_be() -> None:
    ready = [Ready(letter(), Entry("", str(at), str(at))) for at in range(25)]
    assert [len(batch) for batch in batches(ready)] == [10, 10, 5]


def test_a_letter_of_the_archive_is_sent_whether_its_body_is_an_event_or_not() -> None:
    for raw in (body(payload={"key": "a"}), b"\xff"):
        made = task("evt_1", "flipt", ARCHIVE, "2026-01-01", raw)
        each = read_letter(received(encode(made)))
        (ready,), refusals = plan([known(each)], with_archive({}))
        assert refusals == []
        assert ready.entry.group == message_group_id(ARCHIVE, "none", (), made.id)
        assert ready.entry.body == each.message.body
