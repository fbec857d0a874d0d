"""What Flipt was told is read by Flipt's own rules, and what Flipt would refuse is said with its place."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from flagcast_cli.console import CommandError
from flagcast_cli.flipt_import.flipt_file import FliptWebhook, read_flipt

URL = "FLIPT_AUDIT_SINKS_WEBHOOK_URL"
TEMPLATE = {"url": "https://a.example.com", "body": "{}"}


def sink(**keys: Any) -> dict[str, Any]:
    return {"audit": {"sinks": {"webhook": {"enabled": True, **keys}}}}


def read(folder: Path, tree: object, **environ: str) -> FliptWebhook:
    path = folder / "flipt.yml"
    path.write_text(tree if isinstance(tree, str) else yaml.safe_dump(tree), encoding="utf-8")
    return read_flipt(path, environ)


def refused(folder: Path, tree: object, **environ: str) -> str:
    with pytest.raises(CommandError) as raised:
        read(folder, tree, **environ)
    assert all(raised.value.next_steps), "every error says what to do next"
    assert raised.value.next_steps
    return str(raised.value)


def test_a_url_and_what_stands_beside_it_are_read(tmp_path: Path) -> None:
    webhook = sink(url="https://a.example.com", signing_secret="s", max_backoff_duration="30s")
    flipt = read(tmp_path, {**webhook, "tracing": {"enabled": True, "sampling_ratio": 0.5}})
    assert flipt.enabled
    assert flipt.url is not None
    assert flipt.signing_secret is not None
    assert flipt.max_backoff_duration is not None
    assert flipt.sampling_ratio is not None
    assert (flipt.url.path, flipt.url.text) == ("audit.sinks.webhook.url", "https://a.example.com")
    assert (flipt.signing_secret.text, flipt.max_backoff_duration.text) == ("s", "30s")
    assert (flipt.tracing_enabled, flipt.sampling_ratio.text) == (True, "0.5")
    assert (flipt.templates, flipt.events, flipt.variables, flipt.notes) == ((), None, (), ())


def test_a_sink_is_off_unless_it_says_that_it_is_on(tmp_path: Path) -> None:
    tree = {"audit": {"sinks": {"webhook": {"url": "https://a.example.com"}}}}
    assert not read(tmp_path, tree).enabled
    assert read(tmp_path, tree, FLIPT_AUDIT_SINKS_WEBHOOK_ENABLED="T").enabled
    assert not read(tmp_path, sink(url="https://a.example.com"), FLIPT_AUDIT_SINKS_WEBHOOK_ENABLED="0").enabled


def test_variables_stand_over_the_file_and_empty_ones_do_not(tmp_path: Path) -> None:
    webhook = sink(url="https://file.example.com", signing_secret="s")
    flipt = read(tmp_path, webhook, **{URL: "https://set.example.com", "FLIPT_AUDIT_SINKS_WEBHOOK_SIGNING_SECRET": ""})
    assert flipt.url is not None
    assert flipt.signing_secret is not None
    assert (flipt.url.path, flipt.url.text, flipt.signing_secret.text) == (URL, "https://set.example.com", "s")
    assert flipt.variables == (URL,)


def test_a_flipt_of_variables_alone_needs_no_more_than_an_empty_file(tmp_path: Path) -> None:
    flipt = read(
        tmp_path, "", FLIPT_AUDIT_SINKS_WEBHOOK_URL="https://a.example.com", FLIPT_AUDIT_EVENTS="flag:* *:deleted"
    )
    assert flipt.events == ("flag:*", "*:deleted")
    assert flipt.events_path == "FLIPT_AUDIT_EVENTS"


def test_keys_are_read_in_any_case_as_flipt_reads_them(tmp_path: Path) -> None:
    flipt = read(
        tmp_path, {"Audit": {"Sinks": {"WEBHOOK": {"Templates": [{"URL": "https://a.example.com", "Body": "{}"}]}}}}
    )
    assert flipt.templates[0].body == "{}"


def test_a_value_that_is_one_variable_is_replaced_and_a_part_of_one_is_not(tmp_path: Path) -> None:
    headers = {"A": "${SET}", "B": "${UNSET}", "C": "Bearer ${SET}"}
    read_headers = read(tmp_path, sink(templates=[{**TEMPLATE, "headers": headers}]), SET="x").templates[0].headers
    assert {name: (each.text, each.variable) for name, each in read_headers.items()} == {
        "A": ("x", "SET"),
        "B": (None, "UNSET"),
        "C": ("Bearer ${SET}", None),
    }


def test_a_number_in_a_header_is_its_digits(tmp_path: Path) -> None:
    flipt = read(tmp_path, sink(templates=[{**TEMPLATE, "headers": {"X-Account": 12345}}]))
    assert flipt.templates[0].headers["X-Account"].text == "12345"


def test_a_tab_in_a_header_is_what_flipt_can_send(tmp_path: Path) -> None:
    flipt = read(tmp_path, sink(templates=[{**TEMPLATE, "headers": {"X-Team": "a\tb"}}]))
    assert flipt.templates[0].headers["X-Team"].text == "a\tb"


def test_events_are_a_list_or_words_with_spaces_between(tmp_path: Path) -> None:
    for events in (["flag:*", "*:deleted"], " flag:*  *:deleted "):
        tree = sink(url="https://a.example.com")
        tree["audit"]["events"] = events
        assert read(tmp_path, tree).events == ("flag:*", "*:deleted")


def test_what_flipt_leaves_aside_is_noted(tmp_path: Path) -> None:
    flipt = read(
        tmp_path,
        sink(templates=[{**TEMPLATE, "method": "PUT", "timeout": "5s"}, {**TEMPLATE, "method": "POST"}]),
        FLIPT_AUDIT_SINKS_WEBHOOK_TEMPLATES_0_URL="https://b.example.com",
    )
    assert flipt.variables == ()
    assert flipt.notes == (
        "FLIPT_AUDIT_SINKS_WEBHOOK_TEMPLATES*: ignored, because Flipt reads templates only from its file",
        "audit.sinks.webhook.templates[0].timeout: ignored, because Flipt does not know the key",
        "audit.sinks.webhook.templates[0].method: ignored, because Flipt always uses POST",
    )


def test_a_file_that_is_not_there_or_not_text_is_said(tmp_path: Path) -> None:
    missing, binary = tmp_path / "missing.yml", tmp_path / "binary.yml"
    binary.write_bytes(b"audit: \xff")
    with pytest.raises(CommandError, match=r"missing\.yml: No such file"):
        read_flipt(missing, {})
    with pytest.raises(CommandError, match=r"binary\.yml: not UTF-8 at byte 7"):
        read_flipt(binary, {})


def test_what_is_not_yaml_is_said_with_line_and_column(tmp_path: Path) -> None:
    assert "flipt.yml: line 2, column 1: not YAML: " in refused(tmp_path, "audit: {\n")


def test_a_repeated_key_is_refused_as_flipt_refuses_it(tmp_path: Path) -> None:
    assert "audit: repeated on line 2, first on line 1" in refused(tmp_path, "audit: {}\naudit: {}\n")


@pytest.mark.parametrize("tree", [["a"], "just words", {"services": {"flipt": {}}}, {"version": "3", "services": {}}])
def test_what_is_no_configuration_of_flipt_is_said(tmp_path: Path, tree: object) -> None:
    assert "is not a Flipt configuration" in refused(tmp_path, tree)


def test_flipt_2_has_no_webhooks_to_import(tmp_path: Path) -> None:
    assert "Flipt 2, which has no audit webhooks" in refused(tmp_path, {"version": "2.0", "storage": {}})


@pytest.mark.parametrize(
    "tree",
    [
        {"log": {}},
        {"audit": None},
        sink(),
        sink(url=""),
        sink(templates=[]),
        sink(templates={}),
        "",
        "# version: 1.0\n",
    ],
)
def test_a_file_without_a_webhook_is_said(tmp_path: Path, tree: object) -> None:
    said = refused(tmp_path, tree)
    assert "neither audit.sinks.webhook.url nor audit.sinks.webhook.templates is set" in said


def test_url_and_templates_together_are_refused_with_the_place_of_each(tmp_path: Path) -> None:
    both = sink(url="https://a.example.com", templates=[TEMPLATE])
    assert refused(tmp_path, both).startswith("audit.sinks.webhook.url and audit.sinks.webhook.templates are both set")
    said = refused(tmp_path, sink(templates=[TEMPLATE]), **{URL: "https://a.example.com"})
    assert said.startswith(f"{URL} and audit.sinks.webhook.templates are both set")


# Both were refused, with the reason that Flipt refuses them too.
@pytest.mark.parametrize("key", ["url", "body"])
@pytest.mark.parametrize("nothing", ["", None])
def test_a_template_with_which_flipt_sends_nothing_is_left_out(tmp_path: Path, key: str, nothing: object) -> None:
    flipt = read(tmp_path, sink(templates=[TEMPLATE, {**TEMPLATE, key: nothing}]))
    assert len(flipt.templates) == 1
    note = f"audit.sinks.webhook.templates[1]: left out: it has no {key}, so Flipt starts but sends nothing for it"
    assert flipt.notes == (note,)
    assert refused(tmp_path, sink(templates=[{**TEMPLATE, key: nothing}])).endswith("flipt.yml sends no webhooks")


def test_url_and_templates_are_both_taken_while_the_sink_is_off(tmp_path: Path) -> None:
    flipt = read(tmp_path, sink(url="https://a.example.com", templates=[TEMPLATE], enabled=False))
    assert (flipt.url is not None, len(flipt.templates)) == (True, 1)
    assert flipt.notes[0].endswith("are both set, which Flipt accepts only while the sink is off")


@pytest.mark.parametrize("suffix", ["toml", "ini", "hcl", "env"])
def test_another_format_of_flipts_is_refused_with_the_true_reason(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"flipt.{suffix}"
    path.write_text("[audit.sinks.webhook]\nurl = 'x'\n")
    with pytest.raises(CommandError, match=f"Flipt reads {suffix.upper()}, but import-flipt reads only YAML and JSON"):
        read_flipt(path, {})


def test_flipts_own_default_configuration_has_no_webhook_in_it(tmp_path: Path) -> None:
    # It is nothing but comments, and was called no configuration of Flipt.
    text = '# version: "1.0"\n# log:\n#   level: INFO\n\n# server:\n#   protocol: http\n'
    assert "sends no webhooks" in refused(tmp_path, text)


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({"audit": "canary"}, "audit: expected a mapping, got a string"),
        ({"audit": {"sinks": {"webhook": ["canary"]}}}, "audit.sinks.webhook: expected a mapping, got a list"),
        (sink(url=["canary"]), "audit.sinks.webhook.url: expected a string, got a list"),
        (sink(templates="canary"), "audit.sinks.webhook.templates: expected a list, got a string"),
        (
            sink(templates=["canary"]),
            "audit.sinks.webhook.templates[0]: expected a mapping with url and body, got a string",
        ),
        (
            sink(templates=[{**TEMPLATE, "headers": ["canary"]}]),
            "audit.sinks.webhook.templates[0].headers: expected a mapping, got a string",
        ),
        (
            sink(templates=[{**TEMPLATE, "headers": {"A": ["canary"]}}]),
            "audit.sinks.webhook.templates[0].headers.A: expected a string, got a list",
        ),
        (
            "audit: {sinks: {webhook: {url: 2026-01-02}}}",
            "audit.sinks.webhook.url: expected a string, got a date",
        ),
        (
            sink(templates=[{**TEMPLATE, "headers": {"A B": "canary"}}]),
            "audit.sinks.webhook.templates[0].headers.A B: is not a header name",
        ),
        (
            sink(templates=[{**TEMPLATE, "headers": {"A": "canary\n"}}]),
            "audit.sinks.webhook.templates[0].headers.A: the value contains a line break or control character",
        ),
        (sink(url="https://a.example.com", enabled="canary"), "audit.sinks.webhook.enabled: expected true or false"),
        ({"audit": {"events": {"canary": 5}, **sink(url="https://a.io")["audit"]}}, "audit.events: expected a list"),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_kind_is_said_with_its_path_and_without_itself(
    tmp_path: Path, tree: object, said: str
) -> None:
    message = refused(tmp_path, tree)
    assert message.startswith(said)
    assert "canary" not in message


def test_half_a_character_is_refused(tmp_path: Path) -> None:
    # What a variable holds that is not UTF-8, Python hands on as halves of characters.
    said = refused(tmp_path, sink(url="${HALF}"), HALF="https://a.example.com/\udcff")
    assert said == "audit.sinks.webhook.url: it contains half a character (a lone surrogate)"


def test_a_variable_that_must_be_known_and_is_not_set_is_named(tmp_path: Path) -> None:
    said = refused(tmp_path, sink(templates=[{**TEMPLATE, "body": "${FLIPT_BODY}"}]))
    assert said == "audit.sinks.webhook.templates[0].body is ${FLIPT_BODY}, and FLIPT_BODY is not set here"
