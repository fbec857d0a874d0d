from email.utils import formatdate
from pathlib import Path

import pytest

from flagcast.exchange.retry_after import read_retry_after
from flagcast.primitives.duration import DAY, HOUR

NOW = 1_795_475_134.0
DATE = formatdate(NOW + 90, usegmt=True)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("+120", 120),
        ('"120"', 120),
        ("0", 0),
        ("30.5", 30.5),
        ("30.", 30),
        (".5", 0.5),
        ("30, 30", 30),
        ("30,60", 30),
        ("30s", 30),
        ("30S", 30),
        ("30 s", 30),
        ("30 seconds", 30),
        ("30sec", 30),
        ("1500ms", 1.5),
        ("2m", 120),
        ("2 minutes", 120),
        ("1m30s", 90),
        ("1 hour 30 minutes", 5400),
        (DATE, 90),
        (f"{DATE}, {DATE}", 90),
        ("Friday, 27-Nov-26 00:00:00 GMT", 1_795_737_600 - NOW),
        (str(int(NOW) + 90), 90),
        (str(NOW + 90), 90),
        (str(int(NOW + 90) * 1000), 90),
        ("2026-11-23T23:07:04Z", 90),
        ("2026-11-23T23:07:04", 90),
        ("2026-11-23 23:07:04.000", 90),
        ("2026-11-24T00:07:04+01:00", 90),
    ],
)
def test_what_a_sender_means_is_read(text: str, seconds: float) -> None:
    # 30.5, 30s, "30, 30" and an ISO date were ignored; epoch seconds silenced a destination for half a day.
    assert read_retry_after(text, NOW) == pytest.approx(seconds if seconds <= DAY else HOUR)


@pytest.mark.parametrize(
    "text",
    [
        "Wed, 21 Oct 2015 07:28:00 GMT",
        "2015-10-21T07:28:00Z",
        "1445412480",
        "1445412480000",
    ],
)
def test_a_time_that_has_passed_is_no_time_to_wait(text: str) -> None:
    assert read_retry_after(text, NOW) == 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (str(DAY), DAY),
        (str(DAY + 1), HOUR),
        ("999999999", HOUR),
        ("4000000000", HOUR),
        ("4000000000000", HOUR),
        ("99h", HOUR),
        ("Fri, 31 Dec 2100 23:59:59 GMT", HOUR),
        ("9999-12-31T23:59:59Z", HOUR),
        ("9" * 100, HOUR),
    ],
)
def test_what_is_longer_than_a_day_is_a_mistake_and_means_an_hour(text: str, seconds: float) -> None:
    assert read_retry_after(text, NOW) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "soon", "-5", "-1", "0x10", "\u0661\u0662", ",", "0 " * 50, "30 30", "30 parsecs", "1 s 2 parsecs",
        "nan", "inf", "1e3", "PT30S", "9" * 101, "Fri, 31 Dec 99999 23:59:59 GMT", "Fri, 99 Dec 2026 99:99:99 GMT",
        "2026-13-41",
    ],
)  # fmt: skip
def test_what_no_one_can_read_is_no_wish(text: str) -> None:
    assert read_retry_after(text, NOW) is None


def test_no_other_module_reads_the_header() -> None:
    layer = Path(__file__).parents[3] / "layers/flagcast/python/flagcast"
    assert [each.name for each in layer.rglob("*.py") if "parsedate" in each.read_text()] == ["retry_after.py"]
