"""Write what the presets send, from the presets: `python -m scripts.preset_pages` from the root.

tests/presets/golden/*.json, the messages in docs/presets.md, its table of what each kind of event says in Slack, and
docs/slack.svg. Look at every difference before it is committed.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import structs
from scripts.slack_picture import draw
from tests.presets.rendered import GOLDEN, NAMES, ORIGIN, golden, message, sample
from tests.support.known_events import told

from flagcast.events.event import Event
from flagcast.flipt_state.changes import changes_between

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = DOCS / "presets.md"
PICTURE = DOCS / "slack.svg"
PICTURED = (3, 21)
"""Which of the recorded life are in the picture: a flag that is turned on, a distribution that is changed."""

_TABLE = re.compile(r"(<!-- written by scripts/preset_pages.py -->\n).*?(<!-- end -->\n)", re.DOTALL)
_FENCE = re.compile(r"```json\n.*?```\n", re.DOTALL)


def main() -> None:
    """Write every file."""
    for name in NAMES:
        (GOLDEN / f"{name}.json").write_text(golden(name), encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    PICTURE.write_text(picture(), encoding="utf-8")


def page(text: str) -> str:
    """Return docs/presets.md with what is sent now."""
    text = _TABLE.sub(lambda found: f"{found[1]}{table()}{found[2]}", text)
    head, *sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    return head + "".join(map(_section, sections))


def table() -> str:
    """Return a row for each kind of event: what Slack shows above the facts."""
    rows = [f"| {each.type} {each.action} | {'<br>'.join(_shown(each))} |" for each in events()]
    return "\n".join(["| event | in Slack |", "|---|---|", *dict.fromkeys(rows)]) + "\n"


def picture() -> str:
    """Return the picture."""
    life = list(events())
    return draw([message("slack", life[at]) for at in PICTURED])


def events() -> Iterator[Event]:
    """Yield the recorded life of a namespace, as if Ada had led it, of a token, and what was refused."""
    for each in (*told(ORIGIN), sample("token-created"), sample("token-deleted")):
        by_ada = structs.replace(each, metadata={"actor": {"name": "ada", "ip": "203.0.113.7"}})
        yield by_ada
        if each.is_order and each.type == "rule":
            yield moved(by_ada)
    yield sample("flag-deleted-denied")


def moved(event: Event) -> Event:
    """Return an order as if the order before were known: the recorded ones are each the first of their flag."""
    was = {**event.payload, "rule_ids": event.payload["rule_ids"][::-1]}
    changes = changes_between(event.type, was, event.payload)
    return structs.replace(event, known=structs.replace(event.known, is_known=True, changes=changes, previous=was))


def _shown(event: Event) -> Iterator[str]:
    made = message("slack", event)
    yield f"**{_plain(made['blocks'][0]['text']['text'])}**"
    for block in made["attachments"][0]["blocks"]:
        if block["type"] == "section" and "text" in block:
            yield from map(_plain, block["text"]["text"].split("\n"))


def _plain(text: str) -> str:
    return text.replace("\u200b", "").replace("|", "\\|")


def _section(section: str) -> str:
    name = section.removeprefix("## ").partition("\n")[0]
    if name not in NAMES:
        return section
    shown: dict[str, Any] = next(each for each in json.loads(golden(name)).values() if each)
    parts = iter([shown["headers"], shown["body"]] if name == "cloudevents-binary" else [shown["body"]])
    return _FENCE.sub(lambda _: f"```json\n{json.dumps(next(parts), indent=2, ensure_ascii=False)}\n```\n", section)


if __name__ == "__main__":
    main()
