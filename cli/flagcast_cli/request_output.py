"""A request as people read it."""

import json
from collections.abc import Iterable

from rich.json import JSON

from flagcast_cli.console import marked, out


def show_request(method: str, url: str, headers: Iterable[tuple[str, str]], body: bytes) -> None:
    """Print a request whose secrets are masked already."""
    out.print(marked("[bold]{}[/] {}", method, url), soft_wrap=True)
    for name, value in headers:
        out.print(marked("[cyan]{}:[/] {}", name, value), soft_wrap=True)
    out.print()
    _show_body(body)


def _show_body(body: bytes) -> None:
    text = body.decode(errors="replace")
    try:
        json.loads(text)
    except ValueError:
        out.print(text, soft_wrap=True)
        return
    if out.is_terminal:
        out.print(JSON(text, ensure_ascii=False), soft_wrap=True)
    else:
        out.print(json.dumps(json.loads(text), ensure_ascii=False, indent=2), soft_wrap=True)
