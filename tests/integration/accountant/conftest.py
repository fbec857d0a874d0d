from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.accountant.run import laboratory
from tests.accountant.workers import Workers


@pytest.fixture(scope="session")
def lab() -> Iterator[tuple[Path, Workers]]:
    with laboratory() as ready:
        yield ready
