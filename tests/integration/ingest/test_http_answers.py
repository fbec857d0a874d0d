"""The table of answers: what each request gets, and what is kept of it."""

import json
from http import HTTPStatus

import pytest

from flagcast.ingest.http_api import LARGEST_BODY
from tests.integration.conftest import start_fresh
from tests.integration.ingest.harness import EVENT, Ingest, bearer, destination, signature
from tests.support.api_gateway import Headers, http_event
from tests.support.captures import SECRET, TOKEN


def test_an_event_is_stored_and_told_in_one_line(ingest: Ingest) -> None:
    ingest.configure(destinations={"one": destination(), "two": destination("flag:*", "namespace:*")})
    answer = ingest.signed()
    assert answer.status == HTTPStatus.OK
    assert set(answer.body) == {"event_id", "deliveries"}
    assert answer.body["deliveries"] == 2
    stored = ingest.drain()
    assert {each.task["id"] for each in stored} == {f"{answer.body['event_id']}:{name}" for name in ("one", "two")}
    assert {each.task["event_id"] for each in stored} == {answer.body["event_id"]}
    assert {each.task["source"] for each in stored} == {"flipt"}
    assert [each.attributes for each in stored] == [{}, {}]
    (line,) = ingest.output.lines
    assert (line["event"], line["event_id"]) == ("event.accepted", answer.body["event_id"])
    assert line["destinations"] == ["one", "two"]
    assert line["title"]


@pytest.mark.parametrize("said", ["off", None])
def test_names_are_in_the_line_only_where_the_stack_says_that_they_may(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch, said: str | None
) -> None:
    ingest.configure(destinations={"one": destination()})
    if said is None:
        monkeypatch.delenv("FLAGCAST_LOG_NAMES")
    else:
        monkeypatch.setenv("FLAGCAST_LOG_NAMES", said)
    start_fresh()
    assert ingest.signed().status == HTTPStatus.OK
    (line,) = ingest.output.lines
    assert set(line) == {
        "event", "event_id", "source", "type", "action", "denied", "subject", "destinations", "duration_ms",
        "EventsAccepted", "_aws",
    }  # fmt: skip


def test_an_event_that_no_destination_wants_is_accepted_with_no_delivery(ingest: Ingest) -> None:
    ingest.configure(destinations={"tokens": destination("token:deleted")})
    answer = ingest.signed()
    assert (answer.status, answer.body["deliveries"]) == (HTTPStatus.OK, 0)
    assert ingest.signed() == answer
    assert ingest.stores_nothing()


@pytest.mark.parametrize("encoded", [False, True], ids=["text", "base64"])
@pytest.mark.parametrize(
    "header", ["X-Flipt-Webhook-Signature", "x-flipt-webhook-signature", "X-FLIPT-wEBHOOK-sIGNATURE"]
)
def test_a_header_is_found_in_whichever_case_it_comes(ingest: Ingest, header: str, encoded: bool) -> None:
    event = http_event(body=EVENT, encoded=encoded)
    event["headers"] = {header: dict(signature(EVENT))["X-Flipt-Webhook-Signature"]}
    assert ingest.ask(event).status == HTTPStatus.OK


def test_a_body_is_verified_as_it_came_and_not_as_it_could_be_written_again(ingest: Ingest) -> None:
    spaced = json.dumps(json.loads(EVENT), indent=2).encode()
    assert ingest.post(spaced, signature(EVENT)).status == HTTPStatus.UNAUTHORIZED
    assert ingest.stores_nothing()
    assert ingest.signed(spaced).status == HTTPStatus.OK
    assert [each.raw for each in ingest.drain()] == [spaced]


@pytest.mark.parametrize("name", ["control characters", "lone surrogate", "noncharacters"])
def test_what_sqs_would_refuse_in_a_message_arrives_all_the_same(ingest: Ingest, name: str) -> None:
    text = {
        "control characters": '{"type":"flag","action":"created","timestamp":"t","payload":"\\u0000\\u0007\x7f"}',
        "lone surrogate": '{"type":"flag","action":"created","timestamp":"t","payload":"\\ud800"}',
        "noncharacters": '{"type":"flag","action":"created","timestamp":"t","payload":"\ufffe\uffff\U0001ffff"}',
    }[name]
    body = text.encode()
    answer = ingest.signed(body, encoded=True)
    if name == "lone surrogate":
        # Half a pair cannot be written as UTF-8: no event, but kept.
        assert answer.body["error"] == "invalid_event"
        assert [each.raw for each in ingest.drain(ingest.dead_letters)] == [body]
    else:
        assert answer.status == HTTPStatus.OK
        assert [each.raw for each in ingest.drain()] == [body]


# Every body that is no event is in test_hostile_bodies.py; here, one that no message can hold as text, and an empty
# one.
@pytest.mark.parametrize("body", [b"\xff", b""], ids=["not UTF-8", "empty"])
@pytest.mark.parametrize(("source", "credential"), [("flipt", "signature"), ("template", "token")])
def test_an_authentic_body_that_is_no_event_is_kept_with_its_reason(
    ingest: Ingest, source: str, credential: str, body: bytes
) -> None:
    headers = signature(body) if credential == "signature" else bearer()
    for _ in range(2):
        answer = ingest.post(body, headers, source=source, encoded=True)
        assert (answer.status, answer.body["error"]) == (HTTPStatus.BAD_REQUEST, "invalid_event")
    assert ingest.waiting() == 0
    (letter,) = ingest.drain(ingest.dead_letters)
    assert letter.raw == body
    assert letter.task["destination"] == "-"
    assert letter.task["id"] == f"{letter.task['event_id']}:-"
    assert letter.attributes.keys() == {"reason", "detail", "destination", "event_id"}
    assert (letter.attributes["reason"], letter.attributes["destination"]) == ("invalid_event", "-")
    assert [line["event"] for line in ingest.output.lines] == ["event.rejected"] * 2
    assert {line["reason"] for line in ingest.output.lines} == {"invalid_event"}


@pytest.mark.parametrize("code", ["InternalFailure", "ThrottlingException", "AccessDenied", "unreachable"])
def test_a_body_that_is_no_event_and_cannot_be_kept_is_asked_for_again(ingest: Ingest, code: str) -> None:
    ingest.faults.fail("SendMessageBatch", code)
    assert ingest.signed(b"{}").status == HTTPStatus.SERVICE_UNAVAILABLE
    assert ingest.stores_nothing()
    ingest.faults.recover()
    assert ingest.signed(b"{}").status == HTTPStatus.BAD_REQUEST
    assert [each.raw for each in ingest.drain(ingest.dead_letters)] == [b"{}"]


def test_what_is_no_event_and_comes_from_anyone_is_only_counted(ingest: Ingest) -> None:
    answer = ingest.post(b"{}", source="open")
    assert (answer.status, answer.body["error"]) == (HTTPStatus.BAD_REQUEST, "invalid_event")
    assert ingest.stores_nothing()
    assert ingest.faults.calls.total() == 0
    (line,) = ingest.output.lines
    assert (line["event"], line["source"], line["reason"]) == ("event.rejected", "open", "invalid_event")


def test_a_source_without_credentials_takes_an_event_from_anyone(ingest: Ingest) -> None:
    assert ingest.post(source="open").status == HTTPStatus.OK
    assert [each.raw for each in ingest.drain()] == [EVENT]
    assert ingest.faults.calls["GetSecretValue"] == 0


SIGNED = dict(signature(EVENT))["X-Flipt-Webhook-Signature"]
UNPROVEN: dict[str, tuple[str, Headers]] = {
    "no header": ("flipt", []),
    "an empty signature": ("flipt", [("X-Flipt-Webhook-Signature", "")]),
    "the signature of another body": ("flipt", signature(EVENT + b" ")),
    "the signature by another secret": ("flipt", signature(EVENT, "another-secret")),
    "half a signature": ("flipt", [("X-Flipt-Webhook-Signature", SIGNED[:32])]),
    "the signature twice": ("flipt", [("X-Flipt-Webhook-Signature", SIGNED)] * 2),
    "the signature as others write it": ("flipt", [("X-Flipt-Webhook-Signature", f"sha256={SIGNED}")]),
    "a signature that is not ASCII": ("flipt", [("X-Flipt-Webhook-Signature", "\u00e9" * 64)]),
    "the signature under another name": ("flipt", [("X-Hub-Signature-256", SIGNED)]),
    "the secret as a token": ("flipt", bearer(SECRET)),
    "no token": ("template", []),
    "an empty token": ("template", [("Authorization", "Bearer ")]),
    "a wrong token": ("template", bearer("another-token")),
    "the beginning of the token": ("template", bearer(TOKEN[:-1])),
    "a token that is not ASCII": ("template", bearer("t\u00f6ken")),
    "another scheme": ("template", [("Authorization", f"Basic {TOKEN}")]),
    "no scheme": ("template", [("Authorization", TOKEN)]),
    "a signature by the token": ("template", signature(EVENT, TOKEN)),
}


@pytest.mark.parametrize(("source", "headers"), UNPROVEN.values(), ids=UNPROVEN.keys())
def test_what_does_not_prove_itself_is_refused_and_nothing_of_it_kept(
    ingest: Ingest, source: str, headers: Headers
) -> None:
    ingest.canaries |= {value for name, value in headers if value and name != "Content-Type"}
    answer = ingest.post(EVENT, headers, source=source)
    assert (answer.status, answer.body["error"]) == (HTTPStatus.UNAUTHORIZED, "unauthorized")
    assert ingest.stores_nothing()
    (line,) = ingest.output.lines
    assert (line["event"], line["source"], line["reason"]) == ("event.rejected", source, "unauthorized")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_token_is_taken_with_its_scheme_in_any_case(ingest: Ingest, scheme: str) -> None:
    headers = [("AUTHORIZATION", f"{scheme} {TOKEN}")]
    assert ingest.post(EVENT, headers, source="template").status == HTTPStatus.OK


@pytest.mark.parametrize("name", ["stranger", "Flipt", "flipt2", "sources", "canary-\u00e9"])
def test_an_unknown_source_is_not_told_by_the_name_that_a_caller_gave_it(ingest: Ingest, name: str) -> None:
    answer = ingest.post(EVENT, signature(EVENT), source=name)
    assert (answer.status, answer.body["error"]) == (HTTPStatus.NOT_FOUND, "unknown_source")
    assert ingest.stores_nothing()
    (line,) = ingest.output.lines
    assert (line["event"], line["source"], line["reason"]) == ("event.rejected", "-", "unknown_source")
    assert name not in json.dumps([line, answer.body], ensure_ascii=False)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "post"])
def test_another_method_is_told_which_one_is_right(ingest: Ingest, method: str) -> None:
    answer = ingest.ask(http_event(method=method, body=EVENT, headers=signature(EVENT)))
    assert (answer.status, answer.body["error"]) == (HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed")
    assert answer.headers["allow"] == "POST"
    assert ingest.stores_nothing()


@pytest.mark.parametrize("source", ["flipt", "open"])
@pytest.mark.parametrize("kind", ["event", "no event"])
def test_a_body_larger_than_lambda_can_hand_over_is_too_large(ingest: Ingest, source: str, kind: str) -> None:
    huge = b"x" * (LARGEST_BODY + 1)
    if kind == "event":
        huge = EVENT[:-1] + b" " * (len(huge) - len(EVENT)) + EVENT[-1:]
    answer = ingest.signed(huge, source=source)
    assert (answer.status, answer.body["error"]) == (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large")
    assert ingest.stores_nothing()
    assert [(line["event"], line["reason"]) for line in ingest.output.lines] == [("event.rejected", "too_large")]


def test_a_body_that_is_too_large_must_prove_itself_like_any_other(ingest: Ingest) -> None:
    huge = b"x" * (LARGEST_BODY + 1)
    assert ingest.signed(huge, "another-secret").status == HTTPStatus.UNAUTHORIZED


def test_health_is_well_while_the_configuration_can_be_read(ingest: Ingest) -> None:
    answer = ingest.ask(http_event(method="GET", source=None))
    assert (answer.status, answer.body) == (HTTPStatus.OK, {"status": "ok"})
    ingest.write("sources: [")
    assert ingest.ask(http_event(method="GET", source=None)).status == HTTPStatus.SERVICE_UNAVAILABLE
    assert ingest.faults.calls.total() == 0


def test_a_monitor_that_asks_for_the_head_of_health_alone_has_its_status_and_no_body(ingest: Ingest) -> None:
    # It was 404: an HTTP API sends it to no route of GET's.
    answer = ingest.ask(http_event(method="HEAD", source=None))
    assert (answer.status, answer.body) == (HTTPStatus.OK, {})
    ingest.write("sources: [")
    assert ingest.ask(http_event(method="HEAD", source=None)).status == HTTPStatus.SERVICE_UNAVAILABLE
