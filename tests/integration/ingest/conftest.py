from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.ingest.harness import Elapsed, Ingest, Output


@pytest.fixture
def elapsed(monkeypatch: pytest.MonkeyPatch) -> Elapsed:
    return Elapsed(monkeypatch)


@pytest.fixture
def ingest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], aws: None
) -> Iterator[Ingest]:
    made = Ingest(tmp_path, monkeypatch, Output(capfd))
    yield made
    leaked = sorted(canary for canary in made.canaries if canary in made.output.text)
    assert not leaked, "a secret was written to standard output or error"


@pytest.fixture
def bad_day() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack
