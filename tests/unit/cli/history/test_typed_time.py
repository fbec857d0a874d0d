"""Moments as people type them, on Friday 2026-11-27, 10:30 in UTC."""

from datetime import UTC, datetime

import pytest

from flagcast_cli.history.typed_time import moment_of

NOW = datetime(2026, 11, 27, 10, 30, tzinfo=UTC).timestamp()

MEANT = {
    "now": "2026-11-27T10:30:00",
    "2h": "2026-11-27T08:30:00",
    "2h ago": "2026-11-27T08:30:00",
    "1h30m": "2026-11-27T09:00:00",
    "90s": "2026-11-27T10:28:30",
    "3d": "2026-11-24T10:30:00",
    "1d12h": "2026-11-25T22:30:00",
    "2w": "2026-11-13T10:30:00",
    "today": "2026-11-27T00:00:00",
    "Yesterday": "2026-11-26T00:00:00",
    "friday": "2026-11-27T00:00:00",
    "monday": "2026-11-23T00:00:00",
    "saturday": "2026-11-21T00:00:00",
    "14:30": "2026-11-27T14:30:00",
    "9:05": "2026-11-27T09:05:00",
    "2026-11-01": "2026-11-01T00:00:00",
    "2026-11-01 14:30": "2026-11-01T14:30:00",
    "2026-11-01T14:30:15": "2026-11-01T14:30:15",
    "2026-11-01T14:30:15Z": "2026-11-01T14:30:15",
    "2026-11-01T14:30:15+02:00": "2026-11-01T12:30:15",
}


@pytest.mark.parametrize("text", MEANT)
def test_a_moment_is_read_as_people_mean_it(text: str) -> None:
    assert datetime.fromtimestamp(moment_of(text, NOW), UTC) == datetime.fromisoformat(MEANT[text]).replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "2x", "-2h", "2026-13-01", "2026-11-31", "25:00", "99999w", "tomorrow"])
def test_what_is_no_moment_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no time; write it as in 2h, 3d, 1w, today"):
        moment_of(text, NOW)
