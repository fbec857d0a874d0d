import json
import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import jsonschema
import pytest
import yaml
from msgspec import Struct, structs
from scripts.config_schema import SCHEMA, described, rendered, schema

from flagcast.config.model import Destination, Retry, Sign, Source

ROOT = Path(__file__).parents[3]
FILES = [
    "layers/config/flagcast.yaml",
    "cli/flagcast_cli/local/demo/flagcast.yaml",
    "tests/e2e/flagcast.yaml",
]


def problems(configuration: Any) -> list[str]:
    validator = jsonschema.Draft202012Validator(schema())
    return [error.json_path for error in validator.iter_errors(configuration)]


def whole(destination: Any = None, source: Any = None, **sections: Any) -> dict[str, Any]:
    return {
        "sources": {"flipt": source or {"signing_secrets": ["${secret:flipt}"]}},
        "destinations": {"d": destination or {"url": "https://a"}},
        **sections,
    }


def test_the_schema_in_docs_is_the_models() -> None:
    assert SCHEMA.read_text() == rendered(), "run: python -m scripts.config_schema"


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(rendered()))


@pytest.mark.parametrize("model", [Source, Destination, Sign, Retry])
def test_every_key_is_documented_and_no_other(model: type[Struct]) -> None:
    assert set(described(model)) == {each.name for each in structs.fields(model)}


@pytest.mark.parametrize("file", FILES)
def test_every_configuration_of_this_project_fits(file: str) -> None:
    assert problems(yaml.safe_load((ROOT / file).read_text())) == []


def test_notify_is_the_name_of_one() -> None:
    assert problems(whole(notify="d")) == []
    assert problems(whole(notify=["d"])) == ["$.notify"]


def test_a_configuration_with_everything_fits() -> None:
    destination = {
        "url": "${secret:a#b}",
        "preset": "json",
        "vars": {"a": "${ssm:b}"},
        "engine": "go",
        "escape": "none",
        "sign": {"scheme": "flipt", "secret": "${secret:s}"},
        "events": ["flag:*", "*:deleted"],
        "retry": {"initial_interval": "1m30s", "multiplier": 1.5, "retry_on": [404]},
        "when": "event.is_denied",
        "rate_limit": "50/s",
        "paused": True,
        "allow_http": True,
        "allow_private": ["10.0.0.0/8", "fd00::/8"],
        "ca_file": "ca.pem",
    }
    source = {"auth": "none", "allow_from": ["203.0.113.7/32", "2001:db8::/32"], "max_age": "12h"}
    assert problems(whole(destination, source, defaults={"timeout": "5s"})) == []


@pytest.mark.parametrize(
    ("configuration", "path"),
    [
        ({"sources": {}}, "$"),
        (whole(more={}), "$"),
        (whole({"body": "no address"}), "$.destinations.d"),
        (whole({"url": "https://a", "bdy": ""}), "$.destinations.d"),
        (whole({"url": "https://a", "preset": "slak"}), "$.destinations.d.preset"),
        (whole({"url": "https://a", "events": ["flags:*"]}), "$.destinations.d.events[0]"),
        (whole({"url": "https://a", "timeout": "5 seconds"}), "$.destinations.d.timeout"),
        (whole({"url": "https://a", "rate_limit": "0/s"}), "$.destinations.d.rate_limit"),
        (whole({"url": "https://a", "allow_private": ["10.0.0.1"]}), "$.destinations.d.allow_private[0]"),
        (whole({"url": "https://a", "sign": {"scheme": "flipt"}}), "$.destinations.d.sign"),
        (whole(source={"signing_secrets": ["s3cret"]}), "$.sources.flipt.signing_secrets[0]"),
        (whole(source={"auth": "none", "allow_from": ["203.0.113.7"]}), "$.sources.flipt.allow_from[0]"),
        (whole(source={"auth": "none", "max_age": "12 hours"}), "$.sources.flipt.max_age"),
        (whole(defaults={"url": "https://a"}), "$.defaults"),
        ({"sources": {}, "destinations": {"a b": {"url": "https://a"}}}, "$.destinations"),
    ],
)
def test_what_is_wrong_is_shown_where_it_stands(configuration: Any, path: str) -> None:
    assert problems(configuration) == [path]


def test_every_example_in_the_docs_of_a_whole_configuration_fits() -> None:
    texts = [(ROOT / name).read_text() for name in ("README.md", "docs/configuration.md", "docs/templates.md")]
    blocks = [dedent(block) for text in texts for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    configurations = [block for block in blocks if block.startswith("sources:")]
    assert configurations
    for block in configurations:
        assert problems(yaml.safe_load(block)) == [], block
