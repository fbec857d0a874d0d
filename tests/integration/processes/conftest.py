from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.deployment import Deployment, deployed


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path) as made:
        yield made
