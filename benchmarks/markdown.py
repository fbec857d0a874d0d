"""Markdown as the computed sections need it."""

from collections.abc import Iterable, Sequence


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """Return a Markdown table whose first columns are aligned to the left."""
    lines = [headings, ["---" if at < left else "---:" for at in range(len(headings))], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
