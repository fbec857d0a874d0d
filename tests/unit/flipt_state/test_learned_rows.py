"""What a row becomes when Flipt itself says what a thing is."""

from msgspec import structs

from flagcast.flipt_state.row import UNKNOWN, Accepted, Row, learned, learned_gone, with_unsettled

ON, OFF = {"key": "a", "enabled": True}, {"key": "a", "enabled": False}
SETTLED = Row(state=ON, before={}, state_at=90, at=90, recent=(Accepted(90, 90_500, "first", 0),))


def test_flipts_word_is_written_as_of_its_answer_and_nothing_is_known_to_be_replaced() -> None:
    row = learned(SETTLED, OFF, 99, 100)
    assert row == structs.replace(SETTLED, state=OFF, before=None, state_at=100, at=101)


def test_a_thing_never_seen_is_learned() -> None:
    assert learned(UNKNOWN, ON, 99, 100) == Row(state=ON, state_at=100, at=101)


def test_nothing_is_written_where_the_row_says_the_same() -> None:
    assert learned(SETTLED, dict(ON), 99, 100) is None


def test_a_thing_known_as_deleted_that_flipt_has_is_there_again() -> None:
    row = learned(structs.replace(SETTLED, is_deleted=True), ON, 99, 100)
    assert row is not None
    assert not row.is_deleted


# An event that happens within the second of the answer is in it or is not: what it changed must not be told.
def test_what_happened_by_the_second_of_the_answer_is_older_than_the_row() -> None:
    row = learned(SETTLED, OFF, 99, 100)
    assert row is not None
    assert Accepted(100, 130_000, "late", 0).at < row.at
    assert Accepted(101, 130_000, "later", 0).at >= row.at


def test_what_an_event_has_written_since_flipt_was_asked_stays() -> None:
    assert learned(structs.replace(SETTLED, at=99), OFF, 99, 100) is None
    assert learned(structs.replace(SETTLED, at=98), OFF, 99, 100) is not None


# Bug: a row whose state an unsettled event had made unknown was overwritten by what Flipt had said before that event.
def test_an_event_that_could_not_be_settled_stays_newer_than_an_answer_from_before_it() -> None:
    unsettled = with_unsettled(SETTLED, (Accepted(101, 101_400, "lost", "request-1"),))
    assert unsettled.state is None
    assert learned(unsettled, OFF, 99, 100) is None
    assert learned(unsettled, OFF, 102, 103) is not None


# Bug: an event without a timestamp moves the state and leaves `at`, so what it had written was overwritten.
def test_an_event_without_a_timestamp_counts_from_its_receipt() -> None:
    row = structs.replace(SETTLED, state=OFF, recent=(*SETTLED.recent, Accepted(None, 99_900, "bare", "request-2")))
    assert learned(row, ON, 99, 100) is None
    assert learned(row, ON, 100, 100) is not None


def test_a_clock_that_runs_ahead_counts_from_the_receipt() -> None:
    assert Accepted(5_000, 99_900, "ahead", 0).at == 99


def test_what_flipt_no_longer_has_is_deleted_and_keeps_what_it_was() -> None:
    row = learned_gone(SETTLED, 99, 100)
    assert row == structs.replace(SETTLED, before=None, is_deleted=True, at=101)


def test_a_thing_is_gone_only_if_no_event_came_since_flipt_was_asked_and_only_once() -> None:
    assert learned_gone(structs.replace(SETTLED, at=99), 99, 100) is None
    assert learned_gone(structs.replace(SETTLED, is_deleted=True), 99, 100) is None
