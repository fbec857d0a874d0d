"""The descriptions of AWS's services that clients are made of."""

import json
import re
from pathlib import Path

import pytest
from botocore.loaders import Loader

from flagcast.edges.aws.models import SERVICES, Models

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("kind", ["service-2", "endpoint-rule-set-1"])
@pytest.mark.parametrize("service", SERVICES)
def test_a_description_is_the_one_that_botocore_reads_in_the_same_order(service: str, kind: str) -> None:
    ours, theirs = Models().load_service_model(service, kind), Loader().load_service_model(service, kind)
    # Written out, so that the order of members counts: requests and answers are written and read in it.
    assert json.dumps(ours) == json.dumps(theirs)


def test_every_service_that_a_client_is_made_of_is_one_that_is_found() -> None:
    sources = [*(ROOT / "layers/flagcast/python").rglob("*.py"), *(ROOT / "cli").rglob("*.py")]
    made = re.compile(r"""(?:(?<![.\w])client|_clients)\("(\w+)"\)""")
    asked = {name for file in sources for name in made.findall(file.read_text(encoding="utf-8"))}
    assert asked
    assert asked <= set(SERVICES)
