from typing import Any

import pytest

from flagcast.config.model import Problem
from flagcast.events.event import Event, Origin
from flagcast.rendering.compilation import Compiled, compile_destination
from flagcast.rendering.conditions import judged, wanted
from flagcast.tasks.outcomes import Answered, FilterFailed, NotAccepted, NotNow
from tests.unit.builders import destination, event

DENIED = event(status="denied", payload=None)
PRODUCTION = event(payload={"key": "k", "namespace_key": "production"})
STAGING = event(payload={"key": "k", "namespace_key": "staging"})


def compiled(**keys: Any) -> Compiled:
    made = compile_destination(destination(**keys), {}, "destinations.x")
    assert isinstance(made, Compiled), made
    return made


def asked(when: str, about: Event = PRODUCTION) -> bool | FilterFailed:
    return wanted(compiled(when=when), about)


def answered(accept: str, text: str = "", status: int = 200) -> Answered | NotAccepted | NotNow:
    return judged(compiled(accept=accept), Answered(status, None, text))


def test_without_a_condition_everything_is_wanted_and_accepted() -> None:
    assert wanted(compiled(), DENIED) is True
    assert judged(compiled(), Answered(204)) == Answered(204)


@pytest.mark.parametrize(
    ("when", "production", "staging", "denied"),
    [
        ('event.namespace == "production"', True, False, False),
        ('event.namespace != "production"', False, True, True),
        ('event.is_denied or event.namespace == "production"', True, False, True),
        ('event.namespace == "production" and not event.is_denied', True, False, False),
        ('event.namespace in ["production", "staging"]', True, True, False),
        ("event.namespace is none", False, False, True),
        ("event.payload is none or event.payload.namespace_key is defined", True, True, True),
        ('[event.type] | select("eq", "flag") | list | length > 0', True, True, True),
    ],
)
def test_a_filter_on_the_namespace_leaves_denied_events_out_unless_it_asks_for_them(
    when: str, production: bool, staging: bool, denied: bool
) -> None:
    assert [asked(when, each) for each in (PRODUCTION, STAGING, DENIED)] == [production, staging, denied]


def test_a_filter_sees_what_the_source_says_of_itself() -> None:
    assert asked('event.environment == "eu"', event(Origin(environment="eu"))) is True


@pytest.mark.parametrize(
    ("when", "detail"),
    [
        ("event.type", "when: gives a str, not true or false"),
        ("event.payload", "when: gives a dict, not true or false"),
        ("1", "when: gives a int, not true or false"),
        ("none", "when: gives a NoneType, not true or false"),
        ('event.namespace and "canary"', "when: gives a str, not true or false"),
        ('event.type ~ "canary"', "when: gives a str, not true or false"),
        # Jinja2's undefined shows itself as "Undefined" and tells no name.
        ("event.nope", "when: event has no attribute 'nope'"),
        ("event.payload.nope", "when: 'dict object' has no attribute 'nope'"),
        ("nope", "when: 'nope' is undefined"),
        ("event.nope == 1", "when: event has no attribute 'nope'"),
        ("response.status == 200", "when: 'response' is undefined"),
        ("vars.x == 1", "when: 'dict object' has no attribute 'x'"),
        ("event.payload.key + 1 == 2", "when: TypeError"),
        ("(event.payload.key * 300000000) | length > 0", "when: more than 16,777,216 characters are made"),
        ("event.payload[event.payload.key] == 1", "when: a value has no attribute of the name that another gives"),
    ],
)
def test_what_is_neither_true_nor_false_fails_and_says_its_kind_alone(when: str, detail: str) -> None:
    # The value itself was in the reason, and so in a log and in the dead letter's attributes.
    failed = asked(when, event(payload={"key": "canary"}))
    assert failed == FilterFailed(detail)
    assert "canary" not in str(failed)


@pytest.mark.parametrize("where", ["when", "accept", "retry.when"])
@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "is empty; write an expression, or delete the key"),
        ("event.type ==", "line 1: ends where a value is expected"),
        ("a b", "line 1: is more than one expression; compare with ==, and combine with `and` or `or`"),
        ("a | nope", "line 1: No filter named 'nope'."),
        ("{{ a }}", "is an expression; write it without {{ }} and {% %}"),
        ("9" * 5000 + " == 1", "ValueError"),
    ],
)
def test_an_expression_that_does_not_compile_is_a_problem_of_the_configuration(
    where: str, source: str, message: str
) -> None:
    keys = {"retry": {"when": source}} if where == "retry.when" else {where: source}
    problems = compile_destination(destination(**keys), {}, "destinations.x")
    assert isinstance(problems, tuple)
    assert [each.path for each in problems] == [f"destinations.x.{where}"]
    assert str(problems[0]).startswith(f"destinations.x.{where}: {where}")
    assert str(problems[0]).endswith(message)
    assert isinstance(problems[0], Problem)


@pytest.mark.parametrize(
    ("accept", "text", "holds"),
    [
        ("response.json.ok", '{"ok": true}', True),
        ("response.json.ok", '{"ok": false}', False),
        ("response.json is not none and response.json.ok", "gateway page", False),
        ('response.text == "ok"', "ok", True),
        ("response.status == 202", "", False),
    ],
)
def test_an_answer_that_says_2xx_is_accepted_only_if_accept_holds(accept: str, text: str, holds: bool) -> None:
    assert answered(accept, text) == (Answered(200, None, text) if holds else NotAccepted(200, text))


@pytest.mark.parametrize("status", [199, 300, 302, 400, 503])
def test_accept_is_not_asked_of_an_answer_that_says_no_itself(status: int) -> None:
    assert answered("false", "no", status) == Answered(status, None, "no")


@pytest.mark.parametrize(
    ("accept", "why"),
    [
        ("response.json.ok", "accept: 'None' has no attribute 'ok'"),
        ("response.jsn", "accept: response has no attribute 'jsn'"),
        ("response.text", "accept: gives a str, not true or false"),
        ("event.type == 'flag'", "accept: 'event' is undefined"),
    ],
)
def test_what_accept_cannot_be_asked_of_is_not_accepted_and_says_why(accept: str, why: str) -> None:
    assert answered(accept, "gateway page") == NotAccepted(200, f"{why}; gateway page")


def later(when: str, status: int, text: str = "", headers: dict[str, str] | None = None, **keys: Any) -> object:
    answer = Answered(status, 30.0, text, headers or {})
    return judged(compiled(retry={"when": when}, **keys), answer)


BUSY = '{"ok": false, "error": "ratelimited"}'
IS_BUSY = 'response.json.error == "ratelimited"'


@pytest.mark.parametrize("status", [200, 302, 400, 403, 410])
def test_not_now_is_what_retry_when_says_it_is(status: int) -> None:
    # Teams says it in a 200, GitHub in a 403: both were final.
    assert later(IS_BUSY, status, BUSY) == NotNow(status, 30.0, BUSY)
    assert later(IS_BUSY, status, BUSY, accept="false") == NotNow(status, 30.0, BUSY)


def test_what_retry_when_does_not_hold_for_is_what_it_would_be_without_it() -> None:
    refused = '{"ok": false, "error": "no"}'
    assert later(IS_BUSY, 200, refused) == Answered(200, 30.0, refused)
    assert later(IS_BUSY, 200, refused, accept="response.json.ok") == NotAccepted(200, refused)
    assert later(IS_BUSY, 403, refused) == Answered(403, 30.0, refused)


@pytest.mark.parametrize(
    ("status", "said"), [(200, "page"), (403, "retry.when: 'None' has no attribute 'error'; page")]
)
def test_what_retry_when_cannot_be_asked_of_it_does_not_hold_for(status: int, said: str) -> None:
    assert later(IS_BUSY, status, "page") == Answered(status, 30.0, said)


def test_a_5xx_stays_an_outage_whatever_retry_when_says() -> None:
    assert later("true", 503, "down") == Answered(503, 30.0, "down")


def test_conditions_see_headers_in_any_case() -> None:
    limited = {"x-ratelimit-remaining": "0"}
    assert later('response.headers["X-RateLimit-Remaining"] == "0"', 403, "", limited) == NotNow(403, 30.0, "")
    assert later('response.headers.get("X-Other", "0") == "1"', 403, "", limited) == Answered(403, 30.0)
    page = Answered(200, None, "", {"content-type": "text/html"})
    assert judged(compiled(accept='"json" in response.headers["Content-Type"]'), page) == NotAccepted(200, "")


def test_a_challenge_of_aws_waf_is_no_delivery() -> None:
    # Its 202 counted as delivered, and the destination had seen nothing.
    challenge = {"x-amzn-waf-action": "challenge"}
    refused = NotAccepted(202, "x-amzn-waf-action: challenge; page")
    assert judged(compiled(), Answered(202, None, "page", challenge)) == refused
    assert judged(compiled(accept="true"), Answered(202, None, "page", challenge)) == refused
    assert judged(compiled(), Answered(405, None, "page", challenge)) == Answered(405, None, "page")


SIGN_IN = "https://login.example.com/in?next=canary"


@pytest.mark.parametrize(
    ("accept", "holds"),
    [
        ("response.status in [200, 302]", True),
        ('response["status"] == 302', True),
        ('response.headers.location.startswith("https://login.")', True),
        ("response.status == 200", False),
        # What looks at the text alone means an answer, and would take a page to sign in for one.
        ('"error" not in response.text', None),
        ("true", None),
        (None, None),
    ],
)
def test_accept_may_judge_a_redirect_if_it_looks_at_what_makes_it_one(accept: str | None, holds: bool | None) -> None:
    # Google Apps Script answers 302 when its work is done: every delivery was a dead letter, and arrived.
    said = "Location: https://login.example.com/in?next=*** moved"
    made = judged(compiled(accept=accept), Answered(302, None, "moved", {"location": SIGN_IN}))
    assert made == (NotAccepted(302, said) if holds is False else Answered(302, None, said, {}, holds is True))


def test_a_redirect_that_says_not_where_to_has_its_text_alone() -> None:
    assert judged(compiled(), Answered(302, None, "moved")) == Answered(302, None, "moved")
    assert judged(compiled(), Answered(200, None, "made", {"location": SIGN_IN})) == Answered(200, None, "made")
