"""One mistake is one problem of `flagcast check`, at its place: nothing is said that follows from another problem."""

from pathlib import Path

import pytest

from flagcast_cli.check.located_problem import located
from flagcast_cli.check.problems import everything_about

SOURCES = "sources: {flipt: {auth: none, environment: production}}\n"
A = "url: https://a.example.com"


def told(folder: Path, text: str, **templates: str) -> list[tuple[str, int, str]]:
    """Return the path, line and message of all that is said of a file."""
    path = folder / "flagcast.yaml"
    path.write_text(text, encoding="utf-8")
    (folder / "templates").mkdir(exist_ok=True)
    for name, template in templates.items():
        (folder / "templates" / f"{name}.j2").write_text(template, encoding="utf-8")
    return [(each.path, each.line, each.message) for each in located(path, everything_about(path))]


# A body was tried in the wrong language, as the wrong type or without its variables, and failed for that alone.
@pytest.mark.parametrize(
    ("destination", "path"),
    [
        ("a: {preset: pagerduty-alert}", "destinations.a.vars.routing_key"),
        ("a: {preset: pagerduty-alert, vars: }", "destinations.a.vars"),
        ("a: {preset: pagerduty-alert, var: {routing_key: '${secret:a}'}}", "destinations.a.var"),
        (f"a: {{{A}, vars: {{n: 5, m: x}}, body: '[{{{{ vars.n }}}}, {{{{ vars.m }}}}]'}}", "destinations.a.vars.n"),
        (f"a: {{{A}, vars: {{n: , m: x}}, headers: {{X-A: '{{{{ vars.m }}}}'}}}}", "destinations.a.vars.n"),
        (f"a: {{{A}, varz: {{n: x}}, body: '[{{{{ vars.n }}}}]'}}", "destinations.a.varz"),
        (f"a: {{{A}, engine: goo, body: '{{{{ .Type }}}}'}}", "destinations.a.engine"),
        (f'a: {{{A}, escape: nonee, body: \'"{{{{ "a" | safe }}}}\'}}', "destinations.a.escape"),
        (f"a: {{{A}, contnet_type: text/plain, body: 'hello'}}", "destinations.a.contnet_type"),
        (f"a: {{{A}, content_type: 5, body: 'hello'}}", "destinations.a.content_type"),
        ("a: {urll: https://a.example.com}", "destinations.a.urll"),
        (f"a: {{{A}, retry: {{initial_interval: 2h, max_interval: soon}}}}", "destinations.a.retry.max_interval"),
        ("a: {preset: slack, urll: '${secret:a}'}", "destinations.a.urll"),
        (f"a: {{{A}, sign: {{scheme: flipt, secert: '${{secret:a}}'}}}}", "destinations.a.sign.secert"),
        (f"a: {{{A}, sign: {{scheme: flipt, secret: abc}}}}", "destinations.a.sign.secret"),
    ],
)
def test_what_follows_from_a_mistake_is_not_told(tmp_path: Path, destination: str, path: str) -> None:
    [each] = told(tmp_path, SOURCES + f"destinations: {{{destination}}}\n")
    assert each[0] == path


@pytest.mark.parametrize(
    ("defaults", "path"),
    [
        ("vars: {x: '1', y: 5}", "defaults.vars.y"),
        ("engin: jinja2", "defaults.engin"),
    ],
)
def test_nor_what_follows_from_a_mistake_of_the_defaults(tmp_path: Path, defaults: str, path: str) -> None:
    destinations = f"destinations: {{a: {{{A}, body: '[{{{{ vars.x }}}}, {{{{ .Type }}}}]'}}}}\n"
    [each] = told(tmp_path, SOURCES + f"defaults: {{{defaults}}}\n" + destinations)
    assert each[0] == path


def test_what_is_wrong_by_itself_is_told_beside_it(tmp_path: Path) -> None:
    text = f"destinations: {{a: {{{A}, vars: {{n: 5}}, timeout: 31s, when: event.chnged, method: post}}}}\n"
    assert {path for path, *_ in told(tmp_path, SOURCES + text)} == {
        "destinations.a.vars.n", "destinations.a.timeout", "destinations.a.when", "destinations.a.method",
    }  # fmt: skip


# Of a source with one wrong value nothing else was told; a misspelt secret was missed as well.
def test_every_mistake_of_a_source_is_told_once(tmp_path: Path) -> None:
    sources = (
        "sources:\n"
        "  a: {auth: none, bearer_tokens: ['${secret:x}'], dedupe: 5, flipt_url: flipt, max_age: 1m, allow_from: []}\n"
        "  b: {signing_secret: ['${secret:x}'], environment: x}\n"
        "  c: {bearer_tokens: [abc], environment: x}\n"
        "  d: {auth: nothing, environment: x}\n"
        "  e: \n"
        "  f: {environment: x}\n"
    )
    assert [path for path, *_ in told(tmp_path, sources + f"destinations: {{a: {{{A}}}}}\n")] == [
        "sources.a.auth", "sources.a.dedupe", "sources.a.flipt_url", "sources.a.max_age", "sources.a.allow_from",
        "sources.b.signing_secret", "sources.c.bearer_tokens[0]", "sources.d.auth", "sources.e", "sources.f",
    ]  # fmt: skip


# What was found by trying it was told at each destination that has it from the defaults, and not where it is written.
@pytest.mark.parametrize(
    ("defaults", "path", "message"),
    [
        ("body: '[{{ event.nope }}]'", "defaults.body", "event has no nope"),
        ("body: '[{{ event.payload.a.b }}]'", "defaults.body", "'dict object' has no attribute 'a'"),
        ("body: '[{{ \"%d\" | format(1) }}]'", "defaults.body", "a text that is itself a number"),
        ("headers: {X-A: '{{ event.nope }}'}", "defaults.headers.X-A", "event has no nope"),
        ("when: event.type", "defaults.when", "gives a str"),
        ("when: event.type == 'flagg'", "defaults.when", "is true for none of the"),
        ("accept: response.status ==", "defaults.accept", ""),
        ("accept: response.status == 99", "defaults.accept", "is true for none of the"),
        ("retry: {when: response.nope}", "defaults.retry.when", "response has no nope"),
        ("events: ['token:updated']", "defaults.events[0]", "matches no event"),
    ],
)
def test_what_comes_from_the_defaults_is_told_there_and_once(
    tmp_path: Path, defaults: str, path: str, message: str
) -> None:
    destinations = (
        f"destinations:\n  a: {{{A}}}\n  b: {{{A}, retry: {{multiplier: 3}}}}\n  c: {{{A}, events: ['flag:created']}}\n"
    )
    listed = told(tmp_path, SOURCES + f"defaults:\n  {defaults}\n" + destinations)
    assert [(each[0], each[1]) for each in listed] == [(path, 3)]
    assert message in listed[0][2]


def test_what_a_preset_or_a_destination_says_itself_is_not_from_the_defaults(tmp_path: Path) -> None:
    text = (
        "defaults: {when: event.is_known, accept: response.status == 200}\n"
        f"destinations:\n  a: {{{A}, when: event.nope}}\n  b: {{{A}, preset: slack, accept: response.nope}}\n"
    )
    assert [path for path, *_ in told(tmp_path, SOURCES + text)] == ["destinations.a.when", "destinations.b.accept"]


def test_a_destination_that_is_no_mapping_has_nothing_from_the_defaults(tmp_path: Path) -> None:
    text = f"defaults: {{timeout: 5s}}\ndestinations:\n  a: text\n  b: {{{A}}}\n"
    assert [path for path, *_ in told(tmp_path, SOURCES + text)] == ["destinations.a"]


def test_a_template_of_destinations_with_other_events_is_one_mistake(tmp_path: Path) -> None:
    text = f"destinations:\n  a: {{{A}, template: t.j2}}\n  b: {{{A}, template: t.j2, events: ['flag:created']}}\n"
    assert len(told(tmp_path, SOURCES + text, t="[{{ event.payload.a.b }}]")) == 1


# A key that YAML takes for something else than a text was shown at the section that it is in.
@pytest.mark.parametrize("key", ["on", "~", "012", "1.10", "5", "2024-01-02"])
def test_a_key_that_is_no_text_to_yaml_is_at_its_line(tmp_path: Path, key: str) -> None:
    [each] = told(tmp_path, SOURCES + f"destinations:\n  a: {{{A}}}\n  {key}: {{{A}}}\n")
    assert each[1] == 4


@pytest.mark.parametrize(
    ("destination", "hint"),
    [
        ("on: {url: https://a.example.com}", "quote it"),
        (f"a: {{{A}, paused: 'true'}}", "write it without quotes"),
        (f"a: {{{A}, retry: {{retry_on: ['404']}}}}", "write it without quotes"),
        (f"a: {{{A}, retry: {{multiplier: '1.5'}}}}", "write it without quotes"),
        (f"a: {{{A}, paused: maybe}}", ""),
        (f"a: {{{A}, events: 'flag:*'}}", "put it in [ ]"),
        (f"a: {{{A}, retry: {{retry_on: 404}}}}", "put it in [ ]"),
        (f"a: {{{A}, events: {{a: b}}}}", ""),
        (f"a: {{{A}, retry: {{max_backoff_duration: 1d}}}}", "did you mean 24h?"),
        (f"a: {{{A}, timeout: 10 seconds}}", "did you mean 10s?"),
        (f"a: {{{A}, timeout: 5 S}}", "did you mean 5s?"),
        (f"a: {{{A}, timeout: soon}}", ""),
        (f"a: {{{A}, rate_limit: 50 / s}}", "did you mean 50/s?"),
        (f"a: {{{A}, rate_limit: 30 per minute}}", "did you mean 30/m?"),
        (f"a: {{{A}, rate_limit: 0/s}}", ""),
    ],
)
def test_the_next_step_is_said_where_it_is_known(tmp_path: Path, destination: str, hint: str) -> None:
    path = tmp_path / "flagcast.yaml"
    path.write_text(SOURCES + f"destinations: {{{destination}}}\n", encoding="utf-8")
    [each] = located(path, everything_about(path))
    assert each.hint == hint


def test_an_address_with_a_password_says_where_it_belongs(tmp_path: Path) -> None:
    [each] = told(tmp_path, SOURCES + "destinations: {a: {url: 'https://me:canary@a.example.com/x'}}\n")
    assert each[2] == "contains a user or password; send it as headers: Authorization: Basic ${secret:NAME}"
