import pytest

from flagcast.templates.jinja.member_access import Asked, members_in


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        ("{{ event.id }}", [("event", "id")]),
        ('{{ event["id"] }}', [("event", "id")]),
        ("{{ event.payload.key }}", [("event", "payload")]),
        ("{{ event[name] }}{{ (event).id }}{{ [1][0] }}", [("event", "id")]),
        ("{% if false %}{{ event.id }}{% endif %}", [("event", "id")]),
        ("{{ event.later | default(1) }}{{ event.later }}", []),
        ("{{ event.later | d }}{{ event.id | upper }}", [("event", "id")]),
        ("{{ event.later is defined and event.id is none }}", [("event", "id")]),
        ("{{ event.later is undefined }}", []),
        ("{% set event = 1 %}{{ event.id }}", []),
        ("{% import 'a.j2' as event %}{{ event.id }}", []),
        ("{% macro m(event) %}{{ event.id }}{% endmacro %}", []),
        ("{{ event.", []),
        ("{{ " + "(" * 5_000 + "}}", []),
    ],
)  # fmt: skip
def test_the_members_that_a_template_asks_for(source: str, asked: list[tuple[str, str]]) -> None:
    assert [(each.name, each.member) for each in members_in(source)] == asked


def test_a_member_is_found_with_its_line() -> None:
    assert members_in("\n\n{{ event.id }}") == [Asked("event", "id", 3)]
