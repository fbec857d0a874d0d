from pathlib import Path

import pytest

from flagcast_cli.check.problems import everything_about

HEAD = "sources: {flipt: {auth: none, environment: e}}\ndestinations: {d: {url: 'https://a.example.com', "


def checked(folder: Path, keys: str) -> tuple[list[str], list[str]]:
    """Return the problems and the warnings of one destination."""
    path = folder / "flagcast.yaml"
    path.write_text(f"{HEAD}{keys}}}}}", encoding="utf-8")
    found = everything_about(path)
    return [str(each) for each in found if not each.is_warning], [str(each) for each in found if each.is_warning]


@pytest.mark.parametrize(
    ("accept", "why"),
    [
        ("respons.status == 200", "'respons' is undefined"),
        ("response.text", "gives a str, not true or false"),
        ("response.json.ok == status", "'status' is undefined"),
        ("event.type == 'flag'", "'event' is undefined"),
    ],
)
@pytest.mark.parametrize(
    ("keys", "path"),
    [("accept: >-\n  {}\n", "accept"), ("retry: {{when: >-\n  {}\n}}", "retry.when")],
    ids=["accept", "retry.when"],
)
def test_an_expression_that_can_only_fail_is_a_problem(
    tmp_path: Path, keys: str, path: str, accept: str, why: str
) -> None:
    # They passed, and made a dead letter of every delivery.
    quoted = '"' + accept.replace('"', "'") + '"'
    made = keys.replace(">-\n  {}\n", quoted).replace("{{", "{").replace("}}", "}")
    problems, _ = checked(tmp_path, made)
    assert problems == [f"destinations.d.{path}: fails on every sample answer: {why}"]


NEVER = "accept: is true for none of the sample answers: every delivery would become a dead letter"


@pytest.mark.parametrize(
    ("keys", "warning"),
    [
        ('accept: "response.status == 20"',
         NEVER),
        ('accept: "false"', NEVER),
        ('accept: "response.status == 404"',
         NEVER),
        ("""preset: slack, accept: "response.text == 'OK'" """,
         NEVER),
        ('retry: {when: "response.status == 4290"}',
         "retry.when: is true for none of the sample answers: it would never retry anything"),
        ("""preset: slack, retry: {when: "response.text == 'busy'"}""",
         "retry.when: is true for none of the sample answers: it would never retry anything"),
        ("""when: "event.type == 'flags'" """,
         "when: is true for none of the sample events that match events: nothing would be sent"),
        ("""events: ["flag:deleted"], when: "event.action == 'updated'" """,
         "when: is true for none of the sample events that match events: nothing would be sent"),
        # A field that no thing of Flipt's has was taken for one that may change.
        ("""when: "'enabld' in event.changed and event.namespace == 'production'" """,
         "when: is true for none of the sample events that match events: nothing would be sent"),
        ("""events: ["segment:*"], when: "'enabled' in event.changed" """,
         "when: is true for none of the sample events that match events: nothing would be sent"),
    ],
)  # fmt: skip
def test_an_expression_that_holds_for_no_sample_is_a_warning(tmp_path: Path, keys: str, warning: str) -> None:
    problems, warnings = checked(tmp_path, keys)
    assert problems == []
    assert warnings == [f"destinations.d.{warning}"]


@pytest.mark.parametrize(
    "keys",
    [
        """accept: "response.json.result.state == 'done'" """,
        'accept: "response.json.success is true"',
        'accept: "response.json.errors | length == 0"',
        'accept: "response.json.code == 100"',
        'accept: "response.json.code < 3"',
        'accept: "response.json[0].ok"',
        # What lies deeper than two members could only fail, it was said.
        """accept: "response.json.data.attributes.status == 'ok'" """,
        'accept: "response.json.data.attributes.evt.uid.ok is true"',
        'accept: "response.json.results[0].errors[0].transient is true"',
        'accept: "not response.json.error"',
        "accept: \"'queued' in response.text\"",
        'accept: "response.text | trim == response.text"',
        "accept: \"response.json.get('state') == 'done' and 'id' in response.json\"",
        "accept: \"response.json.state.lower() == 'done'\"",
        "accept: \"response.status in [200, 302]\"",
        "accept: \"response.status == 302 and response.headers.location.startswith('https://x')\"",
        "accept: \"response.headers['X-A'].endswith('b') and 'X-B' in response.headers\"",
        "retry: {when: \"response.json.error == 'busy'\"}",
        "retry: {when: \"response.status == 403 and response.headers.get('X-RateLimit-Remaining') == '0'\"}",
        """preset: slack, when: "event.namespace == 'production'" """,
        """preset: slack, accept: "response.text == 'ok'", retry: {when: "'internal_error' in response.text"}""",
        """preset: discord, retry: {when: "response.json.code == 40333"}""",
        """when: "event.namespace == 'production' and not event.is_denied" """,
        """when: "event.flag_key in ['checkout'] or event.segment_key == 'beta'" """,
        """when: "event.actor.lower() == 'ada@example.com'" """,
        """when: "event.metadata.actor.email is defined" """,
        """when: "event.changed | select('eq', 'enabled') | list | length > 0" """,
        """when: "'default_variant' in event.changed or event.changed | join == 'threshold.percentage'" """,
        """when: "event.changed | length == 1 and 'rollout' in event.changed" """,
        """when: "event.changed | length > 2 and event.type == 'flag'" """,
        """when: "'rule_ids' in event.changed" """,
        """when: "event.payload.rule_ids is defined and event.payload.rule_ids[0] == 'a'" """,
        """events: ["flag:updated"], when: "event.type == 'flag'" """,
        'when: "event.is_replay"',
        'when: "not event.is_replay"',
        """when: "event.is_replay and event.namespace == 'production' and event.replay_id != 'rpl_1'" """,
    ],
)  # fmt: skip
def test_an_expression_over_what_only_the_destination_or_flipt_knows_is_neither(tmp_path: Path, keys: str) -> None:
    assert checked(tmp_path, keys) == ([], [])
