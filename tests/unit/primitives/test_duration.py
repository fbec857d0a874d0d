from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagcast.primitives.duration import Duration


def written_by_go(nanoseconds: int) -> str:
    """Write a duration as Go's Duration.String does (src/time/time.go)."""
    for unit, size in (("ns", 1), ("µs", 1_000), ("ms", 1_000_000)):
        if 0 < nanoseconds < size * 1_000:
            return f"{_decimal(nanoseconds, size)}{unit}"
    minutes, rest = divmod(nanoseconds, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{_decimal(rest, 10**9)}s"
    if hours:
        return f"{hours}h{minutes}m{seconds}"
    return f"{minutes}m{seconds}" if minutes else seconds


def _decimal(number: int, size: int) -> str:
    text = f"{Decimal(number) / size:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("15s", 15),
        ("1m30s", 90),
        ("24h", 86_400),
        ("500ms", 0.5),
        ("1h15m30.918273645s", 4530.918273645),
        ("1.5h", 5400),
        (".5s", 0.5),
        ("5.s", 5),
        ("2µs", 2e-6),
        ("2us", 2e-6),
        ("7ns", 7e-9),
        ("0", 0),
        ("0s", 0),
    ],
)
def test_a_duration_is_read_as_flipt_writes_it(text: str, seconds: float) -> None:
    assert Duration.parse(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "15",
        "s",
        "15 s",
        " 15s",
        "15s ",
        "15s\n",
        "-5s",
        "+5s",
        "1d",
        "1S",
        ".s",
        "1..5s",
        "1e3s",
        "٣s",
        15,
        1.5,
        True,
        None,
        ["15s"],
    ],
)
def test_what_is_no_duration_is_refused_with_a_sentence(bad: object) -> None:
    with pytest.raises(ValueError, match=r"^expected a duration such as 15s, 1m30s or 24h, got "):
        Duration.parse(bad)


@given(st.integers(0, 2**63 - 1))
def test_whatever_go_writes_is_read_back(nanoseconds: int) -> None:
    assert Duration.parse(written_by_go(nanoseconds)) == pytest.approx(nanoseconds / 1e9, rel=1e-12, abs=1e-12)


@given(st.text() | st.text(alphabet="0123456789.hmsnuµ -+e"))
def test_junk_is_either_a_length_of_time_or_a_value_error(text: str) -> None:
    try:
        duration = Duration.parse(text)
    except ValueError:
        return
    assert duration >= 0
    assert text.isprintable()


def test_both_signs_for_micro_are_read_as_go_reads_them() -> None:
    # Only U+00B5 was; Go's time.ParseDuration takes U+03BC too.
    assert Duration.parse("5µs") == Duration.parse("5μs")
