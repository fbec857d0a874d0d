"""What Flipt's recorded REST states say of each thing, field by field: nothing of the product is asked."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from flagcast.events.event import Event
from flagcast.flipt_state.thing_keys import Thing
from tests.support.flipt_server import RestState

Fields = Mapping[str, Any]
"""What is compared of a thing, by the field of its events; empty values are left out."""


def things_in(state: RestState) -> dict[Thing, Fields]:
    """Return everything that Flipt has."""
    return {thing: {name: value for name, value in fields.items() if value not in ("", None, [])}
            for thing, fields in _things(state)}  # fmt: skip


def _things(state: RestState) -> Iterator[tuple[Thing, dict[str, Any]]]:
    for each in state["namespaces"]:
        namespace = each["key"]
        yield Thing("namespace", (namespace,)), _picked(each, "name", "description", "protected")
        within = state["by_namespace"][namespace]
        for segment in within["segments"]:
            fields = {**_picked(segment, "name", "description"), "match_type": segment["matchType"]}
            yield Thing("segment", (namespace, segment["key"])), fields
            for one in segment["constraints"]:
                yield Thing("constraint", (one["id"],)), _picked(one, "type", "property", "operator", "value")
        for flag in within["flags"]:
            default = (flag.get("defaultVariant") or {}).get("key")
            fields = {**_picked(flag, "name", "description", "enabled"), "default_variant": default}
            yield Thing("flag", (namespace, flag["key"])), fields
            for one in flag["variants"]:
                yield Thing("variant", (one["id"],)), _picked(one, "key", "name", "description", "attachment")
            yield from _of_flag(within, namespace, flag["key"])


def _of_flag(within: dict[str, Any], namespace: str, flag: str) -> Iterator[tuple[Thing, dict[str, Any]]]:
    rules, rollouts = within["rules"].get(flag, []), within["rollouts"].get(flag, [])
    for rule in rules:
        yield Thing("rule", (rule["id"],)), _segments(rule, "segment_key", "segment_operator")
        for one in rule["distributions"]:
            fields = {"rollout": one["rollout"], "variant_id": one["variantId"]}
            yield Thing("distribution", (one["id"],)), fields
    for rollout in rollouts:
        fields = _picked(rollout, "description")
        if threshold := rollout.get("threshold"):
            fields |= {f"threshold.{name}": threshold[name] for name in ("percentage", "value")}
        if segment := rollout.get("segment"):
            fields |= {**_segments(segment, "segment.key", "segment.operator"), "segment.value": segment["value"]}
        yield Thing("rollout", (rollout["id"],)), fields
    for kind, listed in (("rule", rules), ("rollout", rollouts)):
        if listed:
            yield Thing(f"{kind}-order", (namespace, flag)), {f"{kind}_ids": [each["id"] for each in listed]}


def _picked(of: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: of[name] for name in names}


def _segments(of: dict[str, Any], key: str, operator: str) -> dict[str, Any]:
    if of["segmentKey"]:
        return {key: of["segmentKey"]}
    return {key: ",".join(of["segmentKeys"]), operator: of["segmentOperator"]}


def differing(before: Fields, after: Fields) -> dict[str, tuple[Any, Any]]:
    """Return the fields that differ, each with what it was and is."""
    names = before.keys() | after.keys()
    both = {name: (plain(name, before.get(name)), plain(name, after.get(name))) for name in names}
    return {name: values for name, values in both.items() if values[0] != values[1]}


def plain(field: str, value: Any) -> Any:
    """Write a value so that equal ones are equal: keys in one order, JSON as what it says, lists as JSON."""
    if field in ("segment_key", "segment.key") and value:
        return sorted(value.split(","))
    if field == "attachment" and value:
        return json.loads(value)
    if field.endswith("_ids") and isinstance(value, str):
        return json.loads(value)
    return value


def in_one_order(payload: dict[str, Any], path: str = "") -> dict[str, Any]:
    """Write several segments in one order: Flipt does not keep theirs."""
    return {
        name: in_one_order(value, f"{name}.")
        if isinstance(value, dict)
        else (plain(f"{path}{name}", value) if f"{path}{name}" in ("segment_key", "segment.key") else value)
        for name, value in payload.items()
    }


def owners_of(event: Event, rule_flags: Mapping[str, tuple[str, str]]) -> list[Thing]:
    """Return what an event's thing belongs to; `rule_flags` are the namespace and flag of each rule."""
    payload = event.payload
    if event.type == "namespace":
        return []
    if event.type == "distribution":
        namespace, flag = rule_flags[payload["rule_id"]]
        return [Thing("flag", (namespace, flag)), Thing("rule", (payload["rule_id"],)),
                Thing("variant", (payload["variant_id"],))]  # fmt: skip
    namespace = payload["namespace_key"]
    owners = [Thing("namespace", (namespace,))]
    if event.type not in ("flag", "segment"):
        kind = "segment" if event.type == "constraint" else "flag"
        owners.append(Thing(kind, (namespace, payload[f"{kind}_key"])))
    return owners
