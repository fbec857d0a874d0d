from pathlib import Path

import pytest

from flagcast.core.checking import sample_notices
from flagcast_cli.check import problems_of


def check(folder: Path, text: str) -> list[str]:
    path = folder / "flagcast.yaml"
    path.write_text(f"sources: {{flipt: {{auth: none}}}}\n{text}", encoding="utf-8")
    return [str(each) for each in problems_of(path)]


@pytest.mark.parametrize(("told", "problems"), [("chat", 1), ("other", 0)])
def test_whoever_is_told_of_trouble_is_tried_on_notices(tmp_path: Path, told: str, problems: int) -> None:
    body = "{{ event.payload.destination.x.y if event.is_notice else 1 }}"
    found = check(
        tmp_path,
        f"destinations: {{chat: {{url: https://a, body: '{body}'}}, other: {{url: https://b}}}}\nnotify: {told}",
    )
    assert len(found) == problems
    assert all("(on sample notice-trouble and 1 more)" in each for each in found)


def test_notify_in_error_is_a_problem(tmp_path: Path) -> None:
    assert check(tmp_path, "destinations: {chat: {url: https://a}}\nnotify: chatt") == [
        "notify: expected the name of a destination, got 'chatt'; did you mean chat?"
    ]


def test_a_filter_that_cannot_be_asked_is_a_problem_with_the_sample_it_was_met_on(tmp_path: Path) -> None:
    found = check(tmp_path, "destinations: {chat: {url: https://a, when: event.payload.name.first.letter}}")
    assert found
    assert all(each.startswith("destinations.chat.when: when: ") for each in found)
    assert all("(on sample " in each for each in found)


def test_what_is_too_faulty_to_be_tried_has_its_own_problems_alone(tmp_path: Path) -> None:
    found = check(tmp_path, "destinations: {chat: {url: 5}, other: {url: https://a, template: none.j2}}")
    assert len(found) == 2, found
    assert found[0].startswith("destinations.chat.url: ")
    assert found[1].startswith("destinations.other.template: ")


def test_there_is_a_sample_of_each_kind_of_notice() -> None:
    assert [(name, event.action, event.is_notice) for name, event in sample_notices()] == [
        ("notice-trouble", "trouble", True),
        ("notice-recovered", "recovered", True),
    ]


def test_a_template_that_does_not_compile_is_a_problem_and_is_not_tried(tmp_path: Path) -> None:
    found = check(tmp_path, "destinations: {chat: {url: https://a, body: '{% if %}'}}")
    assert len(found) == 1, found
    assert found[0].startswith("destinations.chat.body: ")
