"""The bucket of bodies as deliver reads it: what is there, what is not, and what cannot be had."""

import time
from contextlib import ExitStack
from typing import Any

import pytest

from flagcast.edges.aws.body_store import BodyStore
from flagcast.edges.aws.client import client
from flagcast.edges.wiring import resources
from flagcast.edges.wiring.resources import bodies
from flagcast.errors import BodyUnavailable
from tests.integration.ingest.hanging import MANNERS, hang
from tests.integration.ingest.harness import BUCKET, Ingest
from tests.support.faulty_aws import Manner
from tests.support.time_limits import PATIENCE, ends_within

EVERY_BYTE = bytes(range(256)) * 4096


@pytest.fixture(autouse=True)
def _both_ways(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Watch no role: what is stored here as ingest does is fetched as deliver does."""
    monkeypatch.setattr(resources, "client", client)


def soon() -> float:
    return time.monotonic() + PATIENCE


@pytest.mark.parametrize("raw", [EVERY_BYTE, b"", "{\u2028}".encode()])
def test_a_body_comes_back_byte_for_byte_and_twice_stored_is_stored_once(ingest: Ingest, raw: bytes) -> None:
    for _ in range(2):
        bodies().store("bodies/evt_1", raw, soon())
    assert bodies().fetch("bodies/evt_1", soon()) == raw
    assert ingest.bodies() == {"bodies/evt_1": raw}


def test_a_body_that_is_not_there_is_told_from_one_that_cannot_be_had(ingest: Ingest) -> None:
    assert bodies().fetch("bodies/evt_1", soon()) is None
    bodies().store("bodies/evt_1", b"{}", soon())
    ingest.lose_body("bodies/evt_1")
    assert bodies().fetch("bodies/evt_1", soon()) is None


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchBucket", "SlowDown", "unreachable"])
def test_a_body_that_cannot_be_had_is_asked_for_twice(ingest: Ingest, code: str) -> None:
    bodies().store("bodies/evt_1", b"{}", soon())
    ingest.faults.fail("GetObject", code)
    with pytest.raises(BodyUnavailable, match=r"^S3: \w+$"):
        bodies().fetch("bodies/evt_1", soon())
    assert ingest.faults.calls["GetObject"] == 2
    ingest.faults.fail("GetObject", code, times=1)
    assert bodies().fetch("bodies/evt_1", soon()) == b"{}"


def test_a_bucket_that_is_not_there_is_no_body_that_is_missing(ingest: Ingest) -> None:
    elsewhere = BodyStore(lambda: client("s3"), f"{BUCKET}-of-another")
    with pytest.raises(BodyUnavailable, match="NoSuchBucket"):
        elsewhere.fetch("bodies/evt_1", soon())
    with pytest.raises(BodyUnavailable, match="NoSuchBucket"):
        elsewhere.store("bodies/evt_1", b"{}", soon())


def test_a_bucket_that_was_not_named_is_one_that_cannot_be_had(ingest: Ingest) -> None:
    with pytest.raises(BodyUnavailable, match="ParamValidationError"):
        BodyStore(lambda: client("s3"), "").fetch("bodies/evt_1", soon())


# A store that hangs while a body is stored is in test_large_events.py.
@pytest.mark.parametrize("manner", MANNERS)
def test_a_fetch_that_hangs_ends_by_the_deadline(ingest: Ingest, bad_day: ExitStack, manner: Manner) -> None:
    hang(ingest, bad_day, manner, "S3")
    client("s3")
    with ends_within(0.5), pytest.raises(BodyUnavailable):
        bodies().fetch("bodies/evt_1", time.monotonic() + 0.5)


def test_an_error_of_our_own_is_no_outage_of_the_store() -> None:
    def broken() -> Any:
        raise RuntimeError("ours")

    with pytest.raises(RuntimeError, match="ours"):
        BodyStore(broken, BUCKET).fetch("bodies/evt_1", soon())
