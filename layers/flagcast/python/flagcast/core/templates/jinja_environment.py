"""The sandbox: Jinja2 whose templates render to pieces, and may not do more than they should.

Jinja2 joins what a template prints to one text. Here the template's own text and the values it prints stay apart until
their places in JSON are known; the hooks are those of Jinja2's own jinja2.nativetypes.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from jinja2 import BaseLoader, StrictUndefined, Undefined, nodes, pass_environment
from jinja2.compiler import CodeGenerator, Frame
from jinja2.environment import Environment, Template
from jinja2.filters import FILTERS
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from flagcast.core.templates.limits import (
    LimitExceeded,
    check_format,
    check_number,
    check_operation,
    counted,
    spend,
    step,
)
from flagcast.core.templates.places import Constant, Escaped, Json, Verbatim, as_json, plain

_GROWING_METHODS = frozenset({
    "center", "encode", "expandtabs", "format", "format_map", "join", "ljust", "maketrans", "replace", "rjust",
    "translate", "zfill",
})  # fmt: skip
"""Methods of str whose result can be larger than what they are given; where there is a filter, it is bounded."""

_REMOVED_FILTERS = frozenset({"forceescape", "random", "xmlattr"})


class Captured(str):
    """What a macro or a block set made: text to whatever looks at it, and still pieces where it is printed."""

    __slots__ = ("pieces",)
    pieces: tuple[object, ...]

    def __new__(cls, pieces: tuple[object, ...]) -> "Captured":
        """Join the pieces as text, and keep them."""
        made = super().__new__(cls, plain(pieces))
        made.pieces = pieces
        return made


class _Generator(CodeGenerator):
    """Writes code that yields values as they are, and the template's own text as Verbatim."""

    def _output_const_repr(self, group: Iterable[Any]) -> str:
        return f"environment.verbatim({''.join(group)!r})"

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> str:
        if not isinstance(node, nodes.TemplateData):
            raise nodes.Impossible
        return node.data

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        self.write("environment.printed(")

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        self.write(")")

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:  # noqa: N802 - Jinja2's name
        for child in node.nodes:
            _mark_constants(child)
        super().visit_Output(node, frame)

    def visit_For(self, node: nodes.For, frame: Frame) -> None:  # noqa: N802 - Jinja2's name
        turn = nodes.Call(nodes.EnvironmentAttribute("step"), [], [], None, None)
        statement = nodes.ExprStmt(turn, lineno=node.lineno)
        node.body.insert(0, statement.set_environment(self.environment))
        super().visit_For(node, frame)

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802 - Jinja2's name
        self.write("environment.concatenated((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


def _mark_constants(node: nodes.Node) -> None:
    """Mark the strings that an expression may give as they stand in the template."""
    match node:
        case nodes.Const(value=str() as text):
            node.value = Constant(text)
        case nodes.CondExpr():
            for branch in (node.expr1, node.expr2):
                if branch is not None:
                    _mark_constants(branch)
        case nodes.And() | nodes.Or():
            _mark_constants(node.left)
            _mark_constants(node.right)
        case _:
            pass


class PiecesEnvironment(ImmutableSandboxedEnvironment):
    """Renders to Captured; an undefined name is an error, and so is more work than a message is worth."""

    code_generator_class = _Generator
    intercepted_binops = frozenset({"*", "**", "+", "%"})
    verbatim = Verbatim
    constant = Constant

    def __init__(self, loader: BaseLoader) -> None:
        """Take where included templates come from."""
        # No autoescape: that is for HTML, and these are JSON and text.
        super().__init__(loader=loader, undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
        self.filters = {name: _bounded(name, each) for name, each in FILTERS.items() if name not in _REMOVED_FILTERS}
        self.filters |= {"tojson": _tojson, "safe": Escaped}
        del self.globals["lipsum"]
        self.globals["range"] = _range

    @staticmethod
    def step() -> None:
        """Take one turn of a loop."""
        step()

    @staticmethod
    def printed(value: object) -> object:
        """Look at a value that is printed: one that is not there is an error, at its own line."""
        if isinstance(value, Undefined):
            str(value)  # StrictUndefined raises, and names what is not there.
        return counted(value)

    @staticmethod
    def concatenated(parts: Iterable[object]) -> str:
        """Join what ~ stands between."""
        return counted(plain(parts))

    @staticmethod
    def concat(pieces: Iterable[object]) -> Captured:
        """Join what a template, a macro or a block yields."""
        flat: list[object] = []
        for piece in pieces:
            if isinstance(piece, Captured):
                flat += piece.pieces
            else:
                flat.append(counted(piece))
        return counted(Captured(tuple(flat)))

    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        """Hide what a template has no use for, and what makes more of a string than it was."""
        if isinstance(obj, int | float | bytes) or (isinstance(obj, str) and attr in _GROWING_METHODS | {"pieces"}):
            return False
        return super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: object) -> Callable[..., str] | None:
        """Leave str.format to is_safe_attribute, which hides it: the filter `format` does the same, bounded."""
        return None

    def call(self, context: Context, obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call what a template calls."""
        step()
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Apply an operator that can make much of little."""
        check_operation(operator, left, right)
        return counted(super().call_binop(context, operator, left, right))

    def _load_template(self, name: str, globals: Any) -> Template:  # noqa: A002 - Jinja2's name
        step()
        return super()._load_template(name, globals)


def _bounded(name: str, filter_: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a filter so that it refuses to make too much."""
    # Jinja2 passes the environment or context first where the filter asks for it.
    value_at = 1 if hasattr(filter_, "jinja_pass_arg") else 0

    @wraps(filter_)
    def filtering(*args: Any, **named: Any) -> Any:
        options = [*args[value_at + 1 :], *named.values()]
        for option in options:
            check_number(option)
        _check_growth(name, args[value_at], options)
        return counted(filter_(*args, **named))

    return filtering


def _check_growth(name: str, value: Any, options: list[Any]) -> None:
    """Account for what a filter is about to make where that can be far more than it is given."""
    longest = max((len(option) for option in options if isinstance(option, str)), default=0)
    match name:
        case "format":
            check_format(str(value))
        case "indent":
            widest = max((option for option in options if isinstance(option, int)), default=4)
            spend((str(value).count("\n") + 1) * max(widest, longest))
        case "wordwrap":
            spend((str(value).count(" ") + str(value).count("\n") + 1) * longest)
        case "replace" if options:
            spend(str(value).count(str(options[0])) * longest)
        case "join":
            spend(longest * len(value) if hasattr(value, "__len__") else 0)
            if longest > LARGEST_GLUE and not hasattr(value, "__len__"):
                raise LimitExceeded("a separator that is too long")
        case _:
            pass


LARGEST_GLUE = 1_000


@pass_environment
def _tojson(_: Environment, value: object, indent: int | None = None) -> Json:
    """Write a value as JSON; one that is not there is the error it is everywhere else."""
    if isinstance(value, Undefined):
        str(value)
    if indent is not None:
        check_number(indent)
    if (text := as_json(value, indent)) is None:
        raise LimitExceeded(f"tojson: {type(value).__name__} is nothing that JSON knows")
    return counted(Json(text))


def _range(*arguments: int) -> range:
    made = range(*arguments)
    check_number(len(made))
    return made
