"""The long run: ``python -m tests.loss_check --events 10000 --seed 1``, eleven minutes on two cores.

It writes benchmarks/results/accountant.json, prints the table of docs/guarantees.md, and ends with 1 if a promise was
broken or, in a run of 10,000 events, a kind of fault struck fewer than 20 times.
"""

import argparse
import json
import sys
from pathlib import Path

from tests.loss_check.judge import Judge
from tests.loss_check.plans import long
from tests.loss_check.report import ENOUGH, count_refused, numbers, table
from tests.loss_check.run import Run, laboratory

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "accountant.json"
WHOLE = 10_000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.loss_check", description="Account for every event of a run.")
    parser.add_argument("--events", type=int, default=WHOLE)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the numbers go")
    asked = parser.parse_args()
    with laboratory() as lab:
        result = Run(long(asked.seed, asked.events), *lab).go()
    verdict = Judge(result).judge()
    count_refused(result)
    told = numbers(result, verdict)
    asked.results.parent.mkdir(parents=True, exist_ok=True)
    asked.results.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    print(table(told))
    if verdict.violations:
        print(verdict.told(result, most=50), file=sys.stderr)
    rare = [kind for kind, count in told["faults"].items() if count < ENOUGH]
    if rare and asked.events >= WHOLE:
        print(f"struck fewer than {ENOUGH} times: {', '.join(rare)}", file=sys.stderr)
    return int(bool(verdict.violations) or (bool(rare) and asked.events >= WHOLE))


if __name__ == "__main__":
    sys.exit(main())
