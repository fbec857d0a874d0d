"""One execution environment: imports a handler, answers an event, says so, then answers it some more times.

It runs in a fresh interpreter, which has nothing but what the function has on AWS: no package of the project's.
"""

import importlib
import io
import json
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import Any

APART = 0.04
"""Seconds between events, so that each finds the processor share of a function that had nothing to do."""


def main(module: str, file: str, warm: int) -> None:
    events = json.loads(Path(file).read_bytes())
    handler = importlib.import_module(module).handler
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 45_000)
    _answered(handler, events[0], context)
    print("answered", flush=True)
    for event in events:
        durations = []
        for _ in range(warm):
            time.sleep(APART)
            began = time.perf_counter()
            _answered(handler, event, context)
            durations.append((time.perf_counter() - began) * 1e3)
        print(json.dumps(durations), flush=True)


def _answered(handler: Any, event: Any, context: Any) -> None:
    with redirect_stdout(io.StringIO()) as lines:
        answer = handler(event, context)
    assert answer.get("statusCode", 200) == 200, (answer, lines.getvalue())
    assert not answer.get("batchItemFailures"), (answer, lines.getvalue())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
