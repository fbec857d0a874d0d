"""The sandbox: Jinja2 whose templates render to pieces, and may not do more than they should."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

from jinja2 import BaseLoader, StrictUndefined, TemplateRuntimeError, Undefined
from jinja2.environment import Template
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from flagcast.core.templates.jinja_code import PiecesGenerator
from flagcast.core.templates.jinja_filters import filters, tests
from flagcast.core.templates.limits import (
    ITEM,
    check_number,
    check_operation,
    counted,
    read,
    spend,
    step,
    work,
)
from flagcast.core.templates.places import Captured, Constant, Verbatim

_GROWING_METHODS = frozenset({
    "center", "encode", "expandtabs", "format", "format_map", "join", "ljust", "maketrans", "replace", "rjust",
    "striptags", "translate", "zfill",
})  # fmt: skip
"""Methods of str whose result can be larger than what they are given; where there is a filter, it is bounded."""


class _Namespace(Namespace):
    def __repr__(self) -> str:
        """Say what it is: what it holds can be more than can be written."""
        return "<Namespace>"


class PiecesEnvironment(ImmutableSandboxedEnvironment):
    """Renders to Captured; an undefined name is an error, and so is more work than a message is worth."""

    code_generator_class = PiecesGenerator
    intercepted_binops = frozenset({"*", "**", "+", "%"})
    constant = Constant
    step = staticmethod(step)
    counted = staticmethod(counted)

    def __init__(self, loader: BaseLoader) -> None:
        """Take where included templates come from."""
        # No autoescape: that is for HTML, and these are JSON and text. Not optimized: that works while it compiles,
        # where nothing is bounded.
        super().__init__(
            loader=loader, undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False, optimized=False
        )
        # Once: a loop yields its text at each turn.
        self.verbatim = cache(Verbatim)
        self.written: set[str] = set()
        """The strings that templates write themselves; what else is looked up by comes out of an event."""
        self.filters = filters()
        self.tests = tests()
        self.globals |= {"range": _range, "namespace": _Namespace}
        del self.globals["lipsum"]

    @staticmethod
    def printed(value: object) -> object:
        """Look at a value that is printed: one that is not there is an error, at its own line."""
        if isinstance(value, Undefined):
            return Constant(str(value))  # StrictUndefined raises; an `if` without an `else` prints nothing.
        if isinstance(value, Iterator) and not isinstance(value, LoopContext):
            value = list(value)
        read(value, defined=True)
        return value

    @staticmethod
    def weighed[T](value: T) -> T:
        """Account for looking at a value."""
        read(value)
        return value

    @staticmethod
    def concatenated(parts: Iterable[object]) -> str:
        """Join what ~ stands between."""
        read(parts, defined=True)
        texts = [str(part) for part in parts]
        spend(sum(map(len, texts)))
        return "".join(texts)

    @classmethod
    def concat(cls, pieces: Iterable[object]) -> Captured:
        """Join what a template, a macro or a block yields."""
        flat: list[object] = []
        for piece in pieces:
            if isinstance(piece, str):
                spend(len(piece))
            if isinstance(piece, Captured):
                work(len(piece.pieces) * ITEM)
                flat += piece.pieces
            else:
                # A call block and a filter block yield what they are given, not what was printed.
                flat.append(piece if isinstance(piece, str) else cls.printed(piece))
        return Captured(tuple(flat))

    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        """Hide what a template has no use for, and what makes more of a string than it was."""
        if isinstance(obj, int | float | bytes) or (isinstance(obj, str) and attr in _GROWING_METHODS | {"pieces"}):
            return False
        return super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: object) -> Callable[..., str] | None:
        """Leave str.format to is_safe_attribute, which hides it: the filter `format` does the same, bounded."""
        return None

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Look up obj.attribute."""
        found = super().getattr(obj, attribute)
        if isinstance(found, str):
            work(len(found))
        return found

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Look up obj[argument]."""
        read(argument)
        return self.discreet(super().getitem(obj, argument), argument)

    def discreet(self, found: object, name: object) -> object:
        """Take the name from what was not found, unless the template wrote it or it is a number: it may be a value."""
        is_ours = isinstance(name, int) or (isinstance(name, str) and name in self.written)
        if isinstance(found, Undefined) and not is_ours:
            return self.undefined("a value has no attribute of the name that another gives")
        return found

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call what a template calls."""
        step()
        if not isinstance(obj, Macro):
            read((getattr(obj, "__self__", None), args, kwargs))
        return counted(super().call(context, obj, *args, **kwargs))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Apply an operator that can make much of little."""
        read((left, right))
        check_operation(operator, left, right)
        return counted(super().call_binop(context, operator, left, right))

    def _filter_test_common(self, name: Any, *arguments: Any) -> Any:
        if name not in self.written:
            raise TemplateRuntimeError("the name of a filter or test is a value's")
        return super()._filter_test_common(name, *arguments)

    def _load_template(self, name: str, globals: Any) -> Template:  # noqa: A002 - Jinja2's name
        step()
        return super()._load_template(name, globals)


def _range(*arguments: int) -> range:
    made = range(*arguments)
    check_number(len(made))
    return made
