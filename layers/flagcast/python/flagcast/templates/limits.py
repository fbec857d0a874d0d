"""How much one rendering may do: steps, work, and text that it makes on the way, kept or not.

Jinja2's own sandbox bounds range() alone (https://jinja.palletsprojects.com/en/stable/sandbox/#security-considerations).
"""

import re
from collections.abc import Iterator, Mapping, Sized
from contextlib import contextmanager
from contextvars import ContextVar

from jinja2 import TemplateRuntimeError, Undefined
from msgspec import Struct

from flagcast.templates.data import LISTS, NotData, members, not_data

MOST_STEPS = 10_000
"""Turns of loops, calls and includes, all together."""

MOST_TEXT = 16 * 1024 * 1024
"""Characters that are made (an item of a list counts as eight); the largest event is 1 MB of them."""

MOST_WORK = 100_000_000
"""What filters, tests, comparisons and calls look at: one for a character, and as the two below; about a second."""

ITEM = 30
CALL = 400

LARGEST_NUMBER = 10_000
"""What a width, a count or a range may be."""

MOST_BITS = 16_384
"""Of a whole number; Python writes none that has more than 4,300 digits."""

# Looks ahead, so that a directive cannot hide in what only seems to be the name of another.
_DIRECTIVE = re.compile(r"%(?=(?:\([^)]*\))?[-+ #0]*(\*|\d*)(?:\.(\*|\d*))?)")
_PYTHON = re.compile(r"%(?:\([^)]*\))?[-+ #0]*(?:\*|\d*)(?:\.(?:\*|\d*))?[hlL]?[ra]")
_NESTED_NAME = re.compile(r"%\([^)]*\(")
_POINTER = 8
_SIMPLE = frozenset({int, bool, type(None)})


class LimitExceeded(TemplateRuntimeError):
    """Raised inside a template that does more than it may; rendering makes a value of it."""


class _Budget:
    def __init__(self) -> None:
        self.steps = MOST_STEPS
        self.text = MOST_TEXT
        self.work = MOST_WORK


_budget: ContextVar[_Budget] = ContextVar("budget")


@contextmanager
def budgeted() -> Iterator[None]:
    """Give what is rendered inside a budget of its own."""
    token = _budget.set(_Budget())
    try:
        yield
    finally:
        _budget.reset(token)


def step() -> bool:
    """Take one step, and say True; raises LimitExceeded."""
    budget = _budget.get()
    budget.steps -= 1
    if budget.steps < 0:
        raise LimitExceeded(f"more than {MOST_STEPS:,} turns of loops, calls and includes")
    return True


def spend(characters: int) -> None:
    """Account for text that is about to be made; raises LimitExceeded."""
    budget = _budget.get()
    budget.text -= characters
    if budget.text < 0:
        raise LimitExceeded(f"more than {MOST_TEXT:,} characters are made")


def work(units: int) -> None:
    """Account for work that is about to be done; raises LimitExceeded."""
    budget = _budget.get()
    budget.work -= units
    if budget.work < 0:
        raise LimitExceeded("more work than a message is worth")


def read(value: object, *, written: bool = False) -> None:
    """Account for looking at all that a value holds; raises LimitExceeded.

    What is `written` must be data, and every name in it be there; raises NotData, or what an undefined name raises.
    A list that holds another twice, and that a third twice, is soon more than can be written: it counts as written.
    """
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if type(each) in _SIMPLE:
            continue
        if isinstance(each, str):
            work(len(each))
        elif isinstance(each, LISTS):
            work((len(each) + 2) * ITEM)
            waiting.extend(each)
        elif isinstance(each, dict):
            work((len(each) + 2) * 2 * ITEM)
            waiting.extend(each)
            waiting.extend(each.values())
        elif written and isinstance(each, Struct):
            work(CALL)
            waiting.append(members(each))
            continue
        elif written and isinstance(each, Undefined):
            str(each)  # StrictUndefined raises, and names what is not there; an `if` without an `else` is nothing.
            continue
        if written and (what := not_data(each)) is not None:
            raise NotData(f"what is printed holds {what}")


def counted[T](made: T) -> T:
    """Account for a value that was made; raises LimitExceeded."""
    if isinstance(made, str):
        spend(len(made))
    elif isinstance(made, list | tuple | dict):
        spend(len(made) * _POINTER)
    elif isinstance(made, int) and made.bit_length() > MOST_BITS:
        raise LimitExceeded("a number that is too large")
    return made


def check_number(number: object) -> None:
    """Refuse a width, count or range that is too large; raises LimitExceeded."""
    if isinstance(number, int) and abs(number) > LARGEST_NUMBER:
        raise LimitExceeded(f"a number over {LARGEST_NUMBER:,} where a width or count is expected")


def check_operation(operator: str, left: object, right: object) -> None:
    """Account for what an operator is about to make; raises LimitExceeded."""
    match operator, left, right:
        case "*", int(), int() if left.bit_length() + right.bit_length() > MOST_BITS:
            raise LimitExceeded("a number that is too large")
        case "**", int(), int() if left.bit_length() * right > MOST_BITS:
            raise LimitExceeded("a number that is too large")
        case "*", int(), Sized():
            spend(_size(right) * max(left, 0))
        case "*", Sized(), int():
            spend(_size(left) * max(right, 0))
        case "+", Sized(), Sized():
            spend(_size(left) + _size(right))
        case "%", str(), _:
            check_format(left, right)
        case _:
            pass


def _size(value: Sized) -> int:
    return len(value) * (1 if isinstance(value, str) else _POINTER)


def check_format(text: str, values: object) -> None:
    """Refuse a format that makes too much: by a width, by one among the values, by the values themselves."""
    if _NESTED_NAME.search(text):
        raise LimitExceeded("a parenthesis inside a name in a format")
    if _PYTHON.search(text.replace("%%", "")):
        raise NotData("%r and %a write Python; %s writes text")
    for found in _DIRECTIVE.finditer(text):
        for number in found.groups():
            if number == "*":
                raise LimitExceeded("a width that stands among the values")
            check_number(int(number[:9]) if number else 0)
    spend(text.count("%") * _longest(values))


def _longest(values: object) -> int:
    each = values.values() if isinstance(values, Mapping) else values if isinstance(values, tuple) else (values,)
    return max((len(value) for value in each if isinstance(value, Sized)), default=0)
