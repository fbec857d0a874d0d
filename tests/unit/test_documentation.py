"""What the pages link to and name is there."""

from pathlib import PurePosixPath
from posixpath import normpath

import pytest

from tests.support.documentation import PAGES, anchors, links, named_files
from tests.support.template import ROOT


def missing(page: str) -> list[str]:
    """Return the links of a page that lead nowhere."""
    found = []
    for path, anchor in links(page):
        target = normpath(PurePosixPath(page).parent / path) if path else page
        if not (ROOT / target).exists() or (anchor and target.endswith(".md") and anchor not in anchors(target)):
            found.append(f"{path}#{anchor}" if anchor else path)
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file_and_to_a_heading_of_it(page: str) -> None:
    assert missing(page) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_is_there(page: str) -> None:
    # A bare name is that of a test module, wherever it is.
    modules = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    gone = [name for name in named_files(page) if not (name in modules if "/" not in name else (ROOT / name).exists())]
    assert gone == []


def test_every_page_of_docs_is_linked_from_the_readme() -> None:
    linked = {path for path, _ in links("README.md")}
    assert [page for page in PAGES if page.startswith("docs/") and page not in linked] == []


def test_anchors_are_githubs() -> None:
    assert {"what-guided-mode-asks", "kms-key", "in-the-middle-of-traffic"} <= anchors("docs/operations.md")
    assert "sam-local-the-functions-in-lambdas-containers" in anchors("docs/sam-local.md")
