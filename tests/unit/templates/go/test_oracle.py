"""Flagcast's Go templates against Go itself: tests/oracle/main.go tells how its answers were made."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from flagcast.primitives.render_failure import RenderFailed
from flagcast.templates.go.template import compile_go
from flagcast.templates.json_escaping import plain
from tests.support.captures import captured
from tests.unit.builders import event_of

ORACLE = Path(__file__).parents[3] / "oracle"
TEXT = (ORACLE / "cases.jsonl").read_text(encoding="utf-8")
CASES: list[dict[str, Any]] = [json.loads(line) for line in TEXT.split("\n") if line]
EVENTS: dict[str, Any] = json.loads((ORACLE / "events.json").read_text(encoding="utf-8"))


def raw(name: str) -> bytes:
    if name in EVENTS:
        return json.dumps(EVENTS[name]).encode()
    file, _, number = name.partition(":")
    return captured(file)[int(number) - 1].body


def answer(template: str, event: str) -> dict[str, str]:
    compiled = compile_go(template, "body")
    if isinstance(compiled, RenderFailed):
        return {"error": "parse"}
    pieces = compiled.fill({"event": event_of(raw(event))})
    return {"error": "execution"} if isinstance(pieces, RenderFailed) else {"output": plain(pieces)}


def answered(case: dict[str, Any]) -> dict[str, str]:
    return {key: case[key] for key in ("output", "error") if key in case}


def test_the_table_is_large_and_its_differences_few() -> None:
    assert len(CASES) > 500
    assert len({(case["template"], case["event"]) for case in CASES}) == len(CASES)
    assert sum("differs" in case for case in CASES) <= 13


@pytest.mark.parametrize("case", [case for case in CASES if "differs" not in case], ids=lambda case: case["template"])
def test_a_template_gives_what_go_gives(case: dict[str, Any]) -> None:
    assert answer(case["template"], case["event"]) == answered(case)


@pytest.mark.parametrize("case", [case for case in CASES if "differs" in case], ids=lambda case: case["template"])
def test_a_known_difference_is_still_one(case: dict[str, Any]) -> None:
    assert answer(case["template"], case["event"]) != answered(case)


@pytest.mark.long
@pytest.mark.skipif(shutil.which("go") is None, reason="there is no Go on this machine's PATH to ask again")
def test_go_answers_as_it_did_when_the_table_was_written(tmp_path: Path) -> None:
    offline = {"GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTOOLCHAIN": "local"}
    caches = {"HOME": str(tmp_path)} if "HOME" not in os.environ else {}
    asked = subprocess.run(
        ["go", "run", "."], cwd=ORACLE, input=TEXT, capture_output=True, encoding="utf-8", check=True, timeout=120,
        env={**os.environ, **offline, **caches},
    )  # fmt: skip
    assert asked.stdout == TEXT
