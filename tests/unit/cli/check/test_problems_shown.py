"""What `flagcast check` shows: the place, the value, what is allowed, and what was perhaps meant."""

import json
from pathlib import Path

import pytest

from flagcast_cli.check.located_problem import Found, located
from flagcast_cli.check.output import as_annotation, as_json, as_text
from flagcast_cli.check.problems import everything_about

SOURCES = 'sources: {flipt: {signing_secrets: ["${secret:flipt}"], environment: production}}\n'


def found(folder: Path, text: str | bytes, **templates: str) -> list[Found]:
    path = folder / "flagcast.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    (folder / "templates").mkdir(exist_ok=True)
    for name, template in templates.items():
        (folder / "templates" / f"{name}.j2").write_text(template)
    return located(path, everything_about(path))


def shown(folder: Path, text: str | bytes, **templates: str) -> str:
    lines = [line for each in found(folder, text, **templates) for line in as_text(each)]
    return "\n".join(lines).replace(f"{folder}/", "")


def test_a_problem_is_shown_with_its_place_its_line_and_what_was_meant(tmp_path: Path) -> None:
    text = SOURCES + "destinations:\n  team-chat:\n    url: https://chat.example.com\n    method: post\n"
    assert shown(tmp_path, text) == (
        'flagcast.yaml:5:13: destinations.team-chat.method: "post" is not allowed; use POST, PUT or PATCH\n'
        "    5 |     method: post\n"
        "      |             ^^^^ did you mean POST?"
    )


def test_an_unknown_key_is_under_the_caret_and_a_missing_one_is_at_what_it_is_missing_from(tmp_path: Path) -> None:
    text = "destinations:\n  a: {tiemout: 5s, url: https://a.example.com}\n  b: {paused: true}\n"
    assert shown(tmp_path, SOURCES + text) == (
        "flagcast.yaml:3:7: destinations.a.tiemout: unknown key\n"
        "    3 |   a: {tiemout: 5s, url: https://a.example.com}\n"
        "      |       ^^^^^^^ did you mean timeout?\n"
        "flagcast.yaml:4:3: destinations.b.url: is required\n"
        "    4 |   b: {paused: true}\n"
        "      |   ^"
    )  # fmt: skip


def test_problems_are_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = (
        SOURCES + "notify: b\ndestinations:\n  z: {url: https://z.example.com, timeout: 1}\n"
        "  a: {url: https://a.example.com, method: GET}\n"
    )
    assert [(each.line, each.path) for each in found(tmp_path, text)] == [
        (2, "notify"),
        (4, "destinations.z.timeout"),
        (5, "destinations.a.method"),
    ]  # fmt: skip


def test_what_the_defaults_say_is_told_where_they_say_it(tmp_path: Path) -> None:
    text = (
        SOURCES
        + "defaults: {timeout: 31s}\ndestinations: {a: {url: https://a.example.com}, b: {url: https://b.example.com}}\n"
    )
    assert [(each.line, each.column, each.path) for each in found(tmp_path, text)] == [(2, 21, "defaults.timeout")]


# A template that three destinations use was three problems, at none of the places where it is wrong.
def test_a_mistake_in_a_template_is_one_problem_in_its_file(tmp_path: Path) -> None:
    text = SOURCES + "".join(
        ["destinations:\n", *(f"  {name}: {{url: https://{name}.example.com, template: t.j2}}\n" for name in "abc")]
    )
    [each] = found(tmp_path, text, t='{"a": 1,\n "b": {{ event.typo }}}')
    assert (each.file, each.line) == (str(tmp_path / "templates/t.j2"), 2)
    assert each.source == ' "b": {{ event.typo }}}'
    assert each.message == "event has no typo"


def test_a_mistake_in_a_body_is_at_its_line_of_the_file(tmp_path: Path) -> None:
    text = (
        SOURCES
        + "destinations:\n  a:\n    url: https://a.example.com\n    body: |\n      {\n       {{ event.typo }}}\n"
    )
    [each] = found(tmp_path, text)
    assert (each.line, each.path) == (7, "destinations.a.body")


def test_one_mistake_is_one_problem_however_it_fails(tmp_path: Path) -> None:
    # A result that is not JSON is so in another way for each event.
    body = "'\"{{ event.payload.name }}\"'"
    text = (
        SOURCES
        + f"destinations: {{a: {{url: https://a.example.com, escape: none, events: ['flag:created'], body: {body}}}}}\n"
    )
    lines = [each.message.partition(":")[0] for each in found(tmp_path, text)]
    assert lines.count("the result is not JSON") == 1


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (b"sources: {}\ndest\xffinations: {}\n", ":2:5", "not UTF-8; save it as UTF-8"),
        (b"", "", "is empty; expected a mapping with sources and destinations"),
        ("sources: {}\ndestinations:\n  a:\n\turl: x\n", ":4:1", "YAML indents with spaces"),
        ("sources: {}\ndestinations: {}\nsources: {}\n", ":3:1", "sources: repeated on line 3, first on line 1"),
        ("a: &a [1]\nb: &b [" + "*a, " * 400 + "]\nc: [" + "*b, " * 400 + "]\n", "", "more than 100,000 values"),
        ("source: {}\ndestinations: {}\n", ":1:1", "source: unknown key"),
        ("sources: {}\n", "", "destinations: is required; "),
    ],
)
def test_a_file_that_cannot_be_read_is_one_problem_with_its_place(
    tmp_path: Path, text: str | bytes, place: str, message: str
) -> None:
    first = shown(tmp_path, text).splitlines()[0]
    assert first.startswith(f"flagcast.yaml{place}: ")
    assert message in first + ";" + " "


def test_a_file_that_is_not_there_is_told_by_its_path_once(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    [each] = located(path, everything_about(path))
    assert next(as_text(each)).startswith(f"{path}: no such file; give --config (CONFIG with make) a folder")


def test_what_an_alias_repeats_is_told_once_where_its_anchor_is(tmp_path: Path) -> None:
    text = SOURCES + "destinations:\n  a: &a {url: https://a.example.com, timeout: 31s}\n  b: *a\n  c: {<<: *a}\n"
    assert [(each.line, each.column) for each in found(tmp_path, text)] == [(3, 47)]


HIDDEN = """
sources:
  flipt: {signing_secrets: [canary], auth: canary1, environment: production}
defaults: {headers: {X-Api-Key: canary2}, method: get}
destinations:
  a: {url: https://hooks.slack.com/services/T0/B0/canary3xyz, method: post, vars: {routing_key: canary4}}
  b: {url: "canary5", sign: {scheme: fliptt, secret: canary6}, tokn: canary7}
  d: {url: https://d.example.com, sign: canary}
  c: {url: https://user:canary8@c.example.com, timeout: 5, headers: {Authorization: Bearer canary9}}
"""


def test_a_credential_that_is_in_the_file_is_on_no_screen(tmp_path: Path) -> None:
    listed = found(tmp_path, HIDDEN)
    text = "\n".join(line for each in listed for line in as_text(each))
    assert "method: post" in text
    assert "canary" not in text + as_json(listed) + "".join(map(as_annotation, listed))


def test_a_line_that_yaml_cannot_read_is_not_shown_if_it_names_a_credential(tmp_path: Path) -> None:
    assert "canary" not in shown(tmp_path, "sources: {}\ntoken: canary: x\n")
    assert "name: a: x" in shown(tmp_path, "sources: {}\nname: a: x\n")


A = "url: https://a.example.com"
WARNED = [
    ("a: {url: https://hooks.slack.com/services/T0/B0/XyZ123}", "destinations.a.url", "looks like a credential"),
    (f"a: {{{A}, headers: {{Authorization: Bearer abc}}}}", "destinations.a.headers.Authorization", "looks like"),
    ("a: {url: https://a.example.com, vars: {routing_key: 0123abcd}}", "destinations.a.vars.routing_key", "looks like"),
    ("a: {url: 'https://a.example.com/x?api_key=abc'}", "destinations.a.url", "looks like"),
    ("a: {url: 'https://a.example.com/hooks/7uoxkbiyt3f6dpf5wz1q'}", "destinations.a.url", "looks like"),
    (f"a: {{{A}, body: '[\"Bearer abc\"]'}}", "destinations.a.body", "put ${secret:NAME} into vars"),
    (f"a: {{{A}, body: '{{\"routing_key\": \"0123456789abcdef\"}}'}}", "destinations.a.body", "into vars"),
    ("a: {url: https://flags.internal/x}", "destinations.a.url", "is a name that only a private network knows"),
    ("a: {url: https://a.example.com, events: ['token:updated']}", "destinations.a.events[0]", "matches no event"),
    (f"a: {{{A}, when: event.type == 'flags'}}", "destinations.a.when", "is true for none of the "),
    (f"a: {{{A}, events: ['flag:*'], when: event.type == 'segment'}}", "destinations.a.when", "is true for none"),
    ("", "destinations", "is empty: Flagcast accepts every event and sends none"),
]  # fmt: skip


@pytest.mark.parametrize(("destination", "path", "message"), WARNED)
def test_what_was_hardly_meant_is_warned_of(tmp_path: Path, destination: str, path: str, message: str) -> None:
    [each] = found(tmp_path, SOURCES + f"destinations: {{{destination}}}\n")
    assert (each.path, each.is_warning) == (path, True)
    assert message in each.message


@pytest.mark.parametrize(
    "destination",
    [
        "a: {url: '${secret:slack#url}', headers: {Authorization: 'Bearer ${secret:token}'}, vars: {key: '{{ x }}'}}",
        "a: {url: https://a.example.com, events: ['*:updated'], when: event.type == 'flag' and not event.is_denied}",
        "a: {url: https://a.internal, allow_private: [10.0.0.0/8]}",
        "a: {url: https://a.example.com, when: event.namespace == 'production'}",
        "a: {preset: slack, url: '${secret:slack}'}",
        # The last part of it is stored; and a version in a path, with its slashes, was taken for a random text.
        "a: {preset: slack, url: 'https://hooks.slack.com/services/${secret:slack}'}",
        "a: {url: 'https://a.example.com/api/v2/flags', vars: {next: 'https://a.example.com/api/v2/events'}}",
        'a: {url: \'https://a.example.com\', body: \'{"key": "{{ event.flag_key }}", "token": "none"}\'}',
    ],
)
def test_what_is_usual_is_not_warned_of(tmp_path: Path, destination: str) -> None:
    assert found(tmp_path, SOURCES + f"destinations: {{{destination}}}\n") == []


def test_a_credential_in_a_template_file_is_warned_of_at_its_line(tmp_path: Path) -> None:
    text = SOURCES + f"destinations: {{a: {{{A}, template: t.j2}}, b: {{{A}, template: t.j2}}}}\n"
    [each] = found(tmp_path, text, t='{"a": 1,\n"b": "https://hooks.slack.com/services/T0/B0/canary"}')
    assert (each.file, each.line, each.is_warning) == (str(tmp_path / "templates/t.j2"), 2, True)
    assert "canary" not in "".join(as_text(each))


def test_a_template_file_that_cannot_be_read_is_one_problem(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "t.j2").write_bytes(b"caf\xe9")
    [each] = found(tmp_path, SOURCES + f"destinations: {{a: {{{A}, template: t.j2}}}}\n")
    assert each.message == "templates/t.j2, line 1, column 4: not UTF-8; save it as UTF-8"


def test_a_source_without_an_environment_is_warned_of(tmp_path: Path) -> None:
    text = "sources: {flipt: {auth: none}}\ndestinations: {a: {url: https://a.example.com}}\n"
    assert [(each.path, each.is_warning) for each in found(tmp_path, text)] == [("sources.flipt", True)]


# A target on a private address passed the check, and every event became a dead letter, `blocked_address`.
@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("10.1.2.3", "10.1.2.3 is an address in 10.0.0.0/8, private; nothing is sent there"),
        ("127.1", "127.1 is an address in 127.0.0.0/8, loopback; nothing is sent there"),
        ("2130706433", "2130706433 is an address in 127.0.0.0/8, loopback; nothing is sent there"),
        ("localhost", "localhost is an address in 127.0.0.0/8, loopback; nothing is sent there"),
        ("[fd00::1]", "fd00::1 is an address in fc00::/7, private; nothing is sent there"),
        ("169.254.169.254", "169.254.169.254 is an address in 169.254.0.0/16, link-local; nothing is sent there"),
    ],
)
def test_a_literal_address_that_nothing_is_sent_to_is_refused(tmp_path: Path, host: str, why: str) -> None:
    text = SOURCES + f"destinations: {{a: {{url: 'https://{host}:8443/x'}}}}\n"
    [each] = found(tmp_path, text)
    assert (each.path, each.message, each.is_warning) == ("destinations.a.url", why, False)
    assert each.hint == "if that is intended, add its subnet to allow_private"
    opened = text.replace("x'}}\n", "x', allow_private: [10.0.0.0/8, 127.0.0.0/8, 'fd00::/8', 169.254.0.0/16]}}\n")
    assert found(tmp_path, opened) == []


def test_a_public_address_is_right_by_number_too(tmp_path: Path) -> None:
    assert (
        found(tmp_path, SOURCES + "destinations: {a: {url: https://8.8.8.8/x}, b: {url: 'https://${ssm:host}/'}}\n")
        == []
    )


def test_a_program_reads_the_same_in_json(tmp_path: Path) -> None:
    text = SOURCES + "destinations: {a: {url: https://a.example.com, method: post}}\n"
    assert json.loads(as_json(found(tmp_path, text))) == [
        {
            "severity": "error",
            "file": str(tmp_path / "flagcast.yaml"),
            "line": 2,
            "column": 56,
            "end_column": 60,
            "path": "destinations.a.method",
            "message": '"post" is not allowed; use POST, PUT or PATCH',
            "hint": "did you mean POST?",
            "fix": "",
        }
    ]


def test_github_shows_it_at_the_line_of_the_change() -> None:
    each = Found("a,b:c.yaml", 3, 7, 9, "destinations.a", "50% of\nit", "did you mean it?", is_warning=True)
    assert as_annotation(each) == (
        "::warning file=a%2Cb%3Ac.yaml,line=3,col=7,endColumn=9::destinations.a: 50%25 of%0Ait; did you mean it?"
    )


def test_a_file_is_named_from_the_folder_that_one_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ours").mkdir()
    monkeypatch.chdir(tmp_path)
    text = SOURCES + "destinations: {a: {url: https://a.example.com, method: post}}\n"
    assert found(tmp_path / "ours", text)[0].file == "ours/flagcast.yaml"


def test_the_arn_of_a_destination_is_no_credential(tmp_path: Path) -> None:
    # Its account is as random as a secret: every ARN was to be stored as one.
    arn = "arn:aws:sqs:eu-central-1:123456789012:audit.fifo"
    assert shown(tmp_path, SOURCES + f"destinations:\n  a: {{url: '{arn}'}}\n") == ""
    assert shown(tmp_path, SOURCES + f"destinations:\n  a: {{url: '{arn}', methd: PUT}}\n") == (
        "flagcast.yaml:3:64: destinations.a.methd: unknown key\n"
        f"    3 |   a: {{url: '{arn}', methd: PUT}}\n"
        "      |                                                                ^^^^^ did you mean method?"
    )
