"""The sandbox: Jinja2 whose templates render to pieces, and may not do more than they should."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from jinja2 import BaseLoader, StrictUndefined, TemplateRuntimeError, Undefined
from jinja2.environment import Template
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.utils import Joiner, Namespace

from flagcast.templates.data import NotData, as_text, formattable, not_data
from flagcast.templates.jinja.code_generator import PiecesGenerator
from flagcast.templates.jinja.filters import filters, tests
from flagcast.templates.jinja.unknown_names import DiscreetEnvironment
from flagcast.templates.json_escaping import Captured, Constant, Formed, Verbatim
from flagcast.templates.limits import ITEM, check_number, check_operation, counted, read, spend, step, work

_GROWING_METHODS = frozenset({
    "center", "encode", "expandtabs", "format", "format_map", "join", "ljust", "maketrans", "replace", "rjust",
    "striptags", "translate", "zfill",
})  # fmt: skip
"""Methods of str whose result can be larger than what they are given; where there is a filter, it is bounded."""


_MEMBERS_ALONE = (str, list, tuple, Mapping)
"""Data whose attributes are Python's methods: reached where they are called, and nowhere else."""


class PiecesEnvironment(DiscreetEnvironment):
    """Renders to Captured; an undefined name is an error, and so is more work than a message is worth."""

    code_generator_class = PiecesGenerator
    intercepted_binops = frozenset({"*", "**", "+", "%"})
    constant = Constant
    step = staticmethod(step)

    def __init__(self, loader: BaseLoader) -> None:
        """Take where included templates come from."""
        # No autoescape: that is for HTML, and these are JSON and text. Not optimized: that works while it compiles,
        # where nothing is bounded.
        super().__init__(
            loader=loader, undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False, optimized=False
        )
        # Once: a loop yields its text at each turn.
        self.verbatim = cache(Verbatim)
        self.filters = filters()
        self.tests = tests()
        self.globals |= {"range": _range, "namespace": Namespace, "joiner": _Joiner}
        del self.globals["lipsum"]

    @staticmethod
    def printed(value: object, expression: str = "what is printed") -> object:
        """Look at a value that is printed: one that is not there, or no data, is an error, at its own line."""
        if isinstance(value, str):
            work(len(value))
            return value
        if isinstance(value, Undefined):
            return Constant(str(value))  # StrictUndefined raises; an `if` without an `else` prints nothing.
        if isinstance(value, Iterator) and not isinstance(value, LoopContext):
            value = list(value)
        if (what := not_data(value)) is not None:
            raise NotData(f"{expression} is {what}")
        read(value, written=True)
        return value

    @staticmethod
    def weighed[T](value: T) -> T:
        """Account for looking at a value."""
        read(value)
        return value

    @staticmethod
    def concatenated(parts: Iterable[object]) -> str:
        """Join what ~ stands between."""
        read(parts, written=True)
        texts = list(map(as_text, parts))
        spend(sum(map(len, texts)))
        return Formed("".join(texts))

    @staticmethod
    def cut[T](part: T) -> T | Formed:
        """Account for a slice."""
        return _formed(counted(part))

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
        """Look up obj.attribute: of a mapping its member, of a text or list nothing."""
        found = self._member(obj, attribute) if isinstance(obj, _MEMBERS_ALONE) else super().getattr(obj, attribute)
        if isinstance(found, str):
            work(len(found))
        return found

    def method(self, obj: Any, attribute: str) -> Any:
        """Look up what obj.attribute() calls: data is never called, so that of data it is a method."""
        found = self._member(obj, attribute) if isinstance(obj, Mapping) else None
        return found if callable(found) and not isinstance(found, Undefined) else super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Look up obj[argument]."""
        read(argument)
        is_data = isinstance(obj, _MEMBERS_ALONE)
        return self.discreet(self._member(obj, argument) if is_data else super().getitem(obj, argument), argument)

    def _member(self, obj: Any, name: Any) -> Any:
        try:
            return obj[name]
        except (LookupError, TypeError):
            # Whatever kind of text it is, the error calls it a text.
            return self.undefined(obj="" if isinstance(obj, str) else obj, name=name)

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call what a template calls."""
        step()
        if not isinstance(obj, Macro):
            read((getattr(obj, "__self__", None), args, kwargs))
        made = counted(super().call(context, obj, *args, **kwargs))
        return _formed(made) if isinstance(getattr(obj, "__self__", None), str) else made

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Apply an operator that can make much of little."""
        read((left, right))
        check_operation(operator, left, right)
        if operator == "%" and isinstance(left, str):
            right = formattable(right)
        return _formed(counted(super().call_binop(context, operator, left, right)))

    def _filter_test_common(self, name: Any, *arguments: Any) -> Any:
        if name not in self.written:
            raise TemplateRuntimeError("the name of a filter or test is a value's")
        return super()._filter_test_common(name, *arguments)

    def _load_template(self, name: str, globals: Any) -> Template:  # noqa: A002 - Jinja2's name
        step()
        return super()._load_template(name, globals)


def _formed[T](made: T) -> T | Formed:
    return Formed(made) if type(made) is str else made


class _Joiner(Joiner):
    """Gives what the template writes between items, which is punctuation outside of a string."""

    def __init__(self, sep: str = Constant(", ")) -> None:
        super().__init__(sep)

    def __call__(self) -> str:
        return super().__call__() or Constant("")


def _range(*arguments: int) -> range:
    made = range(*arguments)
    check_number(len(made))
    return made
