"""Flipt's file to plain mappings: the formats that are read, and keys with dots."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flagcast.config.read import merge
from flagcast.config.yaml_document import load
from flagcast.errors import ConfigurationUnreadable
from flagcast_cli.console import CommandError
from flagcast_cli.flipt_import.flipt_yaml import GoLoader
from flagcast_cli.flipt_import.settings import as_key

_OTHER_FORMATS = frozenset({".toml", ".hcl", ".tfvars", ".ini", ".properties", ".props", ".prop", ".dotenv", ".env"})
"""What viper reads besides, by the end of the file's name."""


def read_tree(path: Path) -> dict[object, Any]:
    """Read the file, keys with dots written out; raises CommandError."""
    if path.suffix.lower() in _OTHER_FORMATS:
        raise CommandError(
            f"{path}: Flipt reads {path.suffix[1:].upper()}, but import-flipt reads only YAML and JSON",
            "Write the part below `audit` as YAML, in a file that ends in .yml.",
        )
    try:
        tree, repeated = load(path.read_text(encoding="utf-8-sig"), GoLoader)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}", "Give the path of Flipt's configuration file.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{path}: not UTF-8 at byte {error.start}", "Save the file as UTF-8.") from error
    except ConfigurationUnreadable as error:
        raise CommandError(f"{path}: {error}", "Flipt cannot read it either: fix it there.") from error
    if repeated:
        raise CommandError(f"{path}: {repeated[0]}", "Flipt rejects a repeated key, too: keep one of them.")
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise CommandError(f"{path} is not a Flipt configuration", "Give the file that you give to `flipt --config`.")
    return _expanded(tree)


def _expanded(tree: Mapping[Any, Any]) -> dict[Any, Any]:
    """Write keys with dots out, as viper does: ``audit.sinks.webhook.url`` is the same as four mappings, and wins."""
    plain: dict[Any, Any] = {}
    for key, value in sorted(tree.items(), key=lambda each: "." in as_key(each[0])):
        first, dot, rest = as_key(key).lower().partition(".")
        below = _expanded({rest: value} if dot else value) if dot or isinstance(value, dict) else value
        known = plain.get(first)
        plain[first] = merge(known, below) if isinstance(known, dict) and isinstance(below, dict) else below
    return plain
