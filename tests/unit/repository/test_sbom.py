import json
import re
from importlib import metadata
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from scripts.sbom import document, licenses, rendered

LOCK = (Path(__file__).parents[3] / "layers/dependencies/requirements.txt").read_text()
A, B = "a" * 64, "b" * 64
TWO = f"""\
# a header
a-b==1.0 \\
    --hash=sha256:{A} \\
    --hash=sha256:{B}
    # via
    #   -c requirements.lock
    #   p (pyproject.toml)
c==2.0 ; sys_platform == 'win32' \\
    --hash=sha256:{B}
    # via a-b
"""
# What CycloneDX 1.6 asks of the parts we write, by https://cyclonedx.org/docs/1.6/json/.
SHAPE: dict[str, Any] = {
    "type": "object",
    "required": ["bomFormat", "specVersion", "version", "metadata", "components", "dependencies"],
    "properties": {
        "$schema": {"const": "http://cyclonedx.org/schema/bom-1.6.schema.json"},
        "bomFormat": {"const": "CycloneDX"},
        "specVersion": {"const": "1.6"},
        "version": {"type": "integer", "minimum": 1},
        "metadata": {
            "type": "object",
            "required": ["component"],
            "properties": {"component": {"$ref": "#/$defs/component"}},
            "additionalProperties": False,
        },
        "components": {"type": "array", "uniqueItems": True, "items": {"$ref": "#/$defs/component"}},
        "dependencies": {
            "type": "array",
            "uniqueItems": True,
            "items": {
                "type": "object",
                "required": ["ref"],
                "properties": {
                    "ref": {"type": "string", "minLength": 1},
                    "dependsOn": {"type": "array", "uniqueItems": True, "items": {"type": "string", "minLength": 1}},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
    "$defs": {
        "component": {
            "type": "object",
            "required": ["type", "name", "bom-ref", "version"],
            "properties": {
                "type": {"enum": ["application", "library"]},
                "bom-ref": {"type": "string", "minLength": 1},
                "name": {"type": "string"},
                "version": {"type": "string"},
                "purl": {"type": "string", "pattern": r"^pkg:pypi/[a-z0-9-]+@[^\s@]+$"},
                "hashes": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["alg", "content"],
                        "properties": {
                            "alg": {"enum": ["SHA-256", "SHA-384", "SHA-512"]},
                            "content": {"pattern": "^([a-f0-9]{64}|[a-f0-9]{96}|[a-f0-9]{128})$"},
                        },
                        "additionalProperties": False,
                    },
                },
                # Named licences, or one SPDX expression: never both.
                "licenses": {
                    "oneOf": [
                        {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/named"}},
                        {"type": "array", "minItems": 1, "maxItems": 1, "items": {"$ref": "#/$defs/expression"}},
                    ]
                },
            },
            "additionalProperties": False,
        },
        "named": {
            "type": "object",
            "required": ["license"],
            "properties": {"license": {"type": "object", "required": ["name"]}},
            "additionalProperties": False,
        },
        "expression": {
            "type": "object",
            "required": ["expression"],
            "properties": {"expression": {"type": "string"}},
            "additionalProperties": False,
        },
    },
}


def hashes(component: dict[str, Any]) -> list[str]:
    return [each["content"] for each in component["hashes"]]


def test_every_requirement_of_the_layer_stands_in_the_bill_once_with_its_hashes() -> None:
    components = json.loads(rendered())["components"]
    pinned = re.findall(r"^(\S+)==(\S+)", LOCK, re.MULTILINE)
    assert [(each["name"], each["version"]) for each in components] == pinned
    assert [content for each in components for content in hashes(each)] == re.findall(r"sha256:(\w+)", LOCK)
    assert all(each["hashes"] for each in components)


def test_every_requirement_has_a_licence_and_is_needed_by_something() -> None:
    bill = json.loads(rendered())
    assert [each["name"] for each in bill["components"] if not each.get("licenses")] == []
    needed = {on for each in bill["dependencies"] for on in each["dependsOn"]}
    assert needed == {each["bom-ref"] for each in bill["components"]}


def test_the_bill_has_the_shape_of_the_format() -> None:
    jsonschema.Draft202012Validator.check_schema(SHAPE)
    jsonschema.Draft202012Validator(SHAPE).validate(json.loads(rendered()))


@pytest.mark.parametrize(
    ("of", "key", "wrong"),
    [
        (None, "specVersion", "1.7"),
        (None, "timestamp", "now"),
        ("components", "purl", "pypi/a@1"),
        ("components", "hashes", [{"alg": "sha256", "content": A}]),
        ("components", "hashes", [{"alg": "SHA-256", "content": "a"}]),
        ("components", "licenses", [{"expression": "MIT"}, {"license": {"name": "MIT"}}]),
        ("dependencies", "ref", ""),
    ],
)
def test_another_shape_is_refused(of: str | None, key: str, wrong: Any) -> None:
    bill = document(TWO, "p", "1")
    (bill[of][0] if of else bill)[key] = wrong
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SHAPE).validate(bill)


def test_the_same_pins_give_the_same_bytes() -> None:
    assert rendered() == rendered()
    assert {"serialNumber", "timestamp"} & json.loads(rendered()).keys() == set()


def test_what_needs_what_is_read_from_the_comments() -> None:
    bill = document(TWO, "p", "1")
    first, second = bill["components"]
    assert (first["purl"], hashes(first)) == ("pkg:pypi/a-b@1.0", [A, B])
    assert (second["purl"], hashes(second)) == ("pkg:pypi/c@2.0", [B])
    assert bill["dependencies"] == [
        {"ref": "p", "dependsOn": ["pkg:pypi/a-b@1.0"]},
        {"ref": "pkg:pypi/a-b@1.0", "dependsOn": ["pkg:pypi/c@2.0"]},
        {"ref": "pkg:pypi/c@2.0", "dependsOn": []},
    ]


@pytest.mark.parametrize("entry", ["a==1.0", "a>=1.0 \\\n    --hash=sha256:" + A, "-r other.txt", "a @ file:///a.whl"])
def test_what_is_not_pinned_with_a_hash_is_never_left_out_in_silence(entry: str) -> None:
    with pytest.raises(ValueError, match="no pin with hashes"):
        document(TWO + entry + "\n", "p", "1")


def test_a_hash_of_another_kind_is_not_called_sha_256() -> None:
    with pytest.raises(KeyError, match="md5"):
        document(TWO.replace("sha256", "md5"), "p", "1")


def test_only_a_declared_spdx_expression_is_called_one() -> None:
    assert licenses("msgspec", metadata.version("msgspec")) == [{"expression": "BSD-3-Clause"}]
    assert licenses("jinja2", metadata.version("jinja2")) == [{"license": {"name": "BSD License"}}]
    assert licenses("tzdata", metadata.version("tzdata")) == [{"license": {"name": "Apache-2.0"}}]


@pytest.mark.parametrize(("name", "version"), [("msgspec", "0.0.1"), ("no-such-distribution", "1")])
def test_the_licence_of_another_version_is_not_taken_for_this_ones(name: str, version: str) -> None:
    assert licenses(name, version) == []
