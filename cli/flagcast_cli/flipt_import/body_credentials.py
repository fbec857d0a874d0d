"""The credentials in the text of a Go template, put out of it: each becomes one of the destination's `vars`.

What is sent stays the same, so a value too many does no harm. Values between braces are the event's, but for constants.
"""

import json
import re
from collections.abc import Callable, Iterator

from flagcast_cli.credentials.detection import is_credential_url, is_telling_name, random_part
from flagcast_cli.credentials.vendors import as_name
from flagcast_cli.flipt_import.planned_secrets import Part, Slots

_ACTION = re.compile(r"(\{\{.*?\}\})", re.DOTALL)
_COMMENT = re.compile(r"\{\{-?\s*/\*.*\*/\s*-?\}\}", re.DOTALL)
_CONSTANT = re.compile(r'"((?:[^"\\\n]|\\.)*)"|`([^`]*)`')
_NAME = r"""(?P<quote>\\?["']|)(?P<name>[A-Za-z][\w.-]*(?: [\w.-]+){0,2})(?P=quote)\s*[:=]\s*"""
_VARIABLE = re.compile(r"\$(\w+)\s*:?=\s*\Z")
_MEMBER = re.compile(
    _NAME + r"""(?:\\"(?P<escaped>(?:[^"\\\n]|\\[^"])+)|"(?P<double>(?:[^"\\\n]|\\.)+)|'(?P<single>[^'\n]+)"""
    r"""|(?P<several>[\[{])|(?P<bare>(?:(?:basic|bearer)\s+)?[^\s"'&,;{}\[\]<>\\]+))""",
    re.IGNORECASE,
)
_OPEN_MEMBER = re.compile(_NAME + r'"(?:[^"\\\n]|\\.)*\Z')
_REST = re.compile(r'(?:[^"\\\n]|\\.)+')
_STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"(\s*:)?')
_BRACKET = re.compile(r'"(?:[^"\\\n]|\\.)*"|[\[{]|[\]}]')
_OTHERS = (
    re.compile(r'"(?P<name>[A-Za-z][\w. -]*)"\s*,\s*"value"\s*:\s*"(?P<value>(?:[^"\\\n]|\\.)+)', re.IGNORECASE),
    re.compile(r"<(?P<name>[A-Za-z][\w.:-]*)(?:\s[^<>]*)?>\s*(?P<value>[^<>\s](?:[^<>]*[^<>\s])?)"),
    re.compile(r"\b(?P<name>basic|bearer)\s+(?P<value>[^\s\"'<>{}\[\],;:\\]+)", re.IGNORECASE),
)
"""A name and a value beside each other, an element of XML, and a scheme of authentication."""
_USER = re.compile(r"//(?P<value>[^\s/?#\"'<>{}@]+)@")
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
    opened: str | None = None
    for at, piece in enumerate(pieces):
        if at % 2 == 0:
            rest = _REST.match(piece) if opened else None
            begun = f"{{{{ {put(opened, rest[0])} }}}}" if opened and rest else ""
            pieces[at] = begun + _text(piece[rest.end() if rest else 0 :], put, in_json=in_json)
            opened = _still_open(piece, opened)
        elif _COMMENT.fullmatch(piece):
            pieces[at] = "" if _first(piece, 0) else piece
        else:
            pieces[at] = _action(piece, put)
    return "".join(pieces), variables


def _still_open(text: str, opened: str | None) -> str | None:
    """Return the name of the member in whose value an action stands behind a text, if it says that it is secret."""
    found = _OPEN_MEMBER.search(text)
    if found is not None:
        return found["name"] if is_telling_name(found["name"]) else None
    return opened if _REST.fullmatch(text) or not text else None


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
    found = [each for each in _named(text) if each[0] >= at]
    for user in _USER.finditer(text, at):
        found.append((*user.span("value"), "user"))
        break
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


def _named(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield each value whose name says that it is a credential."""
    within = 0
    while (member := _MEMBER.search(text, within)) is not None:
        kind = member.lastgroup or ""
        # A value can hold members of its own: a line of text, a query.
        within = member.start(kind)
        if is_telling_name(member["name"]):
            if kind == "several":
                inside = _STRING.finditer(text, within, _end(text, within))
                yield from ((*each.span(1), member["name"]) for each in inside if each[1] and not each[2])
            elif member[kind].lower() not in _NOT_SECRET:
                yield (*member.span(kind), member["name"])
    for pattern in _OTHERS:
        for each in pattern.finditer(text):
            if pattern is _OTHERS[-1] or is_telling_name(each["name"]):
                yield (*each.span("value"), each["name"])


def _end(text: str, at: int) -> int:
    """Return where the object or array ends that begins at a place."""
    depth = 0
    for each in _BRACKET.finditer(text, at):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(each[0], 0)
        if depth == 0:
            return each.end()
    return len(text)


def _action(action: str, put: _Put) -> str:
    """Replace the constants of an action that are, or hold, what may be a credential."""

    def replaced(found: re.Match[str]) -> str:
        value = _read(found[1]) if found[1] is not None else found[2]
        variable = _VARIABLE.search(action, 0, found.start())
        named = variable is not None and is_telling_name(variable[1])
        return put("value", value) if named or _first(value, 0) else found[0]

    return _CONSTANT.sub(replaced, action)


def _read(written: str) -> str:
    """Read what is between the quotes of a JSON string; as it is where it is none."""
    try:
        return str(json.loads(f'"{written}"'))
    except ValueError:
        return written
