"""The policies of docs/iam as an operator makes them: with values for what docs/operations.md says to put in."""

import json
import re
from typing import Any

from tests.support.iam.decision import Statement
from tests.support.template import ROOT
from tests.unit.iam.stacks import Stack

FOLDER = ROOT / "docs/iam"
MANAGED, IN_A_ROLE = 6_144, 10_240
"""Characters of a managed policy, and of a role's own, of which white space is not counted:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""


def text(name: str, of: Stack) -> str:
    """Return a document with values; without a key of one's own its last statement goes, as the page says."""
    values = {
        "Partition": of.place.partition,
        "Region": of.place.region,
        "Account": "123456789012",
        "Stack": of.place.stack,
        "Key": of.parameters["KmsKeyArn"],
    }
    return re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], (FOLDER / name).read_text())


def statements(name: str, of: Stack) -> list[Statement]:
    document: dict[str, Any] = json.loads(text(name, of))
    assert document["Version"] == "2012-10-17"
    *others, last = document["Statement"]
    assert last["Sid"] == "UseYourKey"
    return [*others, last] if of.parameters["KmsKeyArn"] else others


def size(name: str, of: Stack) -> int:
    return len(re.sub(r"\s", "", text(name, of)))
