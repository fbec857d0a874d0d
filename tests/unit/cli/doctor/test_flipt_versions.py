"""What the documentation says of Flipt's versions and of how large a body may be is what the code does."""

import json
import re
from pathlib import Path

import pytest

from flagcast_cli.doctor.flipt_checks import check_version
from flagcast_cli.doctor.flipt_facts import Flipt

ROOT = Path(__file__).parents[4]
LAMBDA = 6 * 1024 * 1024
"""https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html."""
ENVELOPE = 10_000
ATTACHMENT = 1000 * 1024

VERSIONS = [
    "1.26.1", "1.27.0", "1.27.1", "1.27.2", "1.28.0", "1.28.1", "1.28.2", "1.29.0", "1.37.0", "1.38.0",
    "1.38.2", "1.39.0", "1.41.2", "1.43.0", "1.44.0", "1.44.1", "1.45.0", "1.45.1", "1.45.2", "1.46.0",
    "1.46.1", "1.46.2", "1.46.3", "1.47.0", "1.47.1", "1.48.0", "1.48.1", "1.51.1", "1.58.5", "1.60.0",
    "1.61.0", "1.61.1", "2.0.0", "2.9.0",
]  # fmt: skip


def parsed(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def rows() -> list[list[str]]:
    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("| Flipt | `url` mode |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def covers(row: str, version: str) -> bool:
    if row.startswith("before "):
        return parsed(version) < parsed(row.removeprefix("before "))
    if row == "2.x":
        return parsed(version) >= (2,)
    first, to, last = row.partition(" to ")
    if to:
        return parsed(first) <= parsed(version) <= parsed(last)
    return version in row.split(", ")


# The README had no row for 1.45.2 and 1.46.1 to 1.46.3, and configuration.md offered templates from 1.44, which crash
# up to 1.48.0.
@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_has_one_row_and_the_doctor_says_the_same(version: str) -> None:
    [(_, by_url, by_template)] = [row for row in rows() if covers(row[0], version)]
    for said, templates in ((by_url, 0), (by_template, 1)):
        if said == "is not there yet":
            continue
        [found] = check_version(Flipt("f", version=parsed(version), templates=templates, url=None))
        is_well = said.startswith(("works", "the same"))
        assert (found.level == "ok") == is_well, (version, templates, said, found)


def test_no_other_page_says_with_which_versions_a_mode_works() -> None:
    for page in (ROOT / "docs").glob("*.md"):
        if page.name != "decisions.md":
            text = page.read_text(encoding="utf-8")
            assert not re.search(r"crash\w* .*1\.4[5-8]|templates` mode.*1\.\d\d and later", text), page.name


def in_body(text: str) -> str:
    """Write a text as Go's json.Marshal does, with <, > and & escaped."""
    return json.dumps(text, ensure_ascii=False).translate(
        {ord(each): f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"}
    )[1:-1]


def handed_on(body: str) -> int:
    """Return the bytes of a body in the event that API Gateway gives to Lambda."""
    return len(json.dumps(body, ensure_ascii=False).encode()) - 2


@pytest.mark.parametrize(
    ("row", "text", "is_ours"),
    [
        ("| a letter or digit |", "a", False),
        ("| `é`, `ü` (UTF-8, 2 bytes) |", "é", False),
        ("| a quote or backslash of the body itself |", '"', False),
        ("| a quote or backslash of an attachment |", '"', True),
        ("| a quote or backslash of an attachment |", "\\", True),
        ("| `<`, `>` or `&` of an attachment or a description |", "<", True),
    ],
)
def test_how_large_a_body_may_be_is_counted_by_what_it_holds(row: str, text: str, is_ours: bool) -> None:
    body = in_body(text) if is_ours else text
    most = (LAMBDA - ENVELOPE) // handed_on(body)
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    assert f"{row} {len(body.encode())} | {handed_on(body)} | {most:,} |" in page


def test_the_largest_attachment_fits_unless_most_of_it_is_escaped_as_six_bytes() -> None:
    assert handed_on(in_body('"' * ATTACHMENT)) + ENVELOPE < LAMBDA
    for share, fits in ((0.85, True), (0.86, False)):
        most = int(ATTACHMENT * share)
        assert (handed_on(in_body("<" * most + "a" * (ATTACHMENT - most))) + ENVELOPE < LAMBDA) == fits


def test_a_body_that_passed_here_is_over_lambdas_limit_by_its_backslashes() -> None:
    # 5.5 MB with 900,000 backslashes: under 6 MB as it is sent, and over it as it arrives.
    body = "a" * 4_600_000 + "\\" * 900_000
    assert len(body) < LAMBDA < handed_on(body)
