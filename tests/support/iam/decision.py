"""IAM's decision on one call, by the identity policies of who makes it; pure.

The elements and operators that our policies use, and no more: anything else is refused (NotImplementedError).
Neither a permissions boundary nor an organization's policy is weighed: they are the operator's.

- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Literal

from msgspec import Struct

Decision = Literal["allowed", "explicitly denied", "implicitly denied"]
Statement = Mapping[str, Any]
Context = Mapping[str, str]
NOTHING: Context = {}

_ELEMENTS = {"Sid", "Effect", "Action", "Resource", "Condition"}


class Call(Struct, frozen=True, order=True):
    """What a caller asks of AWS: IAM's action, and the ARN that it is asked for, `*` where IAM knows no resource."""

    action: str
    resource: str


def decide(statements: Iterable[Statement], call: Call, context: Context = NOTHING) -> Decision:
    """Decide on a call: an explicit deny wins, then an allow; what no statement speaks of is denied."""
    effects = {each["Effect"] for each in statements if _applies(each, call, context)}
    if "Deny" in effects:
        return "explicitly denied"
    return "allowed" if "Allow" in effects else "implicitly denied"


def missing(statements: Iterable[Statement], calls: Iterable[Call], context: Context = NOTHING) -> list[Call]:
    """Return the calls that are not allowed."""
    known = list(statements)
    return [each for each in calls if decide(known, each, context) != "allowed"]


def unused(statements: Iterable[Statement], calls: Iterable[Call]) -> list[Call]:
    """Return the actions and resources that are allowed without any of the calls."""
    known = list(calls)
    return [
        allowed
        for statement in statements
        if statement["Effect"] == "Allow"
        for allowed in grants(statement)
        if not any(_matches_action(allowed.action, each) and matches(allowed.resource, each.resource) for each in known)
    ]


def grants(statement: Statement) -> Iterator[Call]:
    """Go through each action with each resource of a statement, as they are written."""
    for action in listed(statement["Action"]):
        for resource in listed(statement["Resource"]):
            yield Call(action, resource)


def listed(one_or_more: Any) -> list[str]:
    """Return what an element says as a list: it may be written without one."""
    return [one_or_more] if isinstance(one_or_more, str) else list(one_or_more)


def _applies(statement: Statement, call: Call, context: Context) -> bool:
    if unknown := statement.keys() - _ELEMENTS:
        raise NotImplementedError(f"elements {sorted(unknown)}")
    return (
        any(_matches_action(each, call) for each in listed(statement["Action"]))
        and any(matches(each, call.resource) for each in listed(statement["Resource"]))
        and all(
            _holds(operator, key, listed(values), context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _matches_action(pattern: str, call: Call) -> bool:
    """Actions are compared without regard to case.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
    """
    return like(pattern.lower(), call.action.lower())


def matches(pattern: str, resource: str) -> bool:
    """Return whether a resource is like a pattern."""
    return _resource(pattern).fullmatch(resource) is not None


@cache
def _resource(pattern: str) -> re.Pattern[str]:
    """Return what a resource must look like: `*` goes beyond a colon only as the last character of its segment."""
    parts = re.split(r"([*?])", pattern)
    made = ""
    for part, after in zip(parts, [*parts[1:], ""], strict=True):
        if part == "*":
            made += ".*" if after in {"", "*", "?"} or after.startswith(":") else "[^:]*"
        else:
            made += "[^:]" if part == "?" else re.escape(part)
    return re.compile(made, re.DOTALL)


def like(pattern: str, value: str) -> bool:
    """Return whether a value is like a pattern: `*` is any characters, `?` is one."""
    return _text(pattern).fullmatch(value) is not None


@cache
def _text(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _like_an_arn(pattern: str, value: str) -> bool:
    """Compare the six segments of an ARN one by one."""
    patterns, values = pattern.split(":", 5), value.split(":", 5)
    return len(patterns) == len(values) and all(map(like, patterns, values))


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, found: wanted == found,
    "StringLike": like,
    "ArnLike": _like_an_arn,
}


def _holds(operator: str, key: str, values: list[str], context: Context) -> bool:
    """Compare with each value; a key that the request has not matches none. Keys have no case."""
    if operator not in _OPERATORS:
        raise NotImplementedError(f"operator {operator}")
    found = {name.lower(): value for name, value in context.items()}.get(key.lower())
    return found is not None and any(_OPERATORS[operator](each, found) for each in values)
