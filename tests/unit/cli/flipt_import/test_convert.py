"""What Flipt was told becomes destinations that send the same, and keep their secrets elsewhere."""

import base64
import json
import string
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from flagcast.config.model import Configuration, Destination, Retry
from flagcast.config.read import read
from flagcast.config.secret_references import Reference, Text
from flagcast.exchange.request import Request
from flagcast.rendering.compilation import Compiled, compile_destination
from flagcast.rendering.render import render
from flagcast_cli.console import CommandError
from flagcast_cli.flipt_import.convert import Imported, ImportedDestination, convert
from flagcast_cli.flipt_import.flipt_file import FliptTemplate, FliptWebhook
from flagcast_cli.flipt_import.settings import Setting
from flagcast_cli.flipt_import.yaml_writer import flagcast_yaml
from tests.unit.builders import event

URL = "https://audit.example.com/in"
PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fd00::/8"]
PATH = "audit.sinks.webhook.templates[0]"
NOTHING_SAID = FliptWebhook(
    enabled=True, url=None, signing_secret=None, templates=(), max_backoff_duration=None, events=None,
    events_path="audit.events", tracing_enabled=True, sampling_ratio=None, variables=(), notes=(),
)  # fmt: skip


def setting(text: str | None, path: str = "audit.x", variable: str | None = None) -> Setting:
    return Setting(path, text, variable)


def template(
    url: str = URL, body: str = '{"a": 1}', headers: Mapping[str, str | Setting] | None = None
) -> FliptTemplate:
    read_headers = {
        name: value if isinstance(value, Setting) else setting(value, f"{PATH}.headers.{name}")
        for name, value in (headers or {}).items()
    }
    return FliptTemplate(PATH, setting(url, f"{PATH}.url"), body, read_headers)


def converted(*templates: FliptTemplate, **said: Any) -> Imported:
    return convert(structs.replace(NOTHING_SAID, templates=templates, **said))


def only(imported: Imported) -> ImportedDestination:
    (destination,) = imported.destinations
    return destination


def configured(imported: Imported) -> Configuration:
    configuration = read(flagcast_yaml(imported, "flipt.yml"))
    assert configuration.problems == ()
    return configuration


def stored(imported: Imported) -> dict[str, str]:
    return {each.name: each.value() for each in imported.secrets}


def sent(imported: Imported, *, with_body: bool = False) -> Request:
    """Send an event to the one destination, its secrets as they are to be stored, its body left out unless said."""
    (destination,) = configured(imported).destinations.values()
    assert isinstance(destination, Destination)
    compiled = compile_destination(destination if with_body else structs.replace(destination, body=None, vars={}), {})
    assert isinstance(compiled, Compiled), compiled
    parts = {secret.name: secret.parts for secret in imported.secrets}
    values = {each: value_of(each, parts) for each in compiled.references}
    request = render(compiled, event(), values, now=0)
    assert isinstance(request, Request), request
    return request


def value_of(reference: Reference, parts: Mapping[str, Mapping[str, Any]]) -> str:
    of_secret = parts[reference.name]
    assert (reference.key is None) == (len(of_secret) == 1)
    value: str = of_secret[reference.key or next(iter(of_secret))].known()
    return value


def test_a_template_becomes_a_destination_with_its_body_unchanged() -> None:
    imported = converted(template(headers={"Content-Type": "application/json", "X-Requested-With": "platform"}))
    assert only(imported) == ImportedDestination(
        "audit-example-com", PATH, URL, headers={"X-Requested-With": "platform"}, body='{"a": 1}'
    )
    assert (imported.secrets, imported.notes) == ((), ())
    made = configured(imported).destinations["audit-example-com"]
    assert isinstance(made, Destination)
    assert (made.engine, made.body, made.retry) == ("go", '{"a": 1}', Retry())


def test_url_mode_becomes_a_destination_of_the_original_bytes_signed_as_flipt_signs() -> None:
    imported = converted(url=setting(URL), signing_secret=setting("canary"))
    made = configured(imported).destinations["audit-example-com"]
    assert isinstance(made, Destination)
    assert made.sign is not None
    assert (made.body, made.sign.scheme, made.sign.secret) == (None, "flipt", "${secret:audit-example-com}")
    assert stored(imported) == {"audit-example-com": "canary"}


def test_url_mode_without_a_signing_secret_says_that_its_requests_are_not_signed() -> None:
    imported = converted(url=setting("https://bob:pw@audit.example.com/in", "audit.sinks.webhook.url"))
    assert only(imported).sign_secret is None
    assert imported.notes[-1].startswith("audit.sinks.webhook.url: has no signing_secret beside it")
    assert only(imported).headers == {"Authorization": "Basic ${secret:audit-example-com}"}


def test_the_signing_secret_of_a_flipt_in_templates_mode_is_left_out_and_said() -> None:
    imported = converted(template(), signing_secret=setting("canary", "audit.sinks.webhook.signing_secret"))
    assert imported.secrets == ()
    assert imported.notes == (
        "audit.sinks.webhook.signing_secret: left out, because Flipt never signs in templates mode",
    )


def test_names_are_of_the_host_and_each_is_used_once() -> None:
    slack = template("https://hooks.slack.com/services/T0/B0/x")
    stack = template("https://flipt-signing-secret/x")
    imported = converted(slack, slack, template("https://slack-2/"), template(), stack)
    names = [each.name for each in imported.destinations]
    assert names == ["slack", "slack-2", "slack-2-2", "audit-example-com", "flipt-signing-secret-2"]
    assert list(configured(imported).destinations) == names


def test_a_secret_address_is_kept_as_a_whole() -> None:
    imported = converted(template("https://hooks.slack.com/services/T0/B0/canary"))
    assert only(imported).url == "${secret:slack}"
    assert stored(imported) == {"slack": "https://hooks.slack.com/services/T0/B0/canary"}


def test_several_secrets_of_a_destination_are_keys_of_one() -> None:
    imported = converted(
        template(
            "https://example.com/?token=t", headers={"Authorization": "Bearer b", "X-Api-Key": "k", "X_Api_Key": "l"}
        )
    )
    assert only(imported).url == "${secret:example-com#url}"
    assert only(imported).headers == {
        "Authorization": "Bearer ${secret:example-com#authorization}",
        "X-Api-Key": "${secret:example-com#x_api_key}",
        "X_Api_Key": "${secret:example-com#x_api_key_2}",
    }
    assert json.loads(stored(imported)["example-com"]) == {
        "url": "https://example.com/?token=t", "authorization": "b", "x_api_key": "k", "x_api_key_2": "l",
    }  # fmt: skip


def test_a_secret_shows_itself_without_its_values() -> None:
    assert "canary" not in repr(converted(template(headers={"Authorization": "canary"})))


def test_the_user_of_an_address_is_sent_as_go_sends_it() -> None:
    imported = converted(template("https://bob:p%40w@example.com/in"))
    request = sent(imported)
    assert request.url == "https://example.com/in"
    assert request.headers["Authorization"] == "Basic " + base64.b64encode(b"bob:p@w").decode()
    assert imported.notes[0].startswith(f"{PATH}.url: the user and password in it are now the header Authorization")


def test_a_header_authorization_goes_before_the_user_of_an_address() -> None:
    imported = converted(template("https://canary:canary@example.com/in", headers={"authorization": "Token t"}))
    assert sent(imported).headers["authorization"] == "Token t"
    assert stored(imported) == {"example-com": "t"}
    assert imported.notes[0].startswith(f"{PATH}.url: the user and password in it are left out")


def test_a_value_that_comes_from_a_variable_stays_out_of_the_file() -> None:
    imported = converted(template(headers={"X-Team": setting("platform", variable="TEAM")}))
    assert only(imported).headers == {"X-Team": "${secret:audit-example-com}"}
    assert sent(imported).headers["X-Team"] == "platform"


def test_what_a_variable_holds_need_not_be_known_until_it_is_stored() -> None:
    unknown = structs.replace(
        template(headers={"X-Team": setting(None, f"{PATH}.headers.X-Team", "TEAM")}),
        url=setting(None, f"{PATH}.url", "AUDIT_WEBHOOK_URL"),
    )
    imported = converted(unknown)
    assert only(imported).url == "${secret:audit-webhook#url}"
    configured(imported)
    (secret,) = imported.secrets
    assert secret.unset == ["AUDIT_WEBHOOK_URL", "TEAM"]
    with pytest.raises(CommandError, match=r"templates\[0\]\.url is \$\{AUDIT_WEBHOOK_URL\}, and .* is not set here"):
        secret.value()
    assert imported.notes[0].startswith(f"{PATH}.url: AUDIT_WEBHOOK_URL is not set here, so the address is unknown")


def test_an_address_from_a_variable_is_kept_secret_and_still_names_the_destination() -> None:
    imported = converted(structs.replace(template(), url=setting("http://audit.example.com/in", variable="A_URL")))
    assert (only(imported).name, only(imported).url) == ("audit-example-com", "${secret:audit-example-com}")
    assert only(imported).allow_http
    assert stored(imported) == {"audit-example-com": "http://audit.example.com/in"}


def test_http_is_allowed_and_noted() -> None:
    imported = converted(template("HTTP://webhook:8081/"))
    assert (only(imported).name, only(imported).url, only(imported).allow_http) == (
        "webhook",
        "http://webhook:8081/",
        True,
    )
    assert imported.notes[0].startswith(f"{PATH}.url: is not https")
    configured(imported)


@pytest.mark.parametrize(
    ("host", "subnets"),
    [
        ("webhook", PRIVATE), ("10.0.0.1", ["10.0.0.1/32"]), ("[fd00::1]", ["fd00::1/128"]), ("a.internal", PRIVATE),
        ("relay.tools.svc.cluster.local", PRIVATE), ("8.8.8.8", []), ("internal.example.com", []),
        # However it is written: these were taken for public names, and as secrets no check sees them.
        ("167772161", ["10.0.0.1/32"]), ("0xa.1", ["10.0.0.1/32"]), ("[1:::2]", PRIVATE),
    ],
)  # fmt: skip
def test_a_private_target_is_imported_with_what_opens_it(host: str, subnets: list[str]) -> None:
    # It was imported and checked clean, and then every event was a dead letter, `blocked_address`.
    imported = converted(template(f"https://{host}/in"))
    destination = configured(imported).destinations[only(imported).name]
    assert isinstance(destination, Destination)
    assert list(destination.allow_private) == subnets
    said = f"{PATH}.url: only a private network knows its host, so allow_private was added;"
    assert [note.startswith(said) and "VPC" in note for note in imported.notes] == [True] * bool(subnets)


@pytest.mark.parametrize("host", ["[::1]", "localhost", "127.0.0.1", "flipt.localhost", "127.1", "2130706433"])
def test_flipts_own_machine_is_out_of_reach_and_said_to_be(host: str) -> None:
    imported = converted(template(f"https://{host}:8443/in"))
    assert only(imported).allow_private == ()
    assert imported.notes[0].endswith("is Flipt's own machine, which Flagcast cannot reach: give another address")


# A body that Flipt runs, and drops for denied events alone, was called broken, and nothing could be deployed.
def test_a_body_that_fails_on_denied_events_alone_is_imported_with_the_filter_that_flipt_has() -> None:
    imported = converted(template(body='{"key": "{{ .Payload.key }}"}'))
    assert only(imported).when == "not event.is_denied"
    assert imported.notes == (
        f"{PATH}.body: fails on denied events, which have no payload, and Flipt drops those;"
        " `when: not event.is_denied` was added to do the same",
    )
    destination = configured(imported).destinations[only(imported).name]
    assert isinstance(destination, Destination)
    assert destination.when == "not event.is_denied"


@pytest.mark.parametrize("body", ['{"a": 1}', '{"a": {{ .Payload.key }}}', "{{ .Nope }}", "{{"])
def test_a_body_that_fails_on_others_too_or_on_none_gets_no_filter(body: str) -> None:
    assert only(converted(template(body=body))).when is None


def test_a_secret_that_flipt_signs_with_white_space_is_said() -> None:
    imported = converted(url=setting(URL, "audit.url"), signing_secret=setting("s3cret\n", "audit.secret"))
    assert imported.notes[-1] == (
        "audit.secret: Flipt signs with the white space around it, and Flagcast without it: change the secret"
    )


@pytest.mark.parametrize(
    "url", ["ftp://example.com", "example.com", "https://", "https://a b.com/", "https://a.com/\0", "https://a.com:x/"]
)
def test_what_is_no_address_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(CommandError) as raised:
        converted(template(url))
    assert str(raised.value) == f"{PATH}.url: is not an http:// or https:// address"


def test_a_variable_inside_an_address_is_refused_as_flipt_does_not_replace_it() -> None:
    with pytest.raises(CommandError, match=r"url: \$\{\.\.\.\} is part of a longer address"):
        converted(template("https://example.com/${TOKEN}"))


def test_headers_that_flagcast_sets_are_left_out_and_said() -> None:
    imported = converted(template(headers={"User-Agent": "flipt", "Host": "a", "X-Requested-With": "platform"}))
    assert only(imported).headers == {"X-Requested-With": "platform"}
    assert imported.notes == (
        f"{PATH}.headers.User-Agent: left out, because Flagcast sets it",
        f"{PATH}.headers.Host: left out, because Flagcast sets it",
    )


@pytest.mark.parametrize(
    ("written", "kept"), [("", None), ("application/json", None), ("application/x+json", "application/x+json")]
)
def test_the_content_type_is_a_key_of_its_own(written: str, kept: str | None) -> None:
    imported = converted(template(headers={"content-type": written}))
    assert (only(imported).content_type, only(imported).headers, imported.notes) == (kept, {}, ())


def test_a_content_type_that_is_not_json_is_kept_and_said() -> None:
    imported = converted(template(headers={"Content-Type": "text/plain"}))
    assert sent(imported).headers["Content-Type"] == "text/plain"
    assert "Flipt adds a second Content-Type" in imported.notes[0]


@pytest.mark.parametrize(
    "value", ["{{ .Type }}", "{% if %}", "{# x #}", "{% raw %}", "a {{ }} {% endraw %} b", "{%- endraw"]
)
def test_braces_in_a_header_are_sent_as_they_stand(value: str) -> None:
    # Flipt fills templates in bodies alone; Flagcast would fill this one.
    imported = converted(template(headers={"CE-Team": value}))
    assert sent(imported).headers["CE-Team"] == value
    assert "Flipt fills no templates in headers" in imported.notes[0]


def test_half_a_reference_in_a_header_is_sent_as_it_stands() -> None:
    imported = converted(template(headers={"X-Team": "a ${TEAM}", "Authorization": "Bearer ${secret:x}"}))
    headers = sent(imported).headers
    assert (headers["X-Team"], headers["Authorization"]) == ("a ${TEAM}", "Bearer ${secret:x}")
    assert len([note for note in imported.notes if "only if it is the whole value" in note]) == 2


HEADER_TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.just("\t") | st.sampled_from("${}#%{} "))
NAMES = st.sampled_from(["Authorization", "X-Team", "X-Api-Key", "Accept"])


@given(st.dictionaries(NAMES, HEADER_TEXT | st.text(string.ascii_letters + string.digits, min_size=30), min_size=1))
def test_any_header_arrives_as_flipt_sends_it_and_no_credential_is_in_the_file(headers: dict[str, str]) -> None:
    imported = converted(template(headers=headers))
    assert {name: sent(imported).headers[name] for name in headers} == headers
    credentials = [each for name, each in headers.items() if name in ("Authorization", "X-Api-Key")]
    kept = [part.value for secret in imported.secrets for part in secret.parts.values()]
    assert all(any(each.endswith(value) for value in kept if value is not None) for each in credentials if each)


def test_events_become_filters_of_each_destination() -> None:
    imported = converted(template(), template(), events=("flag:*", "*:deleted", "flag:*"))
    assert [each.events for each in imported.destinations] == [("flag:*", "*:deleted")] * 2
    for made in configured(imported).destinations.values():
        assert made.events == ("flag:*", "*:deleted")


@pytest.mark.parametrize("events", [None, ("*:*",), ("flag:created", "*:*")])
def test_every_event_is_the_default_and_left_out(events: tuple[str, ...] | None) -> None:
    imported = converted(template(), events=events)
    assert (only(imported).events, imported.notes) == ((), ())


def test_an_unknown_noun_is_left_out_and_said() -> None:
    imported = converted(template(), events=("banner:created", "flag:*"))
    assert only(imported).events == ("flag:*",)
    assert imported.notes[0].startswith("audit.events: unknown 'banner': expected one of *, flag, ")
    assert imported.notes[0].endswith("; left out")


@pytest.mark.parametrize(
    ("events", "note"),
    [
        (
            (),
            "audit.events: is empty, so this Flipt sends no event; in the new file every destination gets every event",
        ),
        (("banner:created",), "audit.events: has no valid filter, so every destination gets every event"),
    ],
)
def test_filters_of_which_none_can_be_used_are_said(events: tuple[str, ...], note: str) -> None:
    imported = converted(template(), events=events)
    assert only(imported).events == ()
    assert imported.notes[-1] == note


@pytest.mark.parametrize(
    ("written", "kept", "said"),
    [
        ("15s", "15s", "kept"),
        ("1m30s", "1m30s", "kept"),
        ("0s", None, None),
        ("15ns", None, "less than a second"),
        ("-5s", None, "less than a second"),
        ("+15s", "15s", "kept"),
        ("300h", "288h", "12 days are used"),
    ],
)
def test_the_longest_retrying_is_kept_when_it_is_set(written: str, kept: str | None, said: str | None) -> None:
    imported = converted(template(), max_backoff_duration=setting(written))
    assert only(imported).max_backoff_duration == kept
    assert [said in note for note in imported.notes if said] == ([] if said is None else [True])
    configured(imported)


def test_what_is_no_duration_is_refused() -> None:
    with pytest.raises(CommandError, match=r"^x\.max_backoff_duration: expected a duration such as 15s"):
        converted(template(), max_backoff_duration=setting("15", "x.max_backoff_duration"))


BODIES = {
    '{"routing_key": "R012345canary", "n": {{ toJson .Payload }}}': ("routing_key",),
    '{"password": "canary"}': ("password",),
    '{"auth": "Bearer canary", "text": "{{ .Type }}"}': ("auth",),
    '{"key": "canary\\u0022\\n", "token" : "canary2"}': ("key", "token"),
    '{"api_key": "canary-{{ .Type }}"}': ("api_key",),
    '{"link": "https://ci.example.com/job/canary?t=1", "x": "{{ .Action }}"}': ("address",),
    '{"link": "https:\\/\\/hooks.slack.com\\/services\\/canary"}': ("address",),
    '{"id": "canarycanarycanarycanary"}': ("value",),
    '{"id": "canary0123456"}': ("value",),
    '{"who": {{ toJson "canary-0123456789abc" }}}': ("value",),
    '{"a": "{{/* canary0123456789 */}}{{ .Type }}"}': (),
    '{"a": "{{ range $k, $v := .Payload }}{{ $k }} canary00000000 {{ end }}"}': ("value",),
    # Members in members, in a list, in a text; what stands behind an action; a name beside its value; a variable.
    '{"auth": {"type": "x", "values": [{"v": "canary"}]}, "type": "{{ .Type }}"}': ("auth", "auth_2"),
    '{"tokens": ["canary", "canary2"], "n": 1}': ("tokens", "tokens_2"),
    '{"inner": "{\\"token\\": \\"canary\\\\n\\", \\"a\\": 1}"}': ("token",),
    '{"password": "{{ .Type }}canary{{ .Action }}canary"}': ("password", "password_2"),
    '{"headers": [{"name": "X-Auth", "value": "canary"}, {"name": "a", "value": "b"}]}': ("x_auth",),
    '{"api key": "canary"}': ("api_key",),
    '{"h": "Bearer canary"}': ("bearer",),
    '{"h": "Authorization: Basic canary"}': ("authorization",),
    '{"db": "postgres://bob:canary@db/x"}': ("user",),
    '{"xml": "<token>canary</token><a>b</a>"}': ("token",),
    '{{ $token := "canary" }}{"a": {{ toJson $token }}}': ("value",),
    '{"a": {{ toJson "token=canary" }}}': ("value",),
}


@pytest.mark.parametrize(("body", "names"), BODIES.items())
def test_a_credential_in_a_body_is_kept_as_a_var_and_the_same_is_sent(body: str, names: tuple[str, ...]) -> None:
    # The body was printed as it stood, with a note.
    imported = converted(template(body=body))
    assert "canary" not in flagcast_yaml(imported, "f") + "".join(imported.notes)
    assert tuple(only(imported).vars) == names
    as_in_flipt = compile_destination(Destination(url=Text(URL), engine="go", body=body), {})
    assert isinstance(as_in_flipt, Compiled)
    expected = render(as_in_flipt, event(), {}, now=0)
    assert isinstance(expected, Request)
    assert json.loads(sent(imported, with_body=True).body) == json.loads(expected.body)


def test_a_body_that_is_a_form_has_its_credentials_kept_too() -> None:
    body = "user=flipt&token=canary&text={{ .Type }}"
    imported = converted(template(body=body, headers={"Content-Type": "application/x-www-form-urlencoded"}))
    assert "canary" not in flagcast_yaml(imported, "f") + "".join(imported.notes)
    assert sent(imported, with_body=True).body == b"user=flipt&token=canary&text=flag"


def test_a_token_in_the_name_of_a_host_is_neither_shown_nor_in_the_destinations_name() -> None:
    # The destination was called for the host, token and all.
    imported = converted(template("https://enabcanaryxyz.m.pipedream.net"))
    assert "canary" not in flagcast_yaml(imported, "f") + "".join(imported.notes)
    assert only(imported).name == "pipedream-net"


def test_a_sink_that_is_off_and_variables_that_stand_over_the_file_are_said() -> None:
    imported = converted(template(), enabled=False, variables=("FLIPT_AUDIT_EVENTS",), notes=("first",))
    assert [note.partition(":")[0] for note in imported.notes] == [
        "first", "audit.sinks.webhook.enabled", "FLIPT_AUDIT_EVENTS",
    ]  # fmt: skip
