"""Every request that was recorded from a real Flipt, as ingest answers it."""

import json
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus

import pytest

from flagcast.events.flipt_signature import FLIPT_HEADER
from tests.integration.ingest.harness import SOURCES, Ingest, destination, signature
from tests.support.captures import SECRET, TOKEN, Captured, every_capture

SIGNED = [each for each in every_capture() if each.signed]
FILES = sorted({each.file for each in SIGNED})
HUGE = 1_000_000
TEMPLATES = ["/template/rebuild", "/template/seed-fixed"]
REJECTED = {"event": "event.rejected", "source": "flipt", "reason": "unauthorized", "detail": "", "EventsRejected": 1}
DESTINATIONS = {
    "everything": destination(),
    "flags": destination("flag:*", ordering="destination"),
    "rollout-updates": destination("rollout:updated", ordering="none"),
    "access": destination("token:*", "namespace:deleted"),
}


def wanted(body: bytes) -> set[str]:
    event = json.loads(body)
    kind, action = event["type"], event["action"]
    destinations = {"everything"}
    if kind == "flag":
        destinations.add("flags")
    if (kind, action) == ("rollout", "updated"):
        destinations.add("rollout-updates")
    if kind == "token" or (kind, action) == ("namespace", "deleted"):
        destinations.add("access")
    return destinations


def of_file(file: str) -> list[Captured]:
    return [each for each in SIGNED if each.file == file and len(each.body) < HUGE]


def changed(text: str | bytes, at: int) -> bytes:
    """Change one byte, to one that leaves text text."""
    raw = bytearray(text if isinstance(text, bytes) else text.encode())
    raw[at] = ord("1") if raw[at] != ord("1") else ord("0")
    return bytes(raw)


def with_signature(each: Captured, value: str) -> list[tuple[str, str]]:
    return [(name, value if name.lower() == FLIPT_HEADER.lower() else was) for name, was in each.headers]


def test_the_captures_hold_what_these_tests_stand_on() -> None:
    assert len(SIGNED) == 167
    assert sum(len(each.body) > HUGE for each in SIGNED) == 1
    assert {name for each in SIGNED for name in wanted(each.body)} == set(DESTINATIONS)


@pytest.mark.parametrize("file", FILES)
def test_a_captured_request_is_stored_byte_for_byte_for_each_destination_that_wants_it(
    ingest: Ingest, file: str
) -> None:
    ingest.configure(destinations=DESTINATIONS)
    expected: set[tuple[str, bytes]] = set()
    for each in of_file(file):
        destinations = wanted(each.body)
        # As text and as Base64, in turn.
        answer = ingest.post(each.body, each.headers, encoded=each.seq % 2 == 0)
        assert answer.status == HTTPStatus.OK, f"request {each.seq}"
        assert answer.body["deliveries"] == len(destinations), f"request {each.seq}"
        expected |= {(name, each.body) for name in destinations}
    stored = [(each.task["destination"], each.raw) for each in ingest.drain()]
    assert sorted(stored) == sorted(expected)
    assert ingest.waiting(ingest.dead_letters) == 0
    assert {line["event"] for line in ingest.output.lines} == {"event.accepted"}


@pytest.mark.parametrize("encoded", [False, True], ids=["text", "base64"])
def test_the_captured_body_of_a_megabyte_is_stored_once_and_claimed_by_each_destination(
    ingest: Ingest, encoded: bool
) -> None:
    # It was refused as too large, though a Flipt that sends it has made the change all the same.
    huge = next(each for each in SIGNED if len(each.body) > HUGE)
    destinations = {"variants": destination("variant:created"), "everything": destination()}
    ingest.configure(destinations={**destinations, "flags": destination("flag:*")})
    answer = ingest.post(huge.body, huge.headers, encoded=encoded)
    assert (answer.status, answer.body["deliveries"]) == (HTTPStatus.OK, 2)
    key = f"bodies/{answer.body['event_id']}"
    stored = ingest.drain()
    assert {each.task["destination"]: each.task["body_ref"] for each in stored} == dict.fromkeys(destinations, key)
    assert max(len(each.text) for each in stored) < 500
    assert ingest.bodies() == {key: huge.body}
    assert ingest.faults.calls["PutObject"] == 1
    assert {line["event"] for line in ingest.output.lines} == {"event.accepted"}


@pytest.mark.parametrize("path", TEMPLATES)
def test_every_request_of_a_template_is_accepted_by_its_token(ingest: Ingest, path: str) -> None:
    requests = [each for each in every_capture() if each.path == path]
    assert len(requests) == 51
    ingest.configure(destinations=DESTINATIONS)
    expected: Counter[tuple[str, bytes]] = Counter()
    for each in requests:
        answer = ingest.post(each.body, each.headers, source="template")
        assert answer.status == HTTPStatus.OK, f"request {each.seq}"
        assert answer.body["deliveries"] == len(wanted(each.body))
        expected.update((name, each.body) for name in wanted(each.body))
    stored = Counter((each.task["destination"], each.raw) for each in ingest.drain())
    if path == "/template/rebuild":
        # A timestamp tells repeats of a change from repeats of a request.
        assert set(stored) == set(expected)
        assert set(stored.values()) == {1}
    else:
        assert stored == expected


def forgeries(each: Captured) -> Iterator[tuple[bytes, list[tuple[str, str]]]]:
    claimed = dict(each.headers)["X-Flipt-Webhook-Signature"]
    headers = list(each.headers)
    yield changed(each.body, each.seq % len(each.body)), headers
    yield changed(each.body, len(each.body) - 1), headers
    yield each.body[:-1], headers
    yield each.body + b"\n", headers
    yield each.body, with_signature(each, changed(claimed, each.seq % len(claimed)).decode())
    yield each.body, list(signature(each.body, changed(SECRET, each.seq % len(SECRET)).decode()))


@pytest.mark.parametrize("file", FILES)
def test_a_captured_request_with_one_byte_changed_leaves_one_line_that_tells_nothing_of_it(
    ingest: Ingest, file: str
) -> None:
    sent = 0
    for each in of_file(file):
        for body, headers in forgeries(each):
            sent += 1
            assert ingest.post(body, headers).status == HTTPStatus.UNAUTHORIZED, f"request {each.seq}"
            ingest.canaries |= {value for name, value in headers if name.lower() == FLIPT_HEADER.lower()}
    assert ingest.stores_nothing()
    lines = ingest.output.lines
    assert len(lines) == sent
    for line in lines:
        assert line.pop("_aws").keys() == {"Timestamp", "CloudWatchMetrics"}
        assert line == REJECTED


@pytest.mark.parametrize("file", FILES)
def test_a_captured_request_is_refused_once_one_byte_of_the_secret_has_changed(ingest: Ingest, file: str) -> None:
    ingest.secret("signing", changed(SECRET, 3).decode())
    for each in of_file(file):
        assert ingest.post(each.body, each.headers).status == HTTPStatus.UNAUTHORIZED, f"request {each.seq}"
    assert ingest.stores_nothing()
    assert {(line["event"], line["reason"]) for line in ingest.output.lines} == {("event.rejected", "unauthorized")}


@pytest.mark.parametrize("path", TEMPLATES)
def test_a_template_request_with_one_byte_of_its_token_changed_is_refused(ingest: Ingest, path: str) -> None:
    for at, each in enumerate(each for each in every_capture() if each.path == path):
        forged = changed(TOKEN, at % len(TOKEN)).decode()
        headers = [(name, f"Bearer {forged}" if name == "Authorization" else value) for name, value in each.headers]
        assert ingest.post(each.body, headers, source="template").status == HTTPStatus.UNAUTHORIZED
        ingest.canaries.add(forged)
    assert ingest.stores_nothing()


def test_captured_requests_without_a_credential_are_refused_by_every_source_that_asks_for_one(ingest: Ingest) -> None:
    bare = [each for each in every_capture() if not each.signed and "Authorization" not in dict(each.headers)]
    assert len(bare) == 143
    for source in set(SOURCES) - {"open"}:
        for each in bare:
            assert ingest.post(each.body, each.headers, source=source).status == HTTPStatus.UNAUTHORIZED
    assert ingest.stores_nothing()
