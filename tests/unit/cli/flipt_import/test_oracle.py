"""import-flipt against the libraries that Flipt reads its file with: tests/oracle/loader/main.go made the answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from flagcast.primitives.duration import Duration
from flagcast_cli.console import CommandError
from flagcast_cli.flipt_import.flipt_file import FliptWebhook, read_flipt
from flagcast_cli.flipt_import.settings import NotSetHere, Setting
from flagcast_cli.flipt_import.sink_settings import read_shared

ORACLE = Path(__file__).parents[3] / "oracle" / "loader"
CASES = [json.loads(line) for line in (ORACLE / "cases.jsonl").read_text(encoding="utf-8").splitlines()]
ANSWERS = [json.loads(line) for line in (ORACLE / "answers.jsonl").read_text(encoding="utf-8").splitlines()]

NOTHING_SENT = (
    "sends no webhooks",
    "is no configuration of Flipt",
    "Flipt 2, which has no audit webhooks",
    "is not a header name",
)
"""What is said where Flipt starts and there is nothing to import, or nothing that it could send."""


def _text(setting: Setting | None) -> str:
    return "" if setting is None else setting.text or ""


def _nanoseconds(setting: Setting | None) -> int:
    text = _text(setting)
    size = round(Duration.parse(text.lstrip("+-") or "0") * 1e9)
    return -size if text.startswith("-") else size


def _read(flipt: FliptWebhook) -> dict[str, Any]:
    return {
        "enabled": flipt.enabled,
        "url": _text(flipt.url),
        "signing_secret": _text(flipt.signing_secret),
        "max_backoff_duration": _nanoseconds(flipt.max_backoff_duration),
        "templates": [
            {
                "url": _text(each.url),
                "body": each.body,
                "headers": {name.lower(): _text(value) for name, value in each.headers.items()},
            }
            for each in flipt.templates
        ],
        "events": ["*:*"] if flipt.events is None else list(flipt.events),
    }


def _expected(answer: dict[str, Any]) -> dict[str, Any]:
    webhook = answer["webhook"]
    # An entry without address or body sends nothing, and is left out.
    templates = [
        {**each, "headers": each["headers"] or {}}
        for each in webhook["templates"] or []
        if each["url"] and each["body"]
    ]
    return {**webhook, "templates": templates, "events": answer["events"] or []}


@pytest.mark.parametrize("number", range(len(CASES)))
def test_a_file_says_to_us_what_it_says_to_flipt(tmp_path: Path, number: int) -> None:
    case, answer = CASES[number], ANSWERS[number]
    path = tmp_path / "flipt.yml"
    path.write_text(case["yaml"], encoding="utf-8")
    try:
        flipt = read_flipt(path, case["environ"])
        read_shared(flipt, [])
    except NotSetHere:
        assert "UNSET" in case["yaml"]  # To Flipt it is empty; here it is only not known.
        return
    except CommandError as error:
        said = str(error)
        is_nothing = any(each in said for each in NOTHING_SENT)
        assert answer.get("refused") or (is_nothing), f"{case}: {said}"
        return
    if "UNSET" in case["yaml"]:
        return
    assert "refused" not in answer, case
    assert _read(flipt) == _expected(answer), case
