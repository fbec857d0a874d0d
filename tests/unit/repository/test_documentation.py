"""What the pages link to and name is there, and what they say of waiting is what the code does."""

import re
from pathlib import PurePosixPath
from posixpath import normpath

import pytest

from flagcast.delivery.flow_control import LOOKED_UP_EVERY
from flagcast.delivery.retry_schedule import (
    FREE_RECEIVES,
    LONGEST_DELAY,
    LONGEST_STAY,
    MOST_RECEIVES,
    PUT_OFF,
    jittered,
    whole_delay,
)
from flagcast.edges.aws.circuit_breaker import RECOVERY
from flagcast.edges.runtime.configuration_file import read_presets
from flagcast.notices.trouble import LONG_REST, SHORTEST
from flagcast.primitives.duration import DAY, HOUR, MINUTE
from flagcast.tasks.received_message import Wear
from flagcast.templates.markup import FILTERS
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


def configuration() -> str:
    return " ".join((ROOT / "docs/configuration.md").read_text(encoding="utf-8").split())


# A probe came after 30 seconds, 35 or a minute, and a pause ended within 22 minutes or 25, by the page one read.
def test_how_long_a_delivery_waits_is_said_as_the_code_has_it() -> None:
    page = configuration()
    shortest, longest = jittered(PUT_OFF, lambda: 0.0), jittered(PUT_OFF, lambda: 1.0)
    assert f"every {shortest:.0f} to {longest:.0f} seconds for the first {FREE_RECEIVES} receives" in page
    spent = Wear(receives=FREE_RECEIVES + 1, queued=FREE_RECEIVES * PUT_OFF)
    assert f"about every {whole_delay(PUT_OFF, [spent]) / MINUTE:.0f} minutes" in page
    assert f"uses up its {MOST_RECEIVES} receives before its {LONGEST_STAY / DAY:.0f} days" in page
    assert f"**{RECOVERY} seconds or more** after the circuit opened" in page
    assert f"at most {LONGEST_DELAY // HOUR} h {LONGEST_DELAY % HOUR // MINUTE} min at a time" in page
    assert f"learn of this within {LOOKED_UP_EVERY:.0f} seconds" in page
    assert f"asks for a pause of {LONG_REST // MINUTE} minutes or more" in page
    assert f"first delivery {SHORTEST} seconds or more after the trouble began" in page


def test_no_other_page_says_when_a_probe_comes_or_a_pause_ends() -> None:
    # The table of decisions and rows is architecture's; scaling calculates with the same numbers.
    for page in ("README.md", "docs/operations.md", "docs/guarantees.md", "docs/security.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        assert not re.search(r"(2[0-9]|30|35) (s|seconds|minutes)\b.*(probe|pause|circuit)|probed every", text), page


# The presets' own limit was on no page.
def test_the_presets_with_a_rate_are_named() -> None:
    rates = {name: text for name, text in read_presets().items() if "\nrate_limit:" in text}
    assert all("\nrate_limit: 1/s\n" in text for text in rates.values())
    assert "The presets for Slack, Microsoft Teams, Discord, Google Chat and Mattermost set `rate_limit: 1/s`" in (
        configuration()
    )
    assert rates.keys() == {"slack", "microsoft-teams", "discord", "google-chat", "mattermost"}


def test_every_filter_for_markup_is_in_the_page_of_presets() -> None:
    page = (ROOT / "docs/presets.md").read_text(encoding="utf-8")
    assert [name for name in FILTERS if f"`{name}`" not in page and f"`{name}(" not in page] == []


def test_a_term_of_the_glossary_is_explained_once_and_in_order() -> None:
    page = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    terms = [term.strip("`").lower() for term in re.findall(r"^\| \*\*(.+?)\*\* \|", page, re.MULTILINE)]
    assert len(terms) > 30
    assert terms == sorted(set(terms))
