import pytest

from flagcast.config.model import Destination, FaultyDestination, Problem
from flagcast.config.read import Beside, read
from flagcast.primitives.duration import Duration

CHAT = """
description: A chat
needs: {url: The webhook's address, vars.room: The room}
content_type: application/json
vars: {colour: green}
body: '{"text": "hello"}'
accept: response.text == "ok"
"""
BESIDE = Beside(["t.j2"], {"chat": CHAT, "plain": "description: A mirror\n"})


def destination(keys: str, defaults: str = "{}") -> Destination | FaultyDestination:
    text = f"sources: {{}}\ndefaults: {defaults}\ndestinations: {{d: {keys}}}\n"
    return read(text, BESIDE).destinations["d"]


def made(keys: str, defaults: str = "{}") -> Destination:
    found = destination(keys, defaults)
    assert isinstance(found, Destination), found
    return found


def problems(keys: str) -> tuple[Problem, ...]:
    found = destination(keys)
    assert isinstance(found, FaultyDestination)
    return found.problems


def test_a_preset_stands_under_the_destinations_own_keys() -> None:
    chat = made("{preset: chat, url: https://a, vars: {room: r}, content_type: application/chat+json}")
    assert (chat.body, chat.accept) == ('{"text": "hello"}', 'response.text == "ok"')
    assert chat.vars == {"colour": "green", "room": "r"}
    assert chat.content_type == "application/chat+json"


def test_a_preset_stands_over_the_defaults() -> None:
    # Else `defaults: {content_type: text/plain}` would break every preset.
    defaults = "{content_type: text/plain, engine: go, escape: none, template: t.j2, timeout: 5s}"
    chat = made("{preset: chat, url: https://a, vars: {room: r}}", defaults)
    assert (chat.content_type, chat.engine, chat.escape, chat.template) == ("application/json", "jinja2", "json", None)
    assert chat.timeout == Duration(5)


def test_a_body_of_the_destinations_own_replaces_the_presets() -> None:
    chat = made("{preset: chat, url: https://a, vars: {room: r}, template: t.j2}")
    assert (chat.body, chat.template) == (None, "t.j2")


def test_a_preset_may_be_a_default() -> None:
    assert made("{url: https://a, vars: {room: r}}", "{preset: chat}").body == '{"text": "hello"}'


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ("{preset: chat, vars: {room: r}}", [("url", "is required by preset chat: The webhook's address")]),
        (
            "{preset: chat}",
            [
                ("url", "is required by preset chat: The webhook's address"),
                ("vars.room", "is required by preset chat: The room"),
            ],
        ),
        ("{preset: chatt, url: https://a}", [("preset", "there is no preset 'chatt'; did you mean chat?")]),
        ("{preset: zzz, url: https://a}", [("preset", "there is no preset 'zzz'; there are: chat, plain")]),
        (
            "{preset: [chat], url: https://a}",
            [("preset", "expected a string, got a list")],
        ),
    ],
)
def test_what_a_preset_lacks_is_said_with_its_path(keys: str, found: list[tuple[str, str]]) -> None:
    assert list(map(str, problems(keys))) == [f"destinations.d.{where}: {what}" for where, what in found]


def test_a_preset_that_needs_nothing_more_is_the_destination_as_it_is() -> None:
    assert made("{preset: plain, url: https://a}").body is None


# `when:` followed by nothing, its value commented away, took the preset's own filter with it: it paged for everything.
@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("content_type: ~", "content_type"),
        ("accept: null", "accept"),
        ("when: null", "when"),
        ("body: ~", "body"),
        ("vars: {room: r, colour: }", "vars.colour"),
    ],
)
def test_a_key_without_a_value_does_not_take_what_its_preset_says(key: str, path: str) -> None:
    room = "" if key.startswith("vars") else "vars: {room: r}, "
    assert list(map(str, problems(f"{{preset: chat, url: https://a, {room}{key}}}"))) == [
        f"destinations.d.{path}: has no value: give it one, or delete the key"
    ]


@pytest.mark.parametrize("key", ["url: ~", "vars: ~", "vars: {room: }", "preset: ~"])
def test_a_needed_key_without_a_value_is_one_problem(key: str) -> None:
    # It was told twice where the preset needs it: as null, and as missing.
    others = {"url": "url: https://a", "vars": "vars: {room: r}", "preset": "preset: chat"}
    written = ", ".join([key, *(text for name, text in others.items() if name != key.partition(":")[0])])
    found = problems(f"{{{written}}}")
    assert len(found) == 1, found
    assert found[0].message == "has no value: give it one, or delete the key"
