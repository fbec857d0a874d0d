from pathlib import Path
from typing import Any

import pytest

from flagcast.config.read import ALONE, read
from flagcast_cli.checkout import CONFIGURATION
from flagcast_cli.local.dev_configuration import DEMO, answers, install, stand_ins, usual, with_receiver
from flagcast_cli.local.receiver_script import Answer

SOURCES = 'sources: {flipt: {signing_secrets: ["${secret:flipt#signing}"]}}\n'
SLACK = "answers: {accepted: [{status: 200, text: ok}, {status: 200, text: more}]}\ndescription: a chat\n"


def received(part: Any) -> Any:
    tree, _ = with_receiver({"destinations": {"d": part}})
    return tree["destinations"]["d"]


@pytest.mark.parametrize(
    "part",
    [
        {"url": "https://example.com/in"},
        {"url": "${secret:slack#webhook_url}", "preset": "slack"},
        {"url": "https://[broken"},
        {"url": "arn:aws:sqs:eu-west-1:111122223333:audit.fifo"},
        {"preset": "pagerduty-alert"},  # Its preset has the address.
    ],
)
def test_an_address_elsewhere_becomes_the_receivers(part: dict[str, Any]) -> None:
    made = received({**part, "events": ["flag:*"], "ca_file": "ours.pem"})
    assert made == {
        **{key: value for key, value in part.items() if key != "url"},
        "events": ["flag:*"],
        "url": "${ssm:receiver}/d",
        "allow_http": True,
        "allow_private": ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"],
    }


@pytest.mark.parametrize(
    "part",
    [
        {"url": "${ssm:receiver}/chat", "preset": "slack"},
        {"url": "http://127.0.0.1:9000/in"},
        {"url": "http://localhost:9000/in"},
        {"body": "no address"},
        {"url": 5},
        "no mapping",
    ],
)
def test_an_address_of_this_machine_and_what_is_no_address_stay(part: Any) -> None:
    assert received(part) == part


def test_it_is_said_which_destinations_have_another_address() -> None:
    tree = {"destinations": {"a": {"url": "https://a"}, "b": {"url": "http://localhost"}, "c": {"url": "https://c"}}}
    assert with_receiver(tree)[1] == ("a", "c")
    assert with_receiver({"destinations": []})[1] == ()
    assert with_receiver(None) == (None, ())


def test_the_receiver_answers_as_the_vendor_of_a_preset_does() -> None:
    text = (
        SOURCES + "destinations:\n  a: {preset: slack, url: '${ssm:receiver}/chat'}\n  b: {url: '${ssm:receiver}/b'}\n"
    )
    configuration = read(text, ALONE.__class__(presets={"slack": SLACK}))
    assert list(answers(configuration, {"slack": SLACK})) == [("/chat", Answer(200, body=b"ok"))]


def test_every_secret_gets_the_one_value_and_with_real_addresses_only_those_of_sources() -> None:
    secrets = '"${ssm:token} ${secret:chat#key} ${env:FLAGCAST_VAR_X}"'
    configuration = read(f"{SOURCES}destinations: {{a: {{url: '${{ssm:receiver}}/a', headers: {{X: {secrets}}}}}}}\n")
    local = [(str(each.stored), value) for each, value in stand_ins(configuration, "s3cret", real=False)]
    assert local == [
        ("${secret:flipt}", '{"signing":"s3cret"}'),
        ("${ssm:token}", "s3cret"),
        ("${secret:chat}", '{"key":"s3cret"}'),
    ]
    real = [str(each.stored) for each, _ in stand_ins(configuration, "s3cret", real=True)]
    assert real == ["${secret:flipt}"]


def test_what_is_installed_is_the_file_itself_unless_an_address_is_replaced(tmp_path: Path) -> None:
    config, folder = tmp_path / "flagcast.yaml", tmp_path / "installed"
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "chat.j2").write_text("{}", encoding="utf-8")
    config.write_text(
        f"# ours\n{SOURCES}destinations: {{a: {{url: 'https://a', template: chat.j2}}}}\n", encoding="utf-8"
    )
    assert install(config, folder, real=True) == ()
    assert (folder / "flagcast.yaml").read_text(encoding="utf-8").startswith("# ours")
    assert install(config, folder, real=False) == ("a",)
    assert "url: ${ssm:receiver}/a" in (folder / "flagcast.yaml").read_text(encoding="utf-8")
    assert (folder / "templates" / "chat.j2").is_file()


def test_without_a_configuration_it_is_the_checkouts_or_the_demos_if_that_has_no_destination(tmp_path: Path) -> None:
    config = tmp_path / "flagcast.yaml"
    config.write_text("sources: {}\ndestinations: {a: {url: 'https://a'}}\n", encoding="utf-8")
    assert usual(config) == (config, "")
    config.write_text("sources: {}\ndestinations: {}\n", encoding="utf-8")
    assert usual(config) == (DEMO, f"{config} has no destination yet")
    # What is wrong with one's own is to be seen, not hidden behind the demo.
    config.write_text("sources: {", encoding="utf-8")
    assert usual(config) == (config, "")
    assert usual(CONFIGURATION)[0] == DEMO
