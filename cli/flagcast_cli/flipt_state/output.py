"""What was learned and what differs, as people and machines read it."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from flagcast.events.change_context import Change, Value
from flagcast_cli.console import marked, out, plain
from flagcast_cli.flipt_state.comparison import Compared, Difference, Kind
from flagcast_cli.flipt_state.learn import Outcome

KINDS: Final[dict[Kind, str]] = {
    "changed": "changed in Flipt",
    "missing": "never seen here",
    "gone": "gone from Flipt",
    "unknown": "unknown here",
}
OUTCOMES: Final[dict[Outcome, str]] = {
    "new": "new here",
    "changed": "known with another value, or without one, and corrected",
    "gone": "gone from Flipt, and marked as deleted",
    "known": "known already",
    "renewed": "known already, and kept for another 400 days",
    "newer": "not changed: an event that is newer than Flipt's answer has written them",
    "contested": "not written: events kept arriving",
}
WOULD_BE: Final[dict[Outcome, str]] = {
    "changed": "known with another value, or without one",
    "gone": "gone from Flipt",
    "renewed": "known already, and would be kept for another 400 days",
}


def show_learned(counts: Counter[Outcome], *, dry: bool) -> None:
    """Print what became of how many."""
    for outcome, words in OUTCOMES.items():
        if counts[outcome]:
            said = WOULD_BE.get(outcome, words) if dry else words
            out.print(f"{counts[outcome]:>7} {said}", soft_wrap=True)
    if dry:
        out.print("Nothing was changed: this was a dry run.")


def show_differences(differences: Sequence[Difference]) -> None:
    """Print how many there are of each kind, and a row for each field that differs."""
    counts = Counter(each.kind for each in differences)
    said = (marked("[bold]{}[/] {}", counts[kind], words) for kind, words in KINDS.items() if counts[kind])
    out.print(Text(", ").join(said))
    table = Table(header_style="bold")
    for heading in ("difference", "type", "name", "in", "field", "known here", "in Flipt"):
        table.add_column(heading, overflow="fold")
    for each in sorted(differences, key=_place):
        first = (KINDS[each.kind], each.type, each.name, _where(each))
        for number, change in enumerate(each.changes or [None]):
            cells = first if number == 0 else ("", "", "", "")
            table.add_row(*(Text(plain(cell)) for cell in (*cells, *_fields(change))))
    out.print(table)


def show_json(compared: Compared, differences: Sequence[Difference]) -> None:
    """Write what differs, and what was compared, as JSON."""
    told = {
        "differences": [_as_json(each) for each in sorted(differences, key=_place)],
        "compared": compared.things,
        "not_compared": {"newer_than_the_answer": compared.newer, "order_never_seen": compared.without_order},
    }
    out.write(json.dumps(told, indent=2) + "\n")


def _as_json(each: Difference) -> dict[str, Any]:
    return {
        "difference": each.kind,
        "type": each.type,
        "name": each.name,
        "id": (each.state or {}).get("id"),
        "namespace": each.namespace,
        "flag": each.flag_key,
        "segment": each.segment_key,
        "changes": [
            {"field": change.field, "known": _known(change), "flipt": _in_flipt(change)} for change in each.changes
        ],
    }


def _place(each: Difference) -> tuple[str, ...]:
    return (each.namespace or "", each.flag_key or each.segment_key or "", each.type, each.name, each.key)


def _where(each: Difference) -> str:
    if each.type == "namespace":
        return ""
    inside = None if each.type in ("flag", "segment") else each.flag_key or each.segment_key
    return "/".join(part for part in (each.namespace, inside) if part)


def _fields(change: Change | None) -> tuple[str, str, str]:
    return ("", "", "") if change is None else (change.field, _written(_known(change)), _written(_in_flipt(change)))


def _known(change: Change) -> Value:
    return change.before if change.bytes_before is None else f"{change.bytes_before} bytes"


def _in_flipt(change: Change) -> Value:
    return change.after if change.bytes_after is None else f"{change.bytes_after} bytes"


def _written(value: Value) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value)
