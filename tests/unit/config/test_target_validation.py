import pytest

from flagcast.config.model import Destination, FaultyDestination
from flagcast.config.read import read

QUEUE = "arn:aws:sqs:eu-west-1:111122223333:audit"
TOPIC = "arn:aws:sns:eu-west-1:111122223333:changes.fifo"
BUS = "arn:aws:events:eu-west-1:111122223333:event-bus/audit"
BUCKET = "arn:aws:s3:::audit-trail/flags"
SEVEN = ", ".join(f"H{n}: v" for n in range(7))
NAME = "is not the name of a message attribute; use letters, digits, -, _ and single dots inside"


def found(keys: str, defaults: str = "{}") -> Destination | FaultyDestination:
    return read(f"sources: {{}}\ndefaults: {defaults}\ndestinations: {{d: {keys}}}").destinations["d"]


@pytest.mark.parametrize(
    "keys",
    [
        f"{{url: {QUEUE}}}",
        f"{{url: {QUEUE}, headers: {{{SEVEN}}}, vars: {{a: '${{secret:a}}'}}, when: event.is_denied, ordering: none}}",
        f"{{url: {TOPIC}, rate_limit: 5/s, timeout: 2s, retry: {{retry_on: [410]}}, accept: 'true'}}",
        f"{{url: {BUS}, body: '{{}}'}}",
        f"{{url: {BUCKET}, content_type: text/plain, headers: {{{SEVEN}, H7: v, a..b: v}}}}",
    ],
)
def test_a_destination_can_be_an_aws_service(keys: str) -> None:
    assert isinstance(found(keys), Destination)


@pytest.mark.parametrize(
    ("keys", "problems"),
    [
        ("{url: 'arn:aws:sqs:eu-west-1:1:q'}", ["url: \"1\" is not an account; use its 12 digits"]),
        (
            "{url: 'arn:aws:sqs:eu-west-1:${ssm:account}:q'}",
            ["url: an ARN cannot contain a reference; write it out: an ARN is no secret"],
        ),
        (
            f"{{url: {QUEUE}, method: POST, allow_http: false, allow_private: [10.0.0.0/8]}}",
            [
                "method: cannot be used with an ARN: AWS decides how a service is called; delete it",
                "allow_http: cannot be used with an ARN: AWS is always called by https; delete it",
                "allow_private: cannot be used with an ARN: the address is AWS's; delete it",
            ],
        ),
        (
            f"{{url: {BUCKET}, sign: {{scheme: flipt, secret: '${{secret:a}}'}}}}",
            ["sign: cannot be used with an ARN: AWS verifies who sends; delete it"],
        ),
        (
            f"{{url: {BUS}, headers: {{A: b}}}}",
            ["headers: cannot be used with an event bus: its events have none; use body"],
        ),
        (
            f"{{url: {QUEUE}, headers: {{{SEVEN}, H7: v}}}}",
            ["headers: 8 are too many; use at most 7: they become message attributes"],
        ),
        (
            f"{{url: {TOPIC}, headers: {{AWS.a: v, a..b: v, a+: v, Amazon.: v, ok.1_-: v}}}}",
            [f"headers['AWS.a']: {NAME}", f"headers['a..b']: {NAME}", f"headers.a+: {NAME}",
             f"headers['Amazon.']: {NAME}"],
        ),
    ],
)  # fmt: skip
def test_what_says_nothing_of_an_aws_service_is_refused_with_the_reason(keys: str, problems: list[str]) -> None:
    made = found(keys)
    assert isinstance(made, FaultyDestination)
    assert [str(each).removeprefix("destinations.d.") for each in made.problems] == problems


def test_defaults_for_http_do_not_stand_in_the_way_of_an_aws_service() -> None:
    # They could not be taken back for one destination: a key without a value is refused.
    defaults = (
        "{method: PUT, sign: {scheme: flipt, secret: '${secret:a}'}, allow_private: [10.0.0.0/8], headers: {A: b}}"
    )
    assert isinstance(found(f"{{url: {BUS}}}", defaults), Destination)
    assert isinstance(found(f"{{url: {QUEUE}}}", defaults), Destination)
