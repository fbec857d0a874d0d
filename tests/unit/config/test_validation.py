import pytest

from flagcast.config.model import Destination, FaultyDestination, FaultySource, Source
from flagcast.config.read import Beside, read
from flagcast.events.event_filter import EVERY_EVENT, NOUNS, EventFilter

DURATION = "expected a duration such as 15s, 1m30s or 24h, got"
KEYS = ", ".join(Destination.__struct_fields__)
NAMES = "is not a valid name; use 1 to 64 letters, digits, - or _, beginning with a letter or digit"
REFERENCE = "expected ${secret:NAME}, ${secret:NAME#KEY}, ${ssm:NAME} or ${env:FLAGCAST_VAR_NAME}"
LITERAL = "expected one reference such as ${secret:NAME}: this file must not contain secrets"

DESTINATIONS = [
    ("{}", ["url: is required"]),
    ("null", [": has no value: give it one, or delete the key"]),
    ("[]", [": expected a mapping, got a list"]),
    ("canary", [": expected a mapping, got a string"]),
    ("7", [": expected a mapping, got a number"]),
    ("!!binary aGk=", [": expected a mapping, got a bytes"]),
    # Keys.
    ("{url: https://x, evnts: []}", ["evnts: unknown key; did you mean events?"]),
    ("{url: https://x, 7: 1}", [f"7: unknown key; expected one of {KEYS}"]),
    ("{url: https://x, retry: {max_intervall: 1s}}", ["retry.max_intervall: unknown key; did you mean max_interval?"]),
    ("{url: https://x, url: https://y}", ["url: repeated on line 5, first on line 5"]),
    ("{url: https://x, headers: {A: a, A: b}}", ["headers.A: repeated on line 5, first on line 5"]),
    (
        "{url: https://x, retry: {multiplier: 1, multiplier: 2}}",
        ["retry.multiplier: repeated on line 5, first on line 5"],
    ),
    # url
    ("{url: http://x}", ["url: is not https; allow_http: true allows it"]),
    ("{url: ftp://x}", ["url: expected https://host/..., an ARN, or a reference to a secret with the address"]),
    ('{url: "x${secret:a}"}', ["url: expected https://host/..., an ARN, or a reference to a secret with the address"]),
    ('{url: "${vault:a}"}', [f"url: {REFERENCE}"]),
    ('{url: "${env:HOME}"}', ["url: ${env:HOME}: only variables that begin with FLAGCAST_VAR_ can be read"]),
    ('{url: "${ssm:a#k}"}', ["url: ${ssm:a#k}: only ${secret:...} can have a #KEY"]),
    # method, content_type, body, template
    ("{url: https://x, method: GET}", ['method: "GET" is not allowed; use POST, PUT or PATCH']),
    ("{url: https://x, method: [POST]}", ["method: a list is not allowed; use POST, PUT or PATCH"]),
    ('{url: https://x, content_type: "a\\nb"}', ["content_type: expected printable ASCII"]),
    ("{url: https://x, content_type: é}", ["content_type: expected printable ASCII"]),
    # Neither is JSON, so nothing was escaped for JSON, without a word.
    *(
        (
            f"{{url: https://x, content_type: {bad}}}",
            [f"content_type: expected a type such as application/json, got '{bad.strip(chr(34))}'"],
        )
        for bad in ('""', "json", "application/", "application / json")
    ),
    ("{url: https://x, body: 5}", ["body: expected a string, got a number; quote it"]),
    (
        "{url: https://x, body: a, template: a.j2}",
        ["template: cannot be used together with body; delete one of the two"],
    ),
    ("{url: https://x, template: no.j2}", ["template: no file templates/no.j2; did you mean a.j2?"]),
    # headers
    ("{url: https://x, headers: {Host: a}}", ["headers.Host: is set by Flagcast"]),
    (
        "{url: https://x, headers: {content-type: a}}",
        ["headers.content-type: is set by Flagcast; content_type: sets it"],
    ),
    ("{url: https://x, headers: {Webhook-Id: a}}", ["headers.Webhook-Id: is set by Flagcast"]),
    ("{url: https://x, headers: {X Y: a}}", ["headers.X Y: is not a header name"]),
    ('{url: https://x, headers: {"": a}}', ["headers['']: is not a header name"]),
    ('{url: https://x, headers: {A: "${secret:x"}}', [f"headers.A: {REFERENCE}"]),
    ("{url: https://x, headers: []}", ["headers: expected a mapping, got a list"]),
    # events
    ("{url: https://x, events: []}", ["events: is empty, so nothing would be sent; leave it out to send every event"]),
    ('{url: https://x, events: "flag:*"}', ["events: expected a list, got a string; put it in [ ]"]),
    (
        "{url: https://x, events: [flag]}",
        ["events[0]: expected noun:verb such as flag:updated or *:*, got 'flag'; did you mean flag:*?"],
    ),
    (
        '{url: https://x, events: ["flag:*", flg:created, "flag:changed"]}',
        [
            f"events[1]: unknown 'flg': expected one of *, {', '.join(NOUNS)}; did you mean flag:created?",
            "events[2]: unknown 'changed': expected one of *, created, updated, deleted",
        ],
    ),
    # timeout, retry
    ("{url: https://x, timeout: 31s}", ["timeout: 31s is not allowed; use more than 0s and at most 30s"]),
    ("{url: https://x, timeout: 0s}", ["timeout: 0s is not allowed; use more than 0s and at most 30s"]),
    ("{url: https://x, timeout: 5}", [f"timeout: {DURATION} 5; did you mean 5s?"]),
    ("{url: https://x, timeout: 1:30}", [f"timeout: {DURATION} 90; did you mean 90s?"]),
    ("{url: https://x, timeout: soon}", [f"timeout: {DURATION} 'soon'"]),
    ("{url: https://x, retry: 5}", ["retry: expected a mapping, got a number"]),
    ("{url: https://x, retry: {initial_interval: 0s}}", ["retry.initial_interval: is 0s; use more"]),
    ("{url: https://x, retry: {initial_interval: 2h}}", ["retry.max_interval: is shorter than initial_interval"]),
    (
        "{url: https://x, retry: {max_backoff_duration: 289h}}",
        ["retry.max_backoff_duration: is too long; use at most 288h, 12 days"],
    ),
    *(
        (
            f"{{url: https://x, retry: {{multiplier: {bad}}}}}",
            [f"retry.multiplier: {bad.lstrip('.') if bad[0] == '.' else bad} is not allowed; use 1 to 100"],
        )
        for bad in ("0.99", "100.01", ".inf", ".nan")
    ),
    ("{url: https://x, retry: {multiplier: two}}", ['retry.multiplier: "two" is not allowed; use a number']),
    ("{url: https://x, retry: {retry_on: 404}}", ["retry.retry_on: expected a list, got a number; put it in [ ]"]),
    (
        "{url: https://x, retry: {retry_on: [299]}}",
        ["retry.retry_on[0]: 299 is not allowed; use statuses from 300 to 599"],
    ),
    (
        "{url: https://x, retry: {retry_on: [404, 600]}}",
        ["retry.retry_on[1]: 600 is not allowed; use statuses from 300 to 599"],
    ),
    (
        "{url: https://x, retry: {retry_on: [404, true]}}",
        ["retry.retry_on[1]: true is not allowed; use a whole number"],
    ),
    # rate_limit, paused
    *(
        (f"{{url: https://x, rate_limit: {bad}}}", ["rate_limit: expected a rate such as 50/s, 30/m or 100/h"])
        for bad in ("0/s", "-1/s", "1/d", "1.5/s", "1000000/s", "[1/s]", "''", "050/s", "'1/s\\n'")
    ),
    (
        "{url: https://x, timeout: 1 min, retry: {max_backoff_duration: 1d}}",
        [
            "retry.max_backoff_duration: expected a duration such as 15s, 1m30s or 24h, got '1d'; did you mean 24h?",
            "timeout: expected a duration such as 15s, 1m30s or 24h, got '1 min'; did you mean 1m?",
        ],
    ),
    (
        "{url: https://x, rate_limit: 1 / s}",
        ["rate_limit: expected a rate such as 50/s, 30/m or 100/h; did you mean 1/s?"],
    ),
    (
        "{url: https://x, rate_limit: 50}",
        ["rate_limit: expected a rate such as 50/s, 30/m or 100/h; did you mean 50/s?"],
    ),
    ("{url: https://x, paused: 1}", ["paused: 1 is not allowed; use true or false"]),
    ("{url: https://x, paused: soon}", ['paused: "soon" is not allowed; use true or false']),
    # ordering, allow_http, allow_private, ca_file
    ("{url: https://x, ordering: strict}", ['ordering: "strict" is not allowed; use subject, destination or none']),
    ("{url: https://x, allow_http: yep}", ['allow_http: "yep" is not allowed; use true or false']),
    ("{url: https://x, allow_private: 10.0.0.0/8}", ["allow_private: expected a list, got a string; put it in [ ]"]),
    (
        "{url: https://x, allow_private: [10.0.0.0/8, 10.0.0.1/8, '::/0', private]}",
        [
            "allow_private[1]: 10.0.0.1/8 is an address inside a subnet; write the subnet 10.0.0.0/8",
            "allow_private[2]: ::/0 is every address; list only the subnets that are allowed",
            "allow_private[3]: expected a subnet such as 10.0.0.0/8 or fd00::/8",
        ],
    ),
    (
        "{url: https://x, ca_file: no.pem}",
        ["ca_file: there is no .pem file of this name beside flagcast.yaml; did you mean ca.pem?"],
    ),
    # All at once.
    (
        "{evnts: [], timeout: soon, retry: {multiplier: two, multiplier: x}, events: [flag]}",
        [
            "events[0]: expected noun:verb such as flag:updated or *:*, got 'flag'; did you mean flag:*?",
            "evnts: unknown key; did you mean events?",
            'retry.multiplier: "x" is not allowed; use a number',
            "retry.multiplier: repeated on line 5, first on line 5",
            f"timeout: {DURATION} 'soon'",
            "url: is required",
        ],
    ),
]

SOURCES = [
    ("{}", [": needs signing_secrets or bearer_tokens (auth: none accepts requests from anyone)"]),
    ("{bearer_tokens: []}", [": needs signing_secrets or bearer_tokens (auth: none accepts requests from anyone)"]),
    ("null", [": has no value: give it one, or delete the key"]),
    ("{signing_secrets: [canary]}", [f"signing_secrets[0]: {LITERAL}"]),
    ('{signing_secrets: ["${secret:a}", "${secret:a}canary"]}', [f"signing_secrets[1]: {LITERAL}"]),
    ("{bearer_tokens: [7]}", [f"bearer_tokens[0]: {LITERAL}"]),
    ('{bearer_tokens: "${secret:a}"}', ["bearer_tokens: expected a list, got a string; put it in [ ]"]),
    (
        '{bearer_tokens: ["${env:HOME}"]}',
        ["bearer_tokens[0]: ${env:HOME}: only variables that begin with FLAGCAST_VAR_ can be read"],
    ),
    ('{signing_secret: ["${secret:a}"]}', ["signing_secret: unknown key; did you mean signing_secrets?"]),
    (
        '{signing_secrets: ["${secret:a}"], auth: none}',
        ["auth: none cannot be used together with signing_secrets or bearer_tokens"],
    ),
    ("{auth: token}", ['auth: "token" is not allowed; use none']),
    ("{auth: none, auth: none}", ["auth: repeated on line 3, first on line 3"]),
    ("{auth: none, flipt_url: flipt}", ["flipt_url: expected the address of Flipt's UI, such as https://flipt.example.com"]),
    ("{auth: none, dedupe: nope}", ['dedupe: "nope" is not allowed; use true or false']),
    (
        "{auth: none, allow_from: [203.0.113.7]}",
        ["allow_from[0]: 203.0.113.7 is one address; write it as the subnet 203.0.113.7/32"],
    ),
    (
        "{auth: none, allow_from: [203.0.113.7/24]}",
        ["allow_from[0]: 203.0.113.7/24 is an address inside a subnet; write the subnet 203.0.113.0/24"],
    ),
    (
        "{auth: none, allow_from: ['::/0']}",
        ["allow_from[0]: ::/0 is every address; list only the subnets that are allowed"],
    ),
    ("{auth: none, allow_from: 203.0.113.0/24}", ["allow_from: expected a list, got a string; put it in [ ]"]),
    (
        "{auth: none, allow_from: []}",
        ["allow_from: is empty, so every request would be rejected; leave it out to accept any address"],
    ),
    # Its lines commented out, it must not open the source to everyone.
    ("{auth: none, allow_from: }", ["allow_from: has no value: give it one, or delete the key"]),
    (
        "{auth: none, max_age: 5m59s}",
        ["max_age: is too short; use at least 6m: Flipt itself can hold an event for that long"],
    ),
    ("{auth: none, max_age: 0}", [f"max_age: {DURATION} 0"]),
    ("{auth: none, max_age: 12}", [f"max_age: {DURATION} 12; did you mean 12s?"]),
    ("{auth: none, environment: 5}", ["environment: expected a string, got a number; quote it"]),
]  # fmt: skip


def file_of(*, source: str = "{auth: none}", destination: str = "{url: https://x}") -> str:
    return f"""sources:
  ok: {{auth: none}}
  s: {source}
destinations:
  d: {destination}
  ok: {{url: https://ok, events: ["flag:*"]}}
"""


def lines(part: str, problems: list[str]) -> list[str]:
    return [f"{part}{each}" if each.startswith(":") else f"{part}.{each}" for each in problems]


@pytest.mark.parametrize(("written", "problems"), DESTINATIONS)
def test_a_faulty_destination_is_held_with_every_problem_and_harms_nothing_else(
    written: str, problems: list[str]
) -> None:
    configuration = read(file_of(destination=written), Beside(["b/c.j2", "a.j2"], authorities=["ca.pem"]))
    assert list(map(str, configuration.problems)) == lines("destinations.d", problems)
    assert isinstance(configuration.destinations["d"], FaultyDestination)
    assert configuration.destinations["d"].events == EVERY_EVENT
    assert configuration.destinations["ok"] == read(file_of()).destinations["ok"]
    assert isinstance(configuration.sources["s"], Source)


@pytest.mark.parametrize(("written", "problems"), SOURCES)
def test_a_faulty_source_is_held_with_every_problem_and_harms_nothing_else(written: str, problems: list[str]) -> None:
    configuration = read(file_of(source=written))
    assert list(map(str, configuration.problems)) == lines("sources.s", problems)
    assert isinstance(configuration.sources["s"], FaultySource)
    assert configuration.sources["ok"] == Source(auth="none")
    assert configuration.destinations == read(file_of()).destinations
    assert "canary" not in str(configuration.problems)


@pytest.mark.parametrize(
    "written",
    [
        "{url: https://x, method: PUT, content_type: text/plain; charset=utf-8, body: ''}",
        "{url: http://x, allow_http: true}",
        "{url: 'https://${ssm:host}:${ssm:port}/x', allow_private: [10.0.0.0/8, '::1/128', fd00::/8], ca_file: ca.pem}",
        '{url: "${secret:slack#webhook_url}"}',
        '{url: "${ssm:base}/path", headers: {Authorization: "Bearer ${secret:t}", X-Y!: ""}}',
        "{url: https://x, template: b/c.j2}",
        "{url: https://x, timeout: 30s, ordering: none}",
        "{url: https://x, rate_limit: 999999/s, paused: true}",
        "{url: https://x, rate_limit: 1/h, paused: false}",
        "{url: https://x, retry: {multiplier: 100, max_backoff_duration: 288h, retry_on: [300, 599]}}",
        "{url: https://x, retry: {multiplier: 1, initial_interval: 1h}}",
    ],
)
def test_what_is_at_the_edge_of_what_is_right_is_right(written: str) -> None:
    assert read(file_of(destination=written), Beside(["b/c.j2"], authorities=["ca.pem"])).problems == ()


@pytest.mark.parametrize("name", ["-a", "_a", "a.b", "a b", "é", '""', "a/b", "a" * 65, "7", "true", "null"])
def test_a_name_that_cannot_stand_in_a_path_or_a_task_is_refused(name: str) -> None:
    configuration = read(f"sources: {{{name}: {{auth: none}}}}\ndestinations: {{{name}: {{url: https://x}}}}\n")
    assert [each.message.endswith(NAMES) for each in configuration.problems] == [True, True]
    assert all(isinstance(each, FaultySource) for each in configuration.sources.values())
    assert all(isinstance(each, FaultyDestination) for each in configuration.destinations.values())


@pytest.mark.parametrize("name", ["a", "A-b_c", "'7'", "0a", "a" * 64])
def test_a_name_of_letters_digits_dashes_and_underscores_is_right(name: str) -> None:
    assert read(f"sources: {{{name}: {{auth: none}}}}\ndestinations: {{{name}: {{url: https://x}}}}\n").problems == ()


# A name that YAML reads as a number met a regular expression that wants text: no source and no destination was left.
def test_a_header_whose_name_is_a_number_faults_only_its_destination() -> None:
    configuration = read(file_of(destination="{url: https://x, headers: {7: a}}"))
    assert [each.path for each in configuration.problems] == ["destinations.d.headers.7"]
    assert configuration.destinations["ok"] == read(file_of()).destinations["ok"]


# The value was quoted: a token of digits alone, a number to YAML, stood in every line about its destination.
@pytest.mark.parametrize(
    "written", ["{url: https://x, headers: {X-Key: 10552477}}", "{url: {secret: 10552477}}", "{url: 10552477}"]
)
def test_what_may_be_a_secret_in_the_wrong_place_is_not_repeated(written: str) -> None:
    problems = read(file_of(destination=written)).problems
    assert len(problems) == 1
    assert "10552477" not in str(problems[0])


def test_a_template_is_missed_where_there_are_none_at_all() -> None:
    problems = read(file_of(destination="{url: https://x, template: a.j2}")).problems
    assert list(map(str, problems)) == ["destinations.d.template: no file templates/a.j2; there are: none"]


@pytest.mark.parametrize(
    ("written", "events", "ordering"),
    [
        ('{events: ["rule:*"], ordering: none}', (EventFilter("rule:*"),), "none"),
        ('{url: ftp://x, events: ["rule:*"], ordering: destination}', (EventFilter("rule:*"),), "destination"),
        ('{url: https://x, timeout: soon, events: ["rule:*"]}', (EventFilter("rule:*"),), "subject"),
        ('{url: https://x, events: ["rule:*", flag], ordering: none}', EVERY_EVENT, "none"),
        ("{url: https://x, events: [], ordering: none}", EVERY_EVENT, "none"),
        ('{url: https://x, events: ["flag:*"], events: ["rule:*"], ordering: none}', EVERY_EVENT, "none"),
        ('{url: https://x, events: ["rule:*"], ordering: strict}', (EventFilter("rule:*"),), "subject"),
        ('{url: https://x, events: ["rule:*"], ordering: none, ordering: none}', (EventFilter("rule:*"),), "subject"),
    ],
)
def test_a_faulty_destination_keeps_what_is_right_of_its_routing_and_else_takes_every_event(
    written: str, events: tuple[EventFilter, ...], ordering: str
) -> None:
    held = read(file_of(destination=written)).destinations["d"]
    assert isinstance(held, FaultyDestination)
    assert (held.events, held.ordering) == (events, ordering)


@pytest.mark.parametrize("url", ["https://", "https:///path", "https://a b/", "ftp://host/"])
def test_an_address_without_a_host_or_with_a_space_is_told_before_anything_is_sent(url: str) -> None:
    # They passed the check and failed at every delivery.
    configuration = read(f'sources: {{}}\ndestinations: {{d: {{url: "{url}"}}}}\n')
    assert list(map(str, configuration.problems)) == [
        "destinations.d.url: expected https://host/..., an ARN, or a reference to a secret with the address"
    ]


def test_a_header_that_is_named_twice_in_different_case_is_told() -> None:
    configuration = read("sources: {}\ndestinations: {d: {url: https://x, headers: {X: a, x: b}}}\n")
    assert list(map(str, configuration.problems)) == ["destinations.d.headers.x: is the same header as X"]


def test_the_archives_name_is_no_name_for_a_destination_and_one_for_a_source() -> None:
    read_file = "sources: {flagcast-archive: {auth: none}}\ndestinations: {flagcast-archive: {url: https://x}}\n"
    (problem,) = read(read_file).problems
    assert str(problem) == (
        "destinations.flagcast-archive: is reserved for the archive, which the parameter ArchiveDays turns on;"
        " use another name"
    )
    assert problem.is_key
