"""Whether the time of a refusal tells where a signature or token is wrong: medians, for a person to look at.

No test asserts it, for a busy machine shifts more than there is to see; that the comparison is the constant-time one
for every secret is tested in tests/integration/ingest/test_hostile_credentials.py.
"""

import gc
import random
import statistics
import time
from collections.abc import Callable, Mapping
from functools import partial

from rich.console import Console
from rich.table import Table

from flagcast.events.flipt_signature import flipt_signature
from flagcast.ingest.credential_check import is_known, is_signed

BODY = b'{"type":"flag","action":"updated"}'
SECRETS = ["first-secret", "second-secret", "third-secret"]
ROUNDS, CALLS = 400, 50


def main() -> None:
    table = Table(title="Refusing and taking: nanoseconds per call", title_justify="left")
    for heading in ("what is presented", "median", "10 % to 90 %", "over the first"):
        table.add_column(heading, justify="left" if heading.startswith("what") else "right")
    for cases in (signatures(), tokens()):
        times = measured(cases)
        first = statistics.median(next(iter(times.values())))
        for name, each in times.items():
            deciles = statistics.quantiles(each, n=10)
            median = statistics.median(each)
            table.add_row(name, f"{median:.0f}", f"{deciles[0]:.0f} to {deciles[-1]:.0f}", f"{median / first - 1:+.1%}")
        table.add_section()
    Console().print(table)


def signatures() -> Mapping[str, Callable[[], bool]]:
    right = flipt_signature(BODY, SECRETS[0])
    presented = {f"a signature wrong at {at + 1} of 64": wrong(right, at) for at in (0, 1, 31, 62, 63)}
    presented |= {f"by secret {at + 1} of 3": flipt_signature(BODY, secret) for at, secret in enumerate(SECRETS)}
    return {name: partial(is_signed, BODY, each, SECRETS) for name, each in presented.items()}


def tokens() -> Mapping[str, Callable[[], bool]]:
    presented = {f"a token wrong at {at + 1} of 12": wrong(SECRETS[0], at) for at in (0, 5, 11)}
    presented |= {f"token {at + 1} of 3": secret for at, secret in enumerate(SECRETS)}
    return {name: partial(is_known, each, SECRETS) for name, each in presented.items()}


def wrong(text: str, at: int) -> str:
    return text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :]


def measured(cases: Mapping[str, Callable[[], bool]]) -> dict[str, list[float]]:
    """Return nanoseconds per call, round by round; the cases take turns in an order that changes."""
    times: dict[str, list[float]] = {name: [] for name in cases}
    gc.disable()
    for _ in range(ROUNDS):
        for name in random.sample(list(cases), len(cases)):
            call = cases[name]
            began = time.perf_counter_ns()
            for _ in range(CALLS):
                call()
            times[name].append((time.perf_counter_ns() - began) / CALLS)
    gc.enable()
    return times


if __name__ == "__main__":
    main()
