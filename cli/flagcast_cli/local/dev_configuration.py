"""The configuration that `flagcast dev` runs: the operator's, with the receiver in place of every real address."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import msgspec
import yaml

from flagcast.config.model import Configuration, Destination
from flagcast.config.presets import read_preset
from flagcast.config.yaml_document import load
from flagcast.edges.runtime.configuration_file import read_text
from flagcast.errors import ConfigurationUnreadable
from flagcast_cli.check.located_problem import shown_path
from flagcast_cli.checkout import CONFIGURATION
from flagcast_cli.deploy.build import FILE, copy_configuration
from flagcast_cli.deploy.required_secrets import Needed, needed
from flagcast_cli.local.receiver_script import Answer
from flagcast_cli.local.stack import NAME
from flagcast_cli.stack.secret_prefixes import prefixes_of

DEMO: Final = Path(__file__).parent / "demo" / FILE
RECEIVER: Final = "${ssm:receiver}"
_THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_NETWORKS: Final = ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
"""This machine, and this machine as containers on it see it."""


def usual(configuration: Path = CONFIGURATION) -> tuple[Path, str]:
    """Return the configuration that is run where none was given, and why it is that one.

    A file that cannot be read is the operator's: what is wrong with it is to be seen.
    """
    try:
        tree, _ = load(read_text(configuration))
    except (OSError, ConfigurationUnreadable):
        return configuration, ""
    has_some = isinstance(tree, dict) and tree.get("destinations") not in (None, {})
    return (configuration, "") if has_some else (DEMO, f"{shown_path(configuration)} has no destination yet")


def with_receiver(tree: Any) -> tuple[Any, tuple[str, ...]]:
    """Return a configuration that sends to the receiver, and the names of the destinations whose address it replaces.

    What is sent to the receiver or to this machine already stays. Pure.
    """
    if not isinstance(tree, dict) or not isinstance(tree.get("destinations"), dict):
        return tree, ()
    destinations = tree["destinations"]
    replaced = tuple(str(name) for name, part in destinations.items() if _is_elsewhere(part))
    made = {name: _received(name, part) if str(name) in replaced else part for name, part in destinations.items()}
    return {**tree, "destinations": made}, replaced


def _is_elsewhere(part: Any) -> bool:
    """Return whether a destination has an address, its own or its preset's, that is not of this machine."""
    if not isinstance(part, dict):
        return False
    url = part.get("url")
    if url is None:
        return "preset" in part
    return isinstance(url, str) and not url.startswith(RECEIVER) and _host(url) not in _THIS_MACHINE


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _received(name: object, part: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in part.items() if key != "ca_file"}
    return {
        **kept,
        "url": f"{RECEIVER}/{quote(str(name), safe='')}",
        "allow_http": True,
        "allow_private": list(_NETWORKS),
    }


def install(config: Path, folder: Path, *, real: bool) -> tuple[str, ...]:
    """Put what the functions read into a folder; returns the destinations that have another address there.

    Raises CommandError, and ConfigurationUnreadable where the file is no YAML.
    """
    tree, replaced = (None, ()) if real else with_receiver(load(read_text(config))[0])
    copy_configuration(config, folder)
    if replaced:
        (folder / FILE).write_text(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return replaced


def answers(configuration: Configuration, presets: Mapping[str, str]) -> Iterator[tuple[str, Answer]]:
    """Yield by path what the receiver answers in place of a vendor: the first answer that the preset accepts. Pure."""
    for each in configuration.destinations.values():
        if isinstance(each, Destination) and each.preset is not None and each.url.startswith(RECEIVER):
            for accepted in read_preset(presets[each.preset]).answers.accepted[:1]:
                yield each.url.removeprefix(RECEIVER), Answer(accepted.status, body=accepted.text.encode())


def stand_ins(configuration: Configuration, secret: str, *, real: bool) -> Iterator[tuple[Needed, str]]:
    """Yield what the configuration names and a value for it: one secret for all. Pure.

    With real addresses only sources get one: what opens a destination has to be the real one.
    """
    for each in needed(configuration, prefixes_of(NAME)):
        is_sources = any(user.startswith("sources.") for user in each.users)
        if each.stored.store != "env" and str(each.stored) != RECEIVER and (is_sources or not real):
            value = msgspec.json.encode(dict.fromkeys(each.keys, secret)).decode() if each.keys else secret
            yield each, value
