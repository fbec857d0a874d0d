"""What an AWS service is sent of an event: the same templates as over HTTP."""

import pytest
from msgspec import structs

from flagcast.config.secret_references import Reference
from flagcast.config.target_validation import MOST_HEADERS
from flagcast.events.event import NOTICES, Event, Origin
from flagcast.events.replay import Replay
from flagcast.exchange.aws_limits import MOST_ATTRIBUTES
from flagcast.exchange.aws_request import AwsRequest, MessageIds
from flagcast.primitives.render_failure import RenderFailed
from flagcast.rendering.compilation import Compiled, compile_destination
from flagcast.rendering.render import render
from flagcast.tasks.outcomes import Faulty
from tests.unit.builders import destination, event

QUEUE = "arn:aws:sqs:eu-west-1:111122223333:audit.fifo"
BUS = "arn:aws:events:eu-west-1:111122223333:event-bus/audit"
BUCKET = "arn:aws:s3:::audit-trail/flags"
ORIGIN = Origin("evt_7", "flipt", received_at="2026-01-02T03:04:06.789Z")
EVENT = event(ORIGIN, payload={"key": "new-ui", "name": "Zoë"})
IDS = MessageIds("g" * 48, "d" * 48)
TOKEN = Reference("ssm", "token")


def made_of(about: Event = EVENT, **keys: object) -> AwsRequest | RenderFailed:
    compiled = compile_destination(destination(**keys), {})
    assert isinstance(compiled, Compiled)
    made = render(compiled, about, {TOKEN: "t0ken"}, 1767323045.9, IDS)
    assert isinstance(made, AwsRequest | RenderFailed)
    return made


def request(about: Event = EVENT, **keys: object) -> AwsRequest:
    made = made_of(about, **keys)
    assert isinstance(made, AwsRequest), made
    return made


def test_a_message_has_the_rendered_body_and_the_headers_as_attributes() -> None:
    made = request(
        url=QUEUE,
        body='{"who": {{ event.payload.name }}}',
        headers={"X-Key": "{{ event.flag_key }}", "X-Token": "${ssm:token}", "X-Nothing": "{{ '' }}"},
    )
    assert made.body == '{"who": "Zoë"}'.encode()
    # One that is empty is left out: SQS takes no empty attribute. None says when it was sent: a repeat is the same.
    assert made.attributes == {
        "Content-Type": "application/json",
        "Webhook-Id": "evt_7",
        "X-Key": "new-ui",
        "X-Token": "t0ken",
    }
    assert (made.target.arn, made.ids) == (QUEUE, IDS)


def test_a_replay_says_so_in_an_attribute_and_as_many_headers_as_are_allowed_still_fit() -> None:
    again = structs.replace(EVENT, origin=structs.replace(ORIGIN, replay=Replay("rpl_1", "2026-11-27T06:00:00.000Z")))
    headers = {f"X-{number}": "a" for number in range(MOST_HEADERS)}
    made = request(again, url=QUEUE, headers=headers)
    assert made.attributes["Flagcast-Replay"] == "rpl_1"
    assert len(made.attributes) == MOST_ATTRIBUTES
    assert "Flagcast-Replay" not in request(url=QUEUE).attributes


def test_without_a_body_the_original_bytes_are_sent() -> None:
    assert request(url=QUEUE).body == EVENT.raw.encode()


@pytest.mark.parametrize(
    ("content_type", "key"),
    [
        ("application/json", "flags/flipt/2026/01/02/evt_7.json"),
        ("application/cloudevents+json", "flags/flipt/2026/01/02/evt_7.json"),
        ("text/plain", "flags/flipt/2026/01/02/evt_7"),
    ],
)
def test_an_object_lies_under_the_prefix_the_source_and_the_day_of_its_event(content_type: str, key: str) -> None:
    assert request(url=BUCKET, content_type=content_type).key == key


def test_a_bus_gets_the_source_and_what_happened_for_its_rules() -> None:
    made = request(url=BUS)
    assert (made.source, made.detail_type, made.event_id) == ("flagcast.flipt", "flag:updated", "evt_7")


def test_a_notice_comes_from_flagcast_itself() -> None:
    notice = event(structs.replace(ORIGIN, source=NOTICES), type="flagcast", action="trouble")
    made = request(notice, url=BUS, body="{}")
    assert (made.source, made.detail_type) == ("flagcast", "flagcast:trouble")
    assert request(notice, url=BUCKET, body="{}").key == "flags/flagcast/2026/01/02/evt_7.json"


def test_what_a_service_would_refuse_is_not_sent() -> None:
    assert made_of(url=BUS, body="[]") == RenderFailed(
        "the body is not a JSON object, and EventBridge takes nothing else"
    )


def test_a_template_that_fails_fails_as_over_http() -> None:
    assert made_of(url=QUEUE, headers={"A": "{{ 1 / 0 }}"}) == RenderFailed("headers.A, line 1: ZeroDivisionError")


def test_an_arn_out_of_a_secret_is_not_sent_to() -> None:
    compiled = compile_destination(destination(url="${ssm:token}"), {})
    assert isinstance(compiled, Compiled)
    assert render(compiled, EVENT, {TOKEN: QUEUE}, 0, IDS) == Faulty(
        "url: its secret does not contain an https:// address; an ARN is written out in flagcast.yaml"
    )
