import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagcast.config.secret_references import Reference
from flagcast.events.event import Event, Origin
from flagcast.events.replay import Replay
from flagcast.exchange.aws_request import AwsRequest
from flagcast.exchange.request import Request
from flagcast.primitives.render_failure import RenderFailed
from flagcast.primitives.text_position import TextPosition
from flagcast.rendering.compilation import Compiled, compile_destination
from flagcast.rendering.conditions import wanted
from flagcast.rendering.render import is_json, render
from flagcast.summaries.event_summary import Summary, summarise
from flagcast.tasks.outcomes import Faulty
from tests.support.captures import every_capture
from tests.unit.builders import body, destination, event, event_of

EVENT = event(
    Origin("evt_7"), payload={"key": "k", "name": 'a "b"\nc', "enabled": True}, metadata={"actor": {"name": "Zoë"}}
)
TOKEN = Reference("ssm", "token")
NOW = 1767323045.9


def compiled(templates: dict[str, str] | None = None, **keys: Any) -> Compiled:
    made = compile_destination(destination(**keys), templates or {}, "destinations.d")
    assert isinstance(made, Compiled), made
    return made


def rendered(
    keys: dict[str, Any], about: Event = EVENT, token: str = "t0ken", templates: dict[str, str] | None = None
) -> Request | RenderFailed | Faulty:
    made = render(compiled(templates, **keys), about, {TOKEN: token}, NOW)
    assert not isinstance(made, AwsRequest)
    return made


def made_of(keys: dict[str, Any], about: Event = EVENT, token: str = "t0ken") -> Request:
    made = rendered(keys, about, token)
    assert isinstance(made, Request), made
    return made


@pytest.mark.parametrize(
    ("content_type", "json_"),
    [
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        (" application/json ;x", True),
        ("application/cloudevents+json", True),
        ("application/jsonp", False),
        ("text/plain; application/json", False),
        ("text/plain", False),
        ("", False),
    ],
)
def test_a_content_type_is_json_by_its_essence(content_type: str, json_: bool) -> None:
    assert is_json(content_type) is json_


def test_a_destination_without_a_body_gets_the_original_bytes_of_every_capture() -> None:
    mirror = compiled()
    bodies = [each.body for each in every_capture() if each.is_event]
    requests = [render(mirror, event_of(raw), {}, NOW) for raw in bodies]
    assert [each.body for each in requests if isinstance(each, Request)] == bodies


def test_a_request_is_made_of_the_event_and_the_references() -> None:
    keys = {
        "url": "https://x/${ssm:token}",
        "method": "PUT",
        "content_type": "text/plain",
        "headers": {"Authorization": "Bearer ${ssm:token}", "X-Key": "{{ event.flag_key }}"},
        "body": "{{ event.actor }} {{ event.verb_phrase }} {{ event.payload.key }}\n",
    }
    assert rendered(keys) == Request(
        "PUT",
        "https://x/t0ken",
        {
            "Content-Type": "text/plain",
            "Webhook-Id": "evt_7",
            "Webhook-Timestamp": "1767323045",
            "Authorization": "Bearer t0ken",
            "X-Key": "k",
        },
        "Zoë updated k\n".encode(),
    )


@pytest.mark.parametrize(
    ("value", "allow_http", "made"),
    [
        ("https://hooks.example.com/x", False, Request),
        ("http://hooks.example.com/x", True, Request),
        ("http://hooks.example.com/x", False, Faulty),
        ("", False, Faulty),
        (" https://hooks.example.com/x", False, Faulty),
        ("https://canary:canary@hooks.example.com/x", False, Faulty),
        ("https://hooks.example.com/canary\r\nHost: canary", False, Faulty),
        ("file:///etc/passwd", True, Faulty),
        ("canary", True, Faulty),
    ],
)
def test_an_address_out_of_a_secret_must_be_one_that_is_allowed(value: str, allow_http: bool, made: type) -> None:
    result = rendered({"url": "${ssm:token}", "allow_http": allow_http}, token=value)
    assert isinstance(result, made)
    assert "canary" not in str(result)


def test_every_field_that_templates_are_promised_is_there() -> None:
    names = (
        "version type action status metadata payload timestamp id source environment namespace flag_key resource_key "
        "actor verb_phrase is_denied is_order url received_at raw"
    )
    template = "[" + ",".join(f"{{{{ event.{name} | tojson }}}}" for name in names.split()) + "]"
    about = event_of(body(payload={"key": "k"}), Origin("evt_1", "flipt", "eu", "https://f", "now"))
    assert json.loads(made_of({"body": template}, about).body) == [
        "", "flag", "updated", "", {}, {"key": "k"}, "", "evt_1", "flipt", "eu", "default", "k", "k", "someone",
        "updated", False, False, "https://f/#/namespaces/default/flags/k", "now", about.raw,
    ]  # fmt: skip


def test_a_template_file_may_include_another() -> None:
    keys = {"template": "a.j2", "content_type": "text/plain"}
    made = rendered(keys, templates={"a.j2": "<{% include 'parts/b.j2' %}>", "parts/b.j2": "{{ event.type }}"})
    assert isinstance(made, Request)
    assert made.body == b"<flag>"


@pytest.mark.parametrize(
    ("keys", "path", "message"),
    [
        ({"body": "{% if %}"}, "body", "body, line 1: Expected an expression, got 'end of statement block'"),
        ({"body": "a\n{{ event.type | nope }}"}, "body", "body, line 2: No filter named 'nope'."),
        ({"template": "bad.j2"}, "template", "bad.j2, line 2: Encountered unknown tag 'bad'."),
        ({"headers": {"A": "{% x"}}, "headers.A", "headers.A, line 1: Encountered unknown tag 'x'."),
        (
            {"headers": {"A": "{% if ${ssm:token} %}x{% endif %}"}},
            "headers.A",
            "headers.A, line 1: expected token ':', got '}'",
        ),
        *(
            ({"headers": {"A": inside}}, "headers.A", "a reference cannot be inside {{ }} or {% %}")
            for inside in (
                '{{ "${ssm:token}" }}',
                "{% raw %}${ssm:token}{% endraw %}",
                "{# ${ssm:token} #}",
                "${ssm:token} {# ${ssm:token} #}",
            )
        ),
    ],
)
def test_a_template_that_does_not_compile_is_told_with_where_and_what(
    keys: dict[str, Any], path: str, message: str
) -> None:
    problems = compile_destination(destination(**keys), {"bad.j2": "x\n{% bad %}"}, "destinations.d")
    assert isinstance(problems, tuple)
    assert list(map(str, problems)) == [f"destinations.d.{path}: {message}"]


def test_a_failure_is_what_is_told_of_it_and_knows_where_apart() -> None:
    failed = RenderFailed.at(TextPosition("a.j2", 3, 5), "no")
    assert (failed.detail, failed.what, RenderFailed("no").what) == ("a.j2, line 3, column 5: no", "no", "no")
    assert {failed} == {RenderFailed("a.j2, line 3, column 5: no")}
    assert failed not in (RenderFailed("no"), "no")


def test_every_problem_of_a_destination_is_told_at_once() -> None:
    problems = compile_destination(destination(body="{{", headers={"A": "{{", "B": "{# ${ssm:token} #}"}), {}, "d")
    assert isinstance(problems, tuple)
    assert [each.path for each in problems] == ["d.body", "d.headers.A", "d.headers.B"]


def test_references_are_told_once_each_in_the_order_they_stand() -> None:
    made = compiled(url="https://${ssm:b}", headers={"A": "${ssm:a}${ssm:b}", "B": "${secret:c#k}"})
    assert made.references == (Reference("ssm", "b"), Reference("ssm", "a"), Reference("secret", "c", "k"))


@pytest.mark.parametrize(
    ("keys", "detail"),
    [
        ({"body": "{{ event.nope }}"}, "body, line 1: event has no attribute 'nope'"),
        ({"body": "\n{{ 1 / 0 }}"}, "body, line 2: ZeroDivisionError"),
        ({"body": "{{ 1 + event.payload.key }}"}, "body, line 1: TypeError"),
        (
            {"body": "{{ range(1000000) | list }}"},
            "body, line 1: a number over 10,000 where a width or count is expected",
        ),
        ({"body": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"}, "body, line 1: RecursionError"),
        (
            {"body": "{{ event.__class__ }}"},
            "body, line 1: access to attribute '__class__' of 'Event' object is unsafe.",
        ),
        (
            {"body": "{{ event.payload.update({}) }}"},
            "body, line 1: access to attribute 'update' of 'dict' object is unsafe.",
        ),
        ({"template": "a.j2"}, "b.j2, line 3: event has no attribute 'nope'"),
        ({"template": "c.j2"}, "c.j2, line 1: no file templates/not-there.j2"),
        (
            {"headers": {"A": "{{ event.nope }}"}},
            "headers.A, line 1: event has no attribute 'nope'",
        ),
        *(
            ({"headers": {"A": f'a{{{{ "{each}" }}}}b'}}, "headers.A: a line break or NUL in the value")
            for each in ("\\r", "\\n", "\\0")
        ),
        ({"headers": {"A": "{{ event.payload.name }}"}}, "headers.A: a line break or NUL in the value"),
    ],
)  # fmt: skip
def test_a_template_that_fails_is_told_with_where_and_what(keys: dict[str, Any], detail: str) -> None:
    templates = {"a.j2": "{% include 'b.j2' %}", "b.j2": "\n\n{{ event.nope }}", "c.j2": "{% include 'not-there.j2' %}"}
    assert rendered({"content_type": "text/plain", **keys}, templates=templates) == RenderFailed(detail)


def test_the_reason_for_a_failure_does_not_quote_what_python_says_about_a_value() -> None:
    # Python says "could not convert string to float: 'canary key'", Jinja2 "'canary key' is not a valid URI scheme".
    about = event(payload={"key": "canary key"})
    assert rendered({"body": "{{ event.flag_key | filesizeformat }}"}, about) == RenderFailed(
        "body, line 1: ValueError"
    )
    failed = rendered({"body": "{{ 'a' | urlize(extra_schemes=[event.flag_key]) }}"}, about)
    assert failed == RenderFailed("body, line 1: FilterArgumentError")


@pytest.mark.parametrize("escape", ["json", "none"])
@pytest.mark.parametrize("body", ["", "{{ event.type }},", '{"a": {{ event.payload.name }}', "{} {}", "[" * 100_000])
def test_a_body_that_says_it_is_json_and_is_not_fails(body: str, escape: str) -> None:
    failed = rendered({"body": body, "escape": escape})
    assert isinstance(failed, RenderFailed)
    assert failed.detail.startswith("body: the result is not JSON: ")
    assert isinstance(rendered({"body": body, "content_type": "text/plain"}), Request)


# The quotes and line breaks of a name broke the body, and the message was lost.
@pytest.mark.parametrize("content_type", ["application/json", "application/cloudevents+json; charset=utf-8"])
def test_a_value_in_a_json_body_is_escaped_for_its_place(content_type: str) -> None:
    template = '{"type": {{ event.type }}, "text": "{{ event.payload.name }}", "none": {{ event.url }}}'
    made = made_of({"body": template, "content_type": content_type})
    assert json.loads(made.body) == {"type": "flag", "text": 'a "b"\nc', "none": None}


@pytest.mark.parametrize("body", ["{{ event.type }}", '{"a": "{{ event.payload.name }}"}', '{"a": {{ event.url }}}'])
def test_with_escape_none_a_value_stands_as_it_is_and_the_result_must_still_be_json(body: str) -> None:
    assert isinstance(rendered({"body": body, "escape": "none"}), RenderFailed)
    assert isinstance(rendered({"body": body}), Request)
    quoted = made_of({"body": '{"a": {{ event.payload.name | tojson }}, "b": "{{ event.type }}"}', "escape": "none"})
    assert json.loads(quoted.body) == {"a": 'a "b"\nc', "b": "flag"}


def test_a_value_that_cannot_stand_where_it_does_fails_with_where_that_is() -> None:
    assert rendered({"body": '{"a": {{ event.type | safe }}}'}) == RenderFailed(
        "body: a value that is not JSON stands outside of a string, behind '{\"a\":'"
    )


def test_variables_are_texts_with_their_references_resolved() -> None:
    keys: dict[str, Any] = {
        "vars": {"channel": "#a", "key": "k-${ssm:token}"},
        "body": '{"c": "{{ vars.channel }}", "k": {{ vars.key }}}',
    }
    assert json.loads(made_of(keys).body) == {"c": "#a", "k": "k-t0ken"}
    assert compiled(**keys).references == (TOKEN,)


# A secret with a line break in it was a failure of the template, and the task lost; once fixed, it is sent.
@pytest.mark.parametrize("token", ["a\rb", "a\nb", "a\0b"])
def test_a_secret_that_cannot_stand_in_a_header_holds_the_destination(token: str) -> None:
    faulty = rendered({"headers": {"A": "Bearer ${ssm:token}"}}, token=token)
    assert faulty == Faulty("headers.A: its secret contains a line break or NUL")


# Python's own reader takes these: NaN and Infinity are not JSON, and a receiver that knows so refused the request.
@pytest.mark.parametrize("body", ["NaN", '{"a": Infinity}', "[-Infinity]", "{{ 1e308 * 10 }}"])
def test_a_number_that_is_not_one_is_not_json(body: str) -> None:
    assert isinstance(rendered({"body": body.replace("{{ 1e308 * 10 }}", "{{ (1e308 * 10) | tojson }}")}), RenderFailed)


# Reading such a body raised at each attempt: the task went round until its 900th receive, to end `exhausted`.
@pytest.mark.parametrize("body", ['{{ "1" * 5000 }}', r'"{{ "\ud83d\ude00" }}"', r'{"a": "{{ "\udc00" }}"}'])
def test_any_body_that_is_not_taken_for_json_fails_as_a_value(body: str) -> None:
    made = rendered({"body": body})
    assert isinstance(made, Request | RenderFailed)
    if isinstance(made, Request):
        assert json.loads(made.body) is not None


# Half of a character cannot be sent: the transport raised at each attempt, and the task ended `exhausted`.
def test_half_a_character_in_a_header_fails_as_a_value() -> None:
    failed = rendered({"headers": {"A": r'{{ "\ud83d" }}'}})
    assert isinstance(failed, RenderFailed)
    assert failed.detail.startswith("headers.A: ")


HOSTILE = st.text() | st.sampled_from(["{{ event.raw }}", "${ssm:token}", "{% x", "flagcast_", '"', "\\"])


@given(HOSTILE.filter(lambda text: not set(text) & set("\r\n\0")), HOSTILE)
def test_a_secret_and_an_event_stand_in_a_header_as_they_are(secret: str, key: str) -> None:
    about = event(payload={"key": key or "x"})
    headers = {"X-Secret": "${ssm:token}", "X-Key": "{{ event.flag_key }}"}
    made = rendered({"headers": headers}, about, secret)
    if set(key) & set("\r\n\0"):
        assert made == RenderFailed("headers.X-Key: a line break or NUL in the value")
    else:
        assert isinstance(made, Request)
        assert (made.headers["X-Secret"], made.headers["X-Key"]) == (secret, key or "x")


@given(st.text())
def test_an_event_that_names_a_secret_does_not_read_it(name: str) -> None:
    about = event(payload={"key": f"{name}${{ssm:token}}"})
    made = made_of({"url": "https://x/${ssm:token}", "body": "{{ event.flag_key | tojson }}"}, about, "canary9")
    assert json.loads(made.body) == about.flag_key
    assert made.url == "https://x/canary9"


def test_the_address_is_no_template() -> None:
    assert made_of({"url": "https://x/{{event.type}}"}).url == "https://x/{{event.type}}"


def test_a_header_may_print_a_variable_of_its_own_beside_a_reference() -> None:
    # Every name that stood alone was taken for a reference, so that this was refused.
    text = "{% set who = event.actor %}{{ who }} ${ssm:token}"
    assert made_of({"headers": {"X-Who": text}}).headers["X-Who"].endswith(" t0ken")


def test_a_name_that_is_not_there_is_named_by_tojson_too() -> None:
    # json does not know undefined values: a misspelt field was a bare TypeError.
    failed = rendered({"body": "{{ event.actr | tojson }}"})
    assert failed == RenderFailed("body, line 1: event has no attribute 'actr'")
    assert made_of({"body": "{{ event.payload | tojson }}"}).body.startswith(b"{")


@pytest.mark.parametrize(
    ("keys", "made"),
    [
        ({"body": '{"type": "{{ event.type }}"}'}, 0),
        ({"engine": "go", "body": '{"type": "{{ .Type }}"}'}, 0),
        ({"body": '{"title": "{{ summary.title }}"}'}, 1),
        ({"body": '{% include "other.j2" %}'}, 1),
        ({"template": "other.j2"}, 1),
        ({"headers": {"X-Title": "{{ summary.kind }}"}}, 1),
        ({"when": "summary.kind == 'updated'"}, 1),
    ],
)
def test_only_a_destination_that_may_ask_for_the_summary_pays_for_it(
    monkeypatch: pytest.MonkeyPatch, keys: dict[str, Any], made: int
) -> None:
    asked: list[Event] = []

    def counted(event: Event) -> Summary:
        asked.append(event)
        return summarise(event)

    monkeypatch.setattr("flagcast.rendering.template_context.summarise", counted)
    compiled = compile_destination(destination(**keys), {"other.j2": '"{{ summary.title }}"'})
    assert isinstance(compiled, Compiled)
    assert isinstance(render(compiled, event(payload={"key": "k"}), {}, 0), Request)
    assert len(asked) == made


def test_a_replay_says_so_in_a_header_and_keeps_the_events_own_id() -> None:
    again = made_of({}, event(Origin("evt_7", replay=Replay("rpl_1", "2026-11-27T06:00:00.000Z"))))
    assert again.headers["Flagcast-Replay"] == "rpl_1"
    assert again.headers["Webhook-Id"] == "evt_7"
    assert "Flagcast-Replay" not in made_of({}).headers


def test_a_template_and_a_condition_can_tell_a_replay_and_when_it_first_happened() -> None:
    replay = Replay("rpl_1", "2026-11-27T06:00:00.000Z")
    about = event(Origin("evt_7", received_at="2026-01-02T03:04:05.000Z", replay=replay))
    text = "{{ event.is_replay }} {{ event.replay_id }} {{ event.replayed_at }} {{ event.received_at }}"
    keys: dict[str, Any] = {"body": text, "content_type": "text/plain", "when": "not event.is_replay"}
    assert made_of(keys, about).body == b"true rpl_1 2026-11-27T06:00:00.000Z 2026-01-02T03:04:05.000Z"
    assert wanted(compiled(**keys), about) is False
    assert wanted(compiled(**keys), EVENT) is True
