"""A request as people read it."""

import json
from collections.abc import Iterable
from typing import assert_never

from rich.json import JSON

from flagcast.exchange.aws_request import AwsRequest
from flagcast.exchange.request import Request
from flagcast_cli.console import marked, out


def show_made(made: Request | AwsRequest) -> None:
    """Print a request, or a call of an AWS service, whose secrets are masked already."""
    match made:
        case Request():
            show_request(made.method, made.url, made.headers.items(), made.body)
        case AwsRequest():
            show_request(made.target.action, made.target.arn, made.fields, made.body)
        case _:
            assert_never(made)


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
        indented = json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        out.print(text, soft_wrap=True)
        return
    out.print(JSON(text, ensure_ascii=False) if out.is_terminal else indented, soft_wrap=True)
