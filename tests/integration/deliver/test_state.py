import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from flagcast.edges.aws import client as aws_client
from flagcast.edges.aws.delivery_table import TRIES, DeliveryTable
from flagcast.edges.aws.fail_fast import LEFT_ALONE_FOR, LONGEST_CALL, FailFastClient
from flagcast.edges.wiring import resources
from flagcast.errors import StateUnavailable
from flagcast.tasks.progress import Progress
from tests.integration.deliver.harness import DAY, TABLE
from tests.support.faulty_aws import IN_AN_ERROR, Faults, Manner, NeverDone
from tests.support.fifo import SimulatedClock
from tests.support.time_limits import ends_within

NOW = 1_790_000_000.0
SEEN = Progress(attempts=3, first_attempt=NOW - 60.5, starts=1, survived=5, slot=NOW + 0.25)


class OneAtATime:
    """moto's table: DynamoDB does each call at once and whole, moto only when no one else is calling."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            with self._lock:
                return getattr(self._client, operation)(**arguments)

        return call


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(NOW)


@pytest.fixture
def state(table: Any, clock: SimulatedClock) -> DeliveryTable:
    return DeliveryTable(OneAtATime(table), TABLE, clock.now)


def raw(table: Any, key: str) -> dict[str, Any]:
    item: dict[str, Any] = table.get_item(TableName=TABLE, Key={"key": {"S": key}}).get("Item", {})
    return item


def test_what_is_written_is_read_and_what_is_forgotten_is_not(state: DeliveryTable) -> None:
    rows = {"a": SEEN, "b": Progress(), "c": Progress(1, NOW)}
    state.write(rows)
    assert state.read(["a", "b", "c", "d"]) == rows
    state.write({"b": SEEN}, ["a", "d"])
    assert state.read(["a", "b", "c"]) == {"b": SEEN, "c": Progress(1, NOW)}


def test_a_row_is_written_as_a_whole(state: DeliveryTable) -> None:
    state.write({"a": SEEN})
    state.write({"a": Progress(4)})
    assert state.read(["a"]) == {"a": Progress(4)}


def test_every_row_goes_away_thirty_days_after_it_was_written(
    table: Any, state: DeliveryTable, clock: SimulatedClock
) -> None:
    state.write({"a": SEEN})
    state.take_slot("d", 1)
    state.rest("e", NOW + 60)
    for key in ("task#a", "slot#d", "slot#e"):
        assert raw(table, key)["expires"] == {"N": str(int(NOW) + 30 * DAY)}
    clock.advance(DAY)
    state.write({"a": SEEN})
    state.take_slot("d", 1)
    state.rest("e", NOW + 2 * DAY)
    for key in ("task#a", "slot#d", "slot#e"):
        assert raw(table, key)["expires"] == {"N": str(int(NOW) + 31 * DAY)}


def test_a_row_that_lacks_what_a_later_version_wrote_can_be_read(table: Any, state: DeliveryTable) -> None:
    table.put_item(TableName=TABLE, Item={"key": {"S": "task#a"}, "of": {"S": "another version"}})
    assert state.read(["a"]) == {"a": Progress()}


def test_slots_follow_each_other_and_begin_again_after_a_lull(state: DeliveryTable, clock: SimulatedClock) -> None:
    assert [state.take_slot("d", 0.5) for _ in range(3)] == pytest.approx([NOW, NOW + 0.5, NOW + 1])
    assert state.take_slot("other", 0.5) == NOW
    clock.advance(0.75)
    assert state.take_slot("d", 0.5) == pytest.approx(NOW + 1.5)
    clock.advance(60)
    assert state.take_slot("d", 0.5) == NOW + 60.75


@pytest.mark.parametrize(("rate", "threads"), [(50, 8), (1, 4)])
def test_no_slot_is_given_twice_to_any_number_of_functions_at_once(
    state: DeliveryTable, clock: SimulatedClock, rate: int, threads: int
) -> None:
    def take(_: int) -> float:
        clock.advance(1 / rate / 20)
        return state.take_slot("d", 1 / rate)

    with ThreadPoolExecutor(threads) as pool:
        slots = sorted(pool.map(take, range(120)))
    gaps = [later - before for before, later in itertools.pairwise(slots)]
    assert min(gaps) >= 0.999 / rate
    assert slots[-1] - slots[0] <= 1.1 * 120 / rate


def test_slots_taken_at_the_same_instant_are_each_ones_own(state: DeliveryTable) -> None:
    with ThreadPoolExecutor(8) as pool:
        slots = sorted(pool.map(lambda _: state.take_slot("d", 0.02), range(80)))
    assert slots == pytest.approx([NOW + 0.02 * number for number in range(80)], abs=1e-4)


def test_a_rest_is_known_to_all_and_only_ever_longer(state: DeliveryTable) -> None:
    assert state.rests_until("d") == 0
    state.rest("d", NOW + 60)
    state.rest("d", NOW + 30)
    state.take_slot("d", 1)
    assert state.rests_until("d") == NOW + 60
    assert state.rests_until("other") == 0
    state.rest("d", NOW + 90)
    assert state.rests_until("d") == NOW + 90


CALLS: list[tuple[str, Callable[[DeliveryTable], object]]] = [
    ("BatchGetItem", lambda state: state.read(["a"])),
    ("BatchWriteItem", lambda state: state.write({"a": SEEN})),
    ("BatchWriteItem", lambda state: state.write({}, ["a"])),
    ("UpdateItem", lambda state: state.take_slot("d", 1)),
    ("UpdateItem", lambda state: state.rest("d", NOW + 1)),
    ("GetItem", lambda state: state.rests_until("d")),
]


@pytest.mark.parametrize(
    ("operation", "call", "code"),
    [
        *((operation, call, "unreachable") for operation, call in CALLS),
        *(
            (*CALLS[0], code)
            for code in ("ProvisionedThroughputExceededException", "AccessDeniedException", "InternalServerError")
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_whatever_fails_is_one_kind_of_error_and_says_nothing_of_the_table(
    state: DeliveryTable, faults: Faults, operation: str, call: Callable[[DeliveryTable], object], code: str
) -> None:
    faults.fail(operation, code)
    with pytest.raises(StateUnavailable) as raised:
        call(state)
    assert IN_AN_ERROR not in str(raised.value)
    assert faults.calls[operation] == 1
    faults.recover()
    call(state)


class Partly:
    """A client that leaves part of a batch undone so many times."""

    def __init__(self, client: Any, times: int) -> None:
        self._client = client
        self.times = times
        self.asked: list[int] = []

    def batch_get_item(self, **arguments: Any) -> Any:
        asked = arguments["RequestItems"][TABLE]
        self.asked.append(len(asked["Keys"]))
        if len(self.asked) > self.times:
            return self._client.batch_get_item(**arguments)
        keys = asked["Keys"]
        answer = self._client.batch_get_item(RequestItems={TABLE: {**asked, "Keys": keys[:1]}})
        return {**answer, "UnprocessedKeys": {TABLE: {**asked, "Keys": keys[1:]}}}

    def batch_write_item(self, **arguments: Any) -> Any:
        requests = arguments["RequestItems"][TABLE]
        self.asked.append(len(requests))
        if len(self.asked) > self.times:
            return self._client.batch_write_item(**arguments)
        answer = self._client.batch_write_item(RequestItems={TABLE: requests[:1]})
        return {**answer, "UnprocessedItems": {TABLE: requests[1:]}}


def test_what_was_left_undone_is_asked_for_again(table: Any, clock: SimulatedClock) -> None:
    rows = {name: Progress(number) for number, name in enumerate("abcd")}
    DeliveryTable(writing := Partly(table, 2), TABLE, clock.now).write(rows)
    assert writing.asked == [4, 3, 2]
    assert DeliveryTable(reading := Partly(table, 2), TABLE, clock.now).read(list(rows)) == rows
    assert reading.asked == [4, 3, 2]


def test_what_is_left_undone_every_time_is_a_failure(table: Any, clock: SimulatedClock) -> None:
    rows = {name: Progress(number) for number, name in enumerate("abcde")}
    with pytest.raises(StateUnavailable, match="not every row was written"):
        DeliveryTable(writing := Partly(table, TRIES), TABLE, clock.now).write(rows)
    with pytest.raises(StateUnavailable, match="not every row was read"):
        DeliveryTable(Partly(table, TRIES), TABLE, clock.now).read(list(rows))
    assert len(writing.asked) == TRIES


@pytest.fixture
def hanging(request: pytest.FixtureRequest, aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client whose service never comes to the end of an answer."""
    with NeverDone(request.param) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", server.url)
        yield aws_client.client("dynamodb")


MANNERS: list[Manner] = ["silent", "unaccepting", "stalling", "dripping"]


@pytest.mark.parametrize("hanging", MANNERS, indirect=True)
def test_a_table_that_hangs_takes_a_second_once_and_is_left_alone_for_a_while(
    hanging: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flagcast.edges.aws.fail_fast.LONGEST_CALL", LONGEST_CALL)
    # Bug: ten tasks of one group with four calls each would have waited 60 s of the invocation's 45.
    clock = SimulatedClock(NOW)
    state = DeliveryTable(FailFastClient(hanging, clock.now), TABLE, clock.now)
    with ends_within(LONGEST_CALL):
        for _ in range(25):
            for _, call in CALLS:
                with pytest.raises(StateUnavailable):
                    call(state)
    clock.advance(LEFT_ALONE_FOR)
    with pytest.raises(StateUnavailable, match=r"^(NoAnswer|\w*Timeout\w*)$"):
        state.read(["a"])
    with pytest.raises(StateUnavailable, match="LeftAlone"):
        state.read(["a"])


def test_who_insists_asks_a_table_that_is_left_alone_time_and_again(
    table: Any, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "CONFIG", "QUEUE_URL", "DEAD_LETTER_QUEUE_URL", "SECRET_PREFIX", "PARAMETER_PREFIX", "BODIES_BUCKET",
        "ARCHIVE_BUCKET", "ARCHIVE",
    ):  # fmt: skip
        monkeypatch.setenv(f"FLAGCAST_{name}", "any")
    monkeypatch.setenv("FLAGCAST_STATE_TABLE", TABLE)
    monkeypatch.setenv("FLAGCAST_TRACK_CHANGES", "off")
    monkeypatch.setenv("FLAGCAST_CIRCUIT_BREAKER", "on")
    state = resources.state()
    faults.fail("BatchWriteItem", "unreachable", times=3)
    for insists in (False, True, True):
        with pytest.raises(StateUnavailable, match="Error"):
            state.write({"a": SEEN}, insists=insists)
    with pytest.raises(StateUnavailable, match="LeftAlone"):
        state.write({"a": Progress()})
    state.write({"a": SEEN}, insists=True)
    assert raw(table, "task#a")["attempts"] == {"N": "3"}


def test_an_error_that_comes_at_once_is_no_reason_to_leave_the_table_alone(
    table: Any, faults: Faults, clock: SimulatedClock
) -> None:
    state = DeliveryTable(FailFastClient(table, clock.now), TABLE, clock.now)
    faults.fail("UpdateItem", "ThrottlingException", times=1)
    with pytest.raises(StateUnavailable, match="ThrottlingException"):
        state.take_slot("d", 1)
    assert state.take_slot("d", 1) == NOW
    assert state.take_slot("d", 1) == pytest.approx(NOW + 1)
