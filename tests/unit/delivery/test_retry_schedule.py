import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagcast.config.model import Retry
from flagcast.delivery.retry_schedule import (
    FREE_RECEIVES,
    LONGEST_DELAY,
    LONGEST_STAY,
    MOST_RECEIVES,
    backoff,
    jittered,
    whole_delay,
)
from flagcast.primitives.duration import DAY, HOUR, Duration
from flagcast.tasks.received_message import Wear
from tests.unit.builders import middle

UNIFORM = st.floats(0, 1, exclude_max=True)
WEAR = st.builds(Wear, st.integers(0, 2000), st.floats(-60, 15 * DAY))


def test_the_default_schedule_is_this_table() -> None:
    delays = [whole_delay(backoff(Retry(), attempt, middle), [Wear(attempt, 0)]) for attempt in range(1, 17)]
    table = [f"{attempt:2} {delay:5} s" for attempt, delay in enumerate(delays, start=1)]
    print(*table, sep="\n")
    assert table == [
        " 1     1 s",
        " 2     2 s",
        " 3     4 s",
        " 4     8 s",
        " 5    16 s",
        " 6    32 s",
        " 7    64 s",
        " 8   128 s",
        " 9   256 s",
        "10   512 s",
        "11  1024 s",
        "12  2048 s",
        "13  3600 s",
        "14  3600 s",
        "15  3600 s",
        "16  3600 s",
    ]


@pytest.mark.parametrize(
    ("receives", "queued", "delay"),
    [
        (50, 0, 1),
        (51, 0, 1323),
        (51, DAY, 1222),
        (475, 6 * DAY, 1424),
        (897, LONGEST_STAY - HOUR, 1200),
        (899, 0, LONGEST_DELAY),
        (900, 0, LONGEST_DELAY),
        (950, LONGEST_STAY - HOUR, HOUR),
        (51, LONGEST_STAY, 1),
        (51, 20 * DAY, 1),
    ],
)
def test_past_fifty_receives_the_rest_is_spread_over_the_rest_of_the_stay(
    receives: int, queued: float, delay: int
) -> None:
    assert whole_delay(1, [Wear(receives, queued)]) == delay


def test_the_delay_is_that_of_the_task_of_the_group_that_is_nearest_its_end() -> None:
    assert whole_delay(1, [Wear(2, 0), Wear(800, 0), Wear(60, 0)]) == whole_delay(1, [Wear(800, 0)]) == 11232


def test_a_schedule_that_is_longer_than_the_spread_holds() -> None:
    assert whole_delay(3600, [Wear(51, 0)]) == 3600


@pytest.mark.parametrize(("retry_after", "waits"), [(None, 4), (0, 4), (-5, 4), (3, 4), (5.5, 5.5), (100_000, 100_000)])
def test_a_retry_after_is_respected_when_it_is_longer(retry_after: float | None, waits: float) -> None:
    assert backoff(Retry(), 3, middle, retry_after) == waits


@pytest.mark.parametrize(("random", "spread"), [(0, 80), (0.25, 90), (0.5, 100), (0.75, 110), (1, 120)])
def test_jitter_spreads_by_a_fifth_either_way(random: float, spread: float) -> None:
    assert jittered(100, lambda: random) == pytest.approx(spread)


def test_no_attempt_yet_counts_as_the_first() -> None:
    assert backoff(Retry(), 0, middle) == backoff(Retry(), 1, middle) == 1


# 5.0 ** 500 is past what a float holds: the power overflowed, and the task came back each visibility timeout instead.
@pytest.mark.parametrize("multiplier", [1, 2, 5, 5.0, 100, 100.0])
def test_any_permitted_multiplier_is_capped_after_any_number_of_attempts(multiplier: float) -> None:
    schedule = Retry(multiplier=multiplier, max_interval=Duration(60))
    assert backoff(schedule, MOST_RECEIVES, middle) == (1 if multiplier == 1 else 60)


@given(
    st.floats(1e-9, DAY), st.floats(1, 4), st.floats(0, 12 * DAY), st.integers(0, 1000), UNIFORM,
    st.none() | st.floats(0, 30 * DAY),
)  # fmt: skip
def test_a_backoff_is_within_a_fifth_of_the_schedule_and_never_below_a_retry_after(
    initial: float, multiplier: float, above: float, attempts: int, random: float, retry_after: float | None
) -> None:
    schedule = Retry(Duration(initial), multiplier, Duration(initial + above))
    waits = backoff(schedule, attempts, lambda: random, retry_after)
    assert waits >= max(0.8 * initial * (1 - 1e-9), retry_after or 0)
    assert waits <= max(1.2 * (initial + above) * (1 + 1e-9), retry_after or 0)


@given(st.floats(0, allow_nan=False), st.lists(WEAR, max_size=10))
def test_every_delay_is_one_that_sqs_takes_and_no_shorter_than_asked(seconds: float, group: list[Wear]) -> None:
    delay = whole_delay(seconds, group)
    assert isinstance(delay, int)
    assert 1 <= delay <= LONGEST_DELAY
    assert delay >= min(seconds, LONGEST_DELAY)


@given(st.floats(0, LONGEST_STAY), st.integers(FREE_RECEIVES + 1, MOST_RECEIVES - 1))
def test_no_task_runs_out_of_receives_before_its_time(queued: float, receives: int) -> None:
    while receives < MOST_RECEIVES and queued < LONGEST_STAY:
        delay = whole_delay(1, [Wear(receives, queued)])
        queued, receives = queued + delay, receives + 1
        if delay == LONGEST_DELAY:
            return
    assert queued >= LONGEST_STAY
