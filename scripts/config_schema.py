"""Write docs/flagcast.schema.json, the JSON Schema of flagcast.yaml: `python -m scripts.config_schema` from the root.

Its shape comes from the typed model that reads the file, and what an editor says of a key from docs/configuration.md.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from msgspec import Struct, structs

from flagcast.config.model import Destination, Retry, Sign, Source
from flagcast.config.secret_references import SecretText, Text
from flagcast.config.validation import NAME
from flagcast.edges.runtime.configuration_file import read_presets
from flagcast.events.event_filter import NOUNS, VERBS, EventFilter
from flagcast.primitives.duration import Duration
from flagcast.primitives.network_address import Subnet
from flagcast.primitives.rate import Rate

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs/configuration.md"
SCHEMA = ROOT / "docs/flagcast.schema.json"

_ROW = re.compile(r"^\| `(\w+)(?:: \w+)?` (?:\| [^|]*)?\| ([^|]+) \|$", re.MULTILINE)
_TABLES: dict[type[Struct], str] = {
    Source: "\n## Sources\n",
    Destination: "\n## Destinations\n",
    Sign: "\n`sign`:\n",
    Retry: "\n`retry`:\n",
}
_TEXTS: dict[type, dict[str, Any]] = {
    Duration: {"type": "string", "pattern": r"^(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$"},
    Rate: {"type": "string", "pattern": r"^[1-9][0-9]{0,5}/[smh]$"},
    EventFilter: {"type": "string", "pattern": rf"^(\*|{'|'.join(NOUNS)}):(\*|{'|'.join(VERBS)})$"},
    SecretText: {"type": "string", "pattern": r"^\$\{(secret|ssm|env):[^{}]+\}$"},
    Subnet: {"type": "string", "pattern": r"^[0-9A-Fa-f:.]+/[0-9]{1,3}$"},
    Text: {"type": "string"},
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
}


def main() -> None:
    """Write the file."""
    SCHEMA.write_text(rendered())


def rendered() -> str:
    """Return the text of the file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def schema() -> dict[str, Any]:
    """Return the schema of the whole file."""
    destination = _of(Destination)
    # Some presets know their address.
    destination["anyOf"] = [{"required": ["url"]}, {"required": ["preset"]}]
    del destination["required"]
    destination["properties"]["preset"]["enum"] = sorted(read_presets())
    defaults = {key: value for key, value in destination.items() if key != "anyOf"}
    defaults["properties"] = {key: value for key, value in destination["properties"].items() if key != "url"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "flagcast.yaml",
        "type": "object",
        "required": ["sources", "destinations"],
        "additionalProperties": False,
        "properties": {
            "sources": _named(_of(Source), "Where events come from, each at /webhooks/NAME."),
            "defaults": {**defaults, "description": "Keys for all destinations."},
            "destinations": _named(destination, "Where it goes."),
            "notify": {"type": "string", "description": "The destination that is notified when another is in trouble."},
        },
    }


def described(model: type[Struct]) -> Mapping[str, str]:
    """Return what docs/configuration.md says of each key of a model."""
    _, _, text = DOCS.read_text(encoding="utf-8").partition(_TABLES[model])
    table = text[text.index("\n|") :].partition("\n\n")[0]
    return {name: meaning.replace("`", "") for name, meaning in _ROW.findall(table)}


def _of(kind: Any) -> dict[str, Any]:
    if isinstance(kind, type) and issubclass(kind, Struct):
        return _of_struct(kind)
    match get_origin(kind):
        case origin if origin in (Union, UnionType):
            return _of(next(member for member in get_args(kind) if member is not NoneType))
        case origin if origin is tuple:
            return {"type": "array", "items": _of(get_args(kind)[0])}
        case origin if origin is dict:
            return {"type": "object", "additionalProperties": _of(get_args(kind)[1])}
        case origin if origin is Literal:
            return {"type": "string", "enum": list(get_args(kind))}
    return dict(_TEXTS[kind])


def _of_struct(model: type[Struct]) -> dict[str, Any]:
    meanings = described(model)
    fields = structs.fields(model)
    made: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {each.name: {**_of(each.type), "description": meanings[each.name]} for each in fields},
    }
    if required := [each.name for each in fields if each.required]:
        made["required"] = required
    return made


def _named(part: Mapping[str, Any], description: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "propertyNames": {"pattern": f"^{NAME.pattern}$"},
        "additionalProperties": part,
    }


if __name__ == "__main__":
    main()
