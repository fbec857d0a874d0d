"""The documents and the golden files show what each preset is, and what it sends."""

import json
import re

import pytest
from scripts import preset_pages

from flagcast.events.event_filter import NOUNS
from tests.presets.limits import LIMITS
from tests.presets.rendered import (
    GOLDEN,
    NAMES,
    ROOT,
    every_event,
    golden,
    tree,
)

DOCS = (ROOT / "docs/presets.md").read_text(encoding="utf-8")
EACH = pytest.mark.parametrize("name", NAMES)


def test_there_are_the_presets_that_the_documents_promise() -> None:
    assert sorted(LIMITS) == NAMES
    assert [name for name in NAMES if f"\n## {name}\n" not in DOCS] == []
    assert sorted(re.findall(r"^## ([a-z-]+)$", DOCS, re.MULTILINE)) == NAMES


@EACH
def test_a_preset_says_what_it_is_and_what_it_needs(name: str) -> None:
    said = tree(name)
    assert said["description"] in DOCS
    assert "url" in said or "url" in said["needs"]
    for path, sentence in said.get("needs", {}).items():
        first, _, last = path.partition(".")
        assert last not in said.get(first, {}) if last else first not in said
        assert f"| `{path}` | {sentence} |" in DOCS


@EACH
def test_a_golden_file_and_the_documents_show_what_is_sent(name: str) -> None:
    kept = (GOLDEN / f"{name}.json").read_text(encoding="utf-8")
    assert golden(name) == kept
    shown = next(each for each in json.loads(kept).values() if each)
    assert json.dumps(shown["body"], indent=2, ensure_ascii=False) in DOCS


def test_the_documents_show_each_kind_of_event_as_it_is_now() -> None:
    assert preset_pages.page(DOCS) == DOCS
    assert preset_pages.PICTURE.read_text(encoding="utf-8") == preset_pages.picture()
    # Bug: the events of tokens were missing.
    sent = {(each.type, each.action, each.is_order) for each in every_event() if each.type in NOUNS}
    assert {(each.type, each.action, each.is_order) for each in preset_pages.events()} == sent


@EACH
def test_the_documents_name_every_limit_and_where_it_is_said(name: str) -> None:
    for limit in LIMITS[name]:
        where = limit.path or ("the message" if name != "cloudevents-binary" else "headers")
        assert f"| {name} | `{where}` | {limit.most:,} {limit.unit} | {limit.source} |" in DOCS
