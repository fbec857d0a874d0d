import re

import pytest

from flagcast.primitives.rate import Rate


@pytest.mark.parametrize(
    ("text", "interval"), [("50/s", 0.02), ("1/s", 1), ("30/m", 2), ("1/m", 60), ("100/h", 36), ("1/h", 3600)]
)
def test_a_rate_says_how_far_apart_requests_are(text: str, interval: float) -> None:
    assert Rate.parse(text).interval == pytest.approx(interval)


@pytest.mark.parametrize(
    "text", ["", "50", "/s", "0/s", "-1/s", "1/d", "1.5/s", "50/S", "1000000/s", 50, None, ["1/s"]]
)
def test_what_is_no_rate_is_refused_with_a_sentence(text: object) -> None:
    with pytest.raises(ValueError, match=re.escape("expected a rate such as 50/s, 30/m or 100/h")):
        Rate.parse(text)
