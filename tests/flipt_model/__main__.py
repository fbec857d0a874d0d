"""The long run of the model: ``python -m tests.flipt_model --events 24000 --seed 1``, some minutes on one core.

It writes benchmarks/results/known.json, prints it as a table, and ends with 1 if a promise was broken.
"""

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.flipt_model.simulations import WORLDS, Counted, counted

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "known.json"
EVENTS = 24_000
SHOWN = {
    "sequences": "sequences", "events": "events", "events_again": "sent again", "late_twins": "late twins",
    "answered_503": "503", "given_up": "given up by Flipt", "table_faults": "table faults", "duplicates": "duplicates",
    "swallowed": "swallowed", "out_of_order": "out of order", "apart": "not in its flag's group",
    "wrong_ends": "wrong ends", "changes_told": "changes told",
    "false_changes": "false changes",
}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.flipt_model", description="Count what the model of Flipt loses."
    )
    parser.add_argument("--events", type=int, default=EVENTS, help="in each world, at least")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the numbers go")
    asked = parser.parse_args()
    told = {name: counted(name, asked.events, asked.seed) for name in WORLDS}
    numbers = {"seed": asked.seed, "worlds": {name: each.as_numbers() for name, each in told.items()}}
    asked.results.write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")
    Console().print(_table(told))
    broken = [f"{name}: {broken}" for name, each in told.items() for broken in each.broken()]
    print("\n".join(broken), file=sys.stderr, end="\n" if broken else "")
    return int(bool(broken))


def _table(told: dict[str, Counted]) -> Table:
    table = Table("", *told)
    for field, shown in SHOWN.items():
        table.add_row(shown, *(f"{each.as_numbers()[field]:,}" for each in told.values()))
    return table


if __name__ == "__main__":
    sys.exit(main())
