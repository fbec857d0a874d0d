from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.loss_check.run import laboratory
from tests.loss_check.workers import Workers


@pytest.fixture(scope="session")
def lab() -> Iterator[tuple[Path, Workers]]:
    with laboratory() as ready:
        yield ready
