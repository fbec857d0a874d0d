"""The credentials in the text of a Go template, put out of it: each becomes one of the destination's `vars`.

What is sent stays the same, so a value too many does no harm. Values between braces are the event's, but for constants.
"""

import json
import re
from collections.abc import Callable

from flagcast_cli.credentials.detection import is_credential_url, is_telling_name, random_part
from flagcast_cli.credentials.vendors import as_name
from flagcast_cli.flipt_import.planned_secrets import Part, Slots

_ACTION = re.compile(r"(\{\{.*?\}\})", re.DOTALL)
_COMMENT = re.compile(r"\{\{-?\s*/\*.*\*/\s*-?\}\}", re.DOTALL)
_CONSTANT = re.compile(r'"((?:[^"\\\n]|\\.)*)"|`([^`]*)`')
_MEMBER = re.compile(
    r"""(?P<quote>["']?)(?P<name>[A-Za-z][\w.-]*)(?P=quote)\s*[:=]\s*"""
    r"""(?:"(?P<double>(?:[^"\\\n]|\\.)+)|'(?P<single>[^'\n]+)|(?P<bare>[^\s"'&,;{}\[\]<>]+))"""
)
_NOT_SECRET = frozenset({"true", "false", "null"})
_ADDRESS = re.compile(r"https?:(?:\\?/){2}[^\s\"'<>{}|`]+")
_IS_NAME = re.compile(r'"\s*:')

_Put = Callable[[str, str], str]
"""Keeps a value under a name, or one like it, and returns what stands for it in an action."""


def without_credentials(body: str, path: str, slots: Slots, *, in_json: bool) -> tuple[str, dict[str, str]]:
    """Return the template with each literal that may be a credential taken from `vars`, and those, as slots."""
    variables: dict[str, str] = {}

    def put(name: str, value: str) -> str:
        slot = slots.put(as_name(name).replace("-", "_"), Part(path, value))
        key = slot.strip("\0")
        variables[key] = slot
        return f"$.Vars.{key}"

    pieces = _ACTION.split(body)
    for at, piece in enumerate(pieces):
        if at % 2 == 0:
            pieces[at] = _text(piece, put, in_json=in_json)
        elif _COMMENT.fullmatch(piece):
            pieces[at] = "" if random_part(piece) else piece
        else:
            pieces[at] = _action(piece, put)
    return "".join(pieces), variables


def _text(text: str, put: _Put, *, in_json: bool) -> str:
    """Look through text between the actions, from what is surest on: what is found first is out of it."""
    made, at = "", 0
    while (found := _first(text, at)) is not None:
        start, end, name = found
        value = _read(text[start:end]) if in_json else text[start:end]
        made += f"{text[at:start]}{{{{ {put(name, value)} }}}}"
        at = end
    return made + text[at:]


def _first(text: str, at: int) -> tuple[int, int, str] | None:
    """Return the first credential from a place on: where it begins and ends, and what to call it."""
    found: list[tuple[int, int, str]] = []
    within = at
    while (member := _MEMBER.search(text, within)) is not None:
        kind = member.lastgroup or ""
        if is_telling_name(member["name"]) and member[kind].lower() not in _NOT_SECRET:
            found.append((*member.span(kind), member["name"]))
            break
        # A value can hold members of its own: a line of text, a query.
        within = member.start(kind)
    for address in _ADDRESS.finditer(text, at):
        if is_credential_url(address[0].replace("\\/", "/")):
            found.append((*address.span(), "address"))
            break
    while (run := random_part(text[at:])) is not None:
        start, end = at + run[0], at + run[1]
        if not _IS_NAME.match(text, end):
            found.append((start, end, "value"))
            break
        at = end
    return min(found, default=None)


def _action(action: str, put: _Put) -> str:
    """Replace the constants of an action that look random."""

    def replaced(found: re.Match[str]) -> str:
        value = _read(found[1]) if found[1] is not None else found[2]
        return put("value", value) if random_part(value) or _is_address(value) else found[0]

    return _CONSTANT.sub(replaced, action)


def _is_address(value: str) -> bool:
    return any(is_credential_url(each) for each in _ADDRESS.findall(value))


def _read(written: str) -> str:
    """Read what is between the quotes of a JSON string; as it is where it is none."""
    try:
        return str(json.loads(f'"{written}"'))
    except ValueError:
        return written
