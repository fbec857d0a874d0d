"""The pages that people read: their headings, links and blocks of code."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec import Struct

from tests.support.template import ROOT

PAGES = sorted(
    str(path.relative_to(ROOT))
    for pattern in ("*.md", "docs/*.md", "tests/README.md", "tests/captures/README.md")
    for path in ROOT.glob(pattern)
)
"""The pages, by their paths from the root of the checkout."""

_COMMENT = re.compile(r"<!-- (.+?) -->\s*", re.DOTALL)
_NAMES_A_FILE = re.compile(
    r"(?:(?:benchmarks|cli|docs|events|functions|layers|scripts|tests|\.ci|\.github)/[\w./-]*|test_\w+\.py)"
)


class Block(Struct, frozen=True):
    """One block of code; `mark` is the comment right before it, which a reader does not see."""

    page: str
    line: int
    language: str
    text: str
    mark: str

    def __str__(self) -> str:
        """Return where it is and how it begins, as the name of a test."""
        return f"{self.page}:{self.line} {self.text.strip().partition('\n')[0][:40]}"


@cache
def _tokens(page: str) -> list[Token]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return MarkdownIt("commonmark").enable("table").parse(text)


def blocks(page: str) -> Iterator[Block]:
    """Yield every block of code of a page."""
    mark = ""
    for token in _tokens(page):
        if token.type == "fence":
            line = (token.map or [0])[0] + 1
            yield Block(page, line, token.info.strip(), token.content, mark)
        found = _COMMENT.fullmatch(token.content) if token.type == "html_block" else None
        mark = found[1] if found else ""


def links(page: str) -> Iterator[tuple[str, str]]:
    """Yield path and anchor of every link and picture that is not an address elsewhere; either may be empty."""
    for token in _tokens(page):
        for child in token.children or ():
            target = child.attrGet("href") or child.attrGet("src")
            if target is not None and not (parts := urlsplit(str(target))).scheme:
                yield unquote(parts.path), parts.fragment


@cache
def anchors(page: str) -> frozenset[str]:
    """Return the anchors of a page's headings, as GitHub makes them.

    https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#section-links
    """
    seen: Counter[str] = Counter()
    found = set()
    tokens = _tokens(page)
    for heading, inline in pairwise(tokens):
        if heading.type == "heading_open":
            text = "".join(each.content for each in inline.children or ())
            name = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            found.add(f"{name}-{seen[name]}" if seen[name] else name)
            seen[name] += 1
    return frozenset(found)


def named_files(page: str) -> Iterator[str]:
    """Yield every path of this repository that a page names between backticks, and bare names of test modules."""
    for token in _tokens(page):
        for child in token.children or ():
            if child.type == "code_inline" and _NAMES_A_FILE.fullmatch(child.content):
                yield child.content
