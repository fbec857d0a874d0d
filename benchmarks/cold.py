"""What a cold start of ingest takes: from the start of a fresh process to its first answer, secret fetched included.

Beside it start a bare handler and the textbook one, in processes that have the same libraries in the same places.
"""

import tempfile
from functools import partial
from pathlib import Path

import msgspec

from benchmarks.aws_stub import aws_stub
from benchmarks.environments import Layout, run
from benchmarks.ingest import EVENT
from benchmarks.measuring import Row, compared, in_turns, stack_environment, take_one_processor

ROUNDS = 7
LIMITS = {"bare": 1.25, "textbook": 0.75}
"""The second is the first, in textbooks: a bare handler takes up to 0.6 of one (docs/decisions.md)."""
NAMES = {"bare": "bare handler", "textbook": "textbook"}
CONFIGURATION = {
    "sources": {"flipt": {"signing_secrets": ["${secret:flipt-signing-secret}"]}},
    "destinations": {"d0": {"url": "https://example.com"}},
}


def measured() -> list[Row]:
    """Measure the layers as `sam build` leaves them, sources alone, and as `make deploy` does, with bytecode."""
    rows = []
    with aws_stub() as endpoint, tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        events = folder / "events.json"
        events.write_bytes(msgspec.json.encode([EVENT]))
        for compiled in (False, True):
            layout = Layout.make(folder, compiled=compiled)
            environment = stack_environment(folder, endpoint, CONFIGURATION, built=compiled)
            layouts = {"ingest": layout, "bare": Layout.bare(folder), "textbook": layout}
            measures = [partial(_first, layouts[name], name, events, environment) for name in ("ingest", *LIMITS)]
            ours, *others = in_turns(ROUNDS, *measures)
            how = "bytecode" if compiled else "sources"
            for (beside, limit), theirs in zip(LIMITS.items(), others, strict=True):
                rows.append(compared(f"ingest cold, {how}", "ms", ours, theirs, NAMES[beside], limit))
    return rows


def _first(layout: Layout, module: str, events: Path, environment: dict[str, str]) -> float:
    return run(layout, module, events, environment).first


if __name__ == "__main__":
    take_one_processor()
    for row in measured():
        print(row)
