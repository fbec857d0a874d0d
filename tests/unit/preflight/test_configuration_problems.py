from pathlib import Path

import pytest

from flagcast.preflight.configuration_problems import sample_notices
from flagcast_cli.check.problems import problems_of, warnings_of


def check(folder: Path, text: str) -> list[str]:
    path = folder / "flagcast.yaml"
    path.write_text(f"sources: {{flipt: {{auth: none, environment: e}}}}\n{text}", encoding="utf-8")
    return [str(each) for each in problems_of(path)]


@pytest.mark.parametrize(("told", "problems"), [("chat", 1), ("other", 0)])
def test_the_destination_of_notify_is_tried_on_notices(tmp_path: Path, told: str, problems: int) -> None:
    body = "{{ event.payload.destination.x.y if event.is_notice else 1 }}"
    found = check(
        tmp_path,
        f"destinations: {{chat: {{url: https://a.example.com, body: '{body}'}}, "
        f"other: {{url: https://b.example.com}}}}\nnotify: {told}",
    )
    assert len(found) == problems
    assert all("(on sample notice-trouble and 1 more)" in each for each in found)


def test_notify_in_error_is_a_problem(tmp_path: Path) -> None:
    assert check(tmp_path, "destinations: {chat: {url: https://a.example.com}}\nnotify: chatt") == [
        "notify: expected the name of a destination, got 'chatt'; did you mean chat?"
    ]


def test_a_filter_that_cannot_be_asked_is_a_problem_with_the_sample_it_was_met_on(tmp_path: Path) -> None:
    found = check(tmp_path, "destinations: {chat: {url: https://a.example.com, when: event.payload.name.first.letter}}")
    assert found
    assert all(each.startswith("destinations.chat.when: when: ") for each in found)
    assert all("(on sample " in each for each in found)


def test_what_is_too_faulty_to_be_tried_has_its_own_problems_alone(tmp_path: Path) -> None:
    found = check(tmp_path, "destinations: {chat: {url: 5}, other: {url: https://a.example.com, template: none.j2}}")
    assert len(found) == 2, found
    assert found[0].startswith("destinations.chat.url: ")
    assert found[1].startswith("destinations.other.template: ")


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ("when: event.namespace == 'nowhere' and 'enabled' in event.chnged",
         "destinations.chat.when: event has no chnged; did you mean changed?"),
        ("when: event.namespace == 'nowhere' and event.isknown",
         "destinations.chat.when: event has no isknown; did you mean is_known?"),
        ("when: 'event[\"prevous\"] is none'", "destinations.chat.when: event has no prevous; did you mean previous?"),
        ("accept: response.stat == 1", "destinations.chat.accept: response has no stat; did you mean status?"),
        ("headers: {X-A: '{{ summary.change if false }}'}",
         "destinations.chat.headers.X-A: summary has no change; did you mean changes?"),
        ("body: '{{ event.xyzzy if false }}{{ event.xyzzy }}'",
         "destinations.chat.body: event has no xyzzy; there are: action, "),
        ('body: "{\\n{{ summary.titel if false }}"',
         "destinations.chat.body: body, line 2: summary has no titel; did you mean title?"),
    ],
)  # fmt: skip
def test_a_field_that_there_is_not_is_found_without_a_sample_that_comes_to_it(
    tmp_path: Path, keys: str, problem: str
) -> None:
    # No sample is of this namespace: the misspelt name was found when the first event of it was a dead letter.
    found = check(tmp_path, f"destinations: {{chat: {{url: https://a.example.com, {keys}}}}}")
    assert len(found) == 1, found
    assert found[0].startswith(problem)


@pytest.mark.parametrize(
    "keys",
    [
        'when: \'"enabled" in event.changed and event.namespace == "production"\'',
        "when: event.previous is not none and event.previous.enabled is defined and event.is_known",
        "when: event.later is defined and event.later == 1",
        "when: (event.later | default(1)) == 1",
        "body: '{% set event = {\"own\": 1} %}{{ event.own }}'",
        "body: '{% for event in [{\"own\": 1}] %}{{ event.own }}{% endfor %}'",
        "body: '{{ event.payload.anything | default(1) }}{{ vars.x | default(1) }}', content_type: text/plain",
        "engine: go, body: '{\"a\": {{ toJson .Type }} }'",
    ],
)
def test_a_field_that_there_is_or_may_not_be_is_no_problem(tmp_path: Path, keys: str) -> None:
    assert check(tmp_path, f"destinations: {{chat: {{url: https://a.example.com, {keys}}}}}") == []


@pytest.mark.parametrize(
    "body",
    [
        "{% for each in event.changes %}{{ each.feild }}{% endfor %}1",
        "{% if event.previous %}{{ event.previous.x.y }}{% endif %}1",
    ],
)
def test_what_a_template_says_of_changes_is_tried_with_changes(tmp_path: Path, body: str) -> None:
    found = check(tmp_path, f"destinations: {{chat: {{url: https://a.example.com, body: '{body}'}}}}")
    assert found
    assert all("its changes known" in each for each in found)


def test_a_template_file_is_read_for_its_fields(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "chat.j2").write_text("{{ event.titel if false }}1", encoding="utf-8")
    found = check(tmp_path, "destinations: {chat: {url: https://a.example.com, template: chat.j2}}")
    assert found[0].startswith("destinations.chat.template: chat.j2, line 1: event has no titel; ")


def test_there_is_a_sample_of_each_kind_of_notice() -> None:
    assert [(name, event.action, event.is_notice) for name, event in sample_notices()] == [
        ("notice-trouble", "trouble", True),
        ("notice-recovered", "recovered", True),
    ]


def test_a_template_that_does_not_compile_is_a_problem_and_is_not_tried(tmp_path: Path) -> None:
    found = check(tmp_path, "destinations: {chat: {url: https://a.example.com, body: '{% if %}'}}")
    assert len(found) == 1, found
    assert found[0].startswith("destinations.chat.body: ")


def test_what_is_probably_not_meant_is_a_warning_with_where_it_was_met(tmp_path: Path) -> None:
    body = '{"text": "x", "ids": [{{ [event.type, event.action] | map("tojson") | join(", ") }}]}'
    assert check(tmp_path, f"destinations: {{chat: {{url: https://a.example.com, body: '{body}'}}}}") == []
    found = warnings_of(tmp_path / "flagcast.yaml")
    assert len(found) == 1, found
    assert str(found[0]).startswith("destinations.chat.body: a text that is itself the items of a JSON list is written")
    assert " (on sample constraint-created-by-person and " in str(found[0])


@pytest.mark.parametrize(
    ("more", "count"),
    [("", 1), (", content_type: text/plain", 0), (", escape: none", 0), (", when: event.action == 'no'", 0)],
)
def test_only_a_json_body_that_is_sent_is_doubted(tmp_path: Path, more: str, count: int) -> None:
    body = """'[{{ "1" ~ "2" }}]'"""
    destination = f"{{url: https://a.example.com, vars: {{token: '${{ssm:t}}'}}, body: {body}{more}}}"
    check(tmp_path, f"destinations: {{chat: {destination}}}")
    found = [each for each in warnings_of(tmp_path / "flagcast.yaml") if "when" not in each.path]
    assert len(found) == count


def test_a_sample_is_counted_once_however_many_sources_take_it(tmp_path: Path) -> None:
    keys = """url: https://a.example.com, when: event.type == "token", body: '[{{ "1" ~ "2" }}]'"""
    check(tmp_path, f"destinations: {{chat: {{{keys}}}}}")
    path = tmp_path / "flagcast.yaml"
    path.write_text(
        path.read_text().replace("{flipt:", "{other: {auth: none, environment: e}, flipt:"), encoding="utf-8"
    )
    (found,) = warnings_of(path)
    assert str(found).endswith("(on sample token-created-denied and 6 more)")


def test_a_file_of_templates_is_doubted_by_its_key(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "a.j2").write_text('[{{ "1" ~ "2" }}]', encoding="utf-8")
    assert check(tmp_path, "destinations: {chat: {url: https://a.example.com, template: a.j2}}") == []
    found = warnings_of(tmp_path / "flagcast.yaml")
    assert [each.path for each in found] == ["destinations.chat.template"]


@pytest.mark.parametrize(
    ("body", "problem", "warning"),
    [
        # Bodies for one Flipt are right for it: .Status is there since 1.44, a map in place of the actor before 1.39.
        ('{"s": "{{ .Status }}"}', "", "it is for Flipt 1.44 and later: only events of version 0.1 fail"),
        ('{"a": "{{ .Metadata.Actor.authentication }}"}', "",
         "it is for Flipt before 1.44: every event of version 0.2 fails"),
        ('{"t": "{{ index .Metadata.Actor "io.flipt.auth.token.name" }}"}', "",
         "it is for Flipt before 1.44: every event of version 0.2 fails"),
        ('{"a": "{{ .Metadata.Actor.Authentication }}"}', "", ""),
        ('{"k": "{{ .Payload.key }}"}', "nil pointer evaluating interface {}.key (on sample ", ""),
        ('{"k": "{{ .Nothing }}"}', "can't evaluate field Nothing", ""),
        ('{"k": "{{ index .Payload "key" }}{{ .Status }}"}', "index of", ""),
    ],
)  # fmt: skip
def test_a_go_body_for_one_version_of_flipt_is_warned_of(tmp_path: Path, body: str, problem: str, warning: str) -> None:
    problems = check(tmp_path, f"destinations: {{chat: {{url: https://a.example.com, engine: go, body: '{body}'}}}}")
    warnings = [str(each) for each in warnings_of(tmp_path / "flagcast.yaml")]
    assert any(problem in each for each in problems) is bool(problem)
    assert any(each.endswith(warning) for each in warnings) is bool(warning)
