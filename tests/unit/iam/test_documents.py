"""The policies of docs/iam, and the page that says how to fill them in."""

import re

import pytest

from tests.support.template import ROOT
from tests.unit.iam.documents import FOLDER

PAGE = (ROOT / "docs/operations.md").read_text()
DOCUMENTS = {each.name: each.read_text() for each in sorted(FOLDER.iterdir())}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_command_of_the_page_fills_in_every_blank(name: str) -> None:
    filled_in = {blank for _, blank in re.findall(r"-e 's(.)(\$\{\w+\})\1[^']+'", PAGE)}
    assert {*re.findall(r"\$\{\w+\}", DOCUMENTS[name])} == filled_in


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_page_names_the_policy_and_the_policy_names_no_partition(name: str) -> None:
    assert f"(iam/{name})" in PAGE
    assert "arn:aws" not in DOCUMENTS[name]


@pytest.mark.parametrize("sid", ["UseYourKey", "ReadSecretValues", "ReadParameterValues", "WhatRolesMayDo"])
def test_a_statement_that_the_page_speaks_of_is_there(sid: str) -> None:
    assert f"`{sid}`" in PAGE
    assert any(f'"Sid": "{sid}"' in text for text in DOCUMENTS.values())
