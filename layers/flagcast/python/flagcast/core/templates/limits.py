"""How much one rendering may do: steps, and text that it makes on the way, kept or not.

Jinja2's own sandbox bounds range() alone (https://jinja.palletsprojects.com/en/stable/sandbox/#security-considerations).
"""

import re
from collections.abc import Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from jinja2 import TemplateRuntimeError

MOST_STEPS = 10_000
"""Turns of loops, calls and includes, all together."""

MOST_TEXT = 16 * 1024 * 1024
"""Characters (of a list, items) that are made; the largest event is 1 MB of them."""

LARGEST_NUMBER = 10_000
"""What a width, a count or a range may be."""

MOST_BITS = 4_096

_DIRECTIVE = re.compile(r"%(?:\([^)]*\))?[-+ #0]*(\*|\d*)(?:\.(\*|\d*))?")


class LimitExceeded(TemplateRuntimeError):
    """Raised inside a template that does more than it may; rendering makes a value of it."""


class _Budget:
    def __init__(self) -> None:
        self.steps = MOST_STEPS
        self.text = MOST_TEXT


_budget: ContextVar[_Budget] = ContextVar("budget")


@contextmanager
def budgeted() -> Iterator[None]:
    """Give what is rendered inside a budget of its own."""
    token = _budget.set(_Budget())
    try:
        yield
    finally:
        _budget.reset(token)


def step() -> None:
    """Take one step; raises LimitExceeded."""
    budget = _budget.get()
    budget.steps -= 1
    if budget.steps < 0:
        raise LimitExceeded(f"more than {MOST_STEPS:,} turns of loops, calls and includes")


def spend(characters: int) -> None:
    """Account for text that is about to be made, or was; raises LimitExceeded."""
    budget = _budget.get()
    budget.text -= characters
    if budget.text < 0:
        raise LimitExceeded(f"more than {MOST_TEXT:,} characters are made")


def counted[T](made: T) -> T:
    """Account for a value that was made, where it has a size."""
    if isinstance(made, str | list | tuple):
        spend(len(made))
    return made


def check_number(number: object) -> None:
    """Refuse a width, count or range that is too large; raises LimitExceeded."""
    if isinstance(number, int) and abs(number) > LARGEST_NUMBER:
        raise LimitExceeded(f"a number over {LARGEST_NUMBER:,} where a width or count is expected")


def check_operation(operator: str, left: Any, right: Any) -> None:
    """Account for what an operator is about to make; raises LimitExceeded."""
    match operator, left, right:
        case "*", int(), int() if left.bit_length() + right.bit_length() > MOST_BITS:
            raise LimitExceeded("a number that is too large")
        case "**", int(), int() if left.bit_length() * right > MOST_BITS:
            raise LimitExceeded("a number that is too large")
        case "*", int(), Sized():
            spend(len(right) * max(left, 0))
        case "*", Sized(), int():
            spend(len(left) * max(right, 0))
        case "+", Sized(), Sized():
            spend(len(left) + len(right))
        case "%", str(), _:
            check_format(left)
        case _:
            pass


def check_format(text: str) -> None:
    """Refuse a width in a format that is too large, or that a value would say; raises LimitExceeded."""
    for found in _DIRECTIVE.finditer(text):
        for number in found.groups():
            if number == "*":
                raise LimitExceeded("a width that stands among the values")
            check_number(int(number[:9]) if number else 0)
