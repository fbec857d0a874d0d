"""The Python that a template is compiled to: it yields values as they are, and counts what it does.

Jinja2 joins what a template prints to one text. Here the template's own text and the values it prints stay apart until
their places in JSON are known; the hooks are those of Jinja2's own jinja2.nativetypes.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame, operators

from flagcast.templates.jinja.unknown_names import DiscreetEnvironment
from flagcast.templates.json_escaping import Constant, is_punctuation

# An attribute of the environment and no call, which would be a second step.
_STEP = nodes.EnvironmentAttribute("step()")


class PiecesGenerator(CodeGenerator):
    """Writes code that yields values as they are, and the template's own text as Verbatim."""

    environment: DiscreetEnvironment
    _called: nodes.Getattr | None = None

    def _output_const_repr(self, group: Iterable[Any]) -> str:
        return f"environment.verbatim({''.join(group)!r})"

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> str:
        if not isinstance(node, nodes.TemplateData):
            raise nodes.Impossible
        return node.data

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        self.write("environment.printed(")

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        expression = _written(node)
        self.write(f", {expression!r})" if expression else ")")

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:  # noqa: N802 - Jinja2's name
        """Write what prints."""
        for child in node.nodes:
            _mark_constants(child)
        super().visit_Output(node, frame)

    def visit_For(self, node: nodes.For, frame: Frame) -> None:  # noqa: N802 - Jinja2's name
        """Write a loop that counts its turns."""
        if node.test is None:
            node.body.insert(0, nodes.ExprStmt(_STEP, lineno=node.lineno))
        else:
            # What the test leaves out is a turn too.
            node.test = nodes.And(_STEP, node.test, lineno=node.test.lineno, environment=self.environment)
        super().visit_For(node, frame)

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802 - Jinja2's name
        """Write what ~ joins."""
        self.write("environment.concatenated((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:  # noqa: N802 - Jinja2's name
        """Write a comparison that counts what it looks at."""
        self.write("(")
        self._weighed(node.expr, frame)
        for operand in node.ops:
            self.visit(operand, frame)
        self.write(")")

    def visit_Operand(self, node: nodes.Operand, frame: Frame) -> None:  # noqa: N802 - Jinja2's name
        """Write the other side of a comparison."""
        self.write(f" {operators[node.op]} ")
        self._weighed(node.expr, frame)

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:  # noqa: N802 - Jinja2's name
        """Write a dict; its keys are hashed, so all that they hold is looked at."""
        self.write("{")
        for item in node.items:
            self._weighed(item.key, frame)
            self.write(": ")
            self.visit(item.value, frame)
            self.write(", ")
        self.write("}")

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:  # noqa: N802 - Jinja2's name
        """Write obj[...]; a slice is a copy."""
        if isinstance(node.arg, nodes.Slice):
            self.write("environment.cut(")
            super().visit_Getitem(node, frame)
            self.write(")")
        else:
            super().visit_Getitem(node, frame)

    def visit_Assign(self, node: nodes.Assign, frame: Frame) -> None:  # noqa: N802 - Jinja2's name
        """Write {% set name = value %}; `{% set c = "," %}` is punctuation where c is printed."""
        _mark_bound(node.node)
        super().visit_Assign(node, frame)

    def visit_With(self, node: nodes.With, frame: Frame) -> None:  # noqa: N802 - Jinja2's name
        """Write {% with name = value %}."""
        for value in node.values:
            _mark_bound(value)
        super().visit_With(node, frame)

    def visit_Call(  # noqa: N802 - Jinja2's name
        self, node: nodes.Call, frame: Frame, forward_caller: bool = False
    ) -> None:
        """Write a call; what it calls may be a method."""
        if isinstance(node.node, nodes.Getattr):
            self._called = node.node
        if isinstance(node.node, nodes.Name) and node.node.name == "joiner":
            for argument in (*node.args, *(each.value for each in node.kwargs)):
                _mark_constants(argument)
        super().visit_Call(node, frame, forward_caller=forward_caller)

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802 - Jinja2's name
        """Write obj.attribute."""
        self.write("environment.method(" if node is self._called else "environment.getattr(")
        self.visit(node.node, frame)
        self.write(f", {node.attr!r})")

    def visit_Const(self, node: nodes.Const, frame: Frame) -> None:  # noqa: N802 - Jinja2's name
        """Write a constant, and remember that the template wrote it."""
        if isinstance(node.value, str):
            self.environment.written.update({node.value, *node.value.replace(",", ".").split(".")})
        super().visit_Const(node, frame)

    def visit_ScopedEvalContextModifier(  # noqa: N802 - Jinja2's name
        self, node: nodes.ScopedEvalContextModifier, frame: Frame
    ) -> None:
        """Refuse the tag autoescape."""
        self.fail("autoescape is for HTML, and this is none: write | e where it is meant", node.lineno)

    def _weighed(self, node: nodes.Node, frame: Frame) -> None:
        self.write("environment.weighed(")
        self.visit(node, frame)
        self.write(")")


def _mark_constants(node: nodes.Node) -> None:
    """Mark the strings that an expression may give as they are written in the template."""
    for each in _constants(node):
        each.value = Constant(each.value)


def _mark_bound(node: nodes.Node | None) -> None:
    """Mark what is bound to a name; {% set name = "" %}, with no separator to choose instead, is a text."""
    constants = list(_constants(node))
    separates = any(each.value.strip() and is_punctuation(each.value) for each in constants)
    for each in constants:
        if each.value.strip() or separates:
            each.value = Constant(each.value)


def _constants(node: nodes.Node | None) -> Iterator[nodes.Const]:
    match node:
        case nodes.Const(value=str()):
            yield node
        case nodes.CondExpr():
            yield from _constants(node.expr1)
            yield from _constants(node.expr2)
        case nodes.And() | nodes.Or():
            yield from _constants(node.left)
            yield from _constants(node.right)
        case nodes.Filter(name="default" | "d", args=[nodes.Const(value=str() as text) as default, *_]):
            yield from _constants(node.node)
            if not is_punctuation(text):
                yield default
        case _:
            pass


def _written(node: nodes.Node) -> str | None:
    """Return a name and its fields as the template has them; None of any other expression."""
    match node:
        case nodes.Name():
            return node.name
        case nodes.Getattr():
            owner = _written(node.node)
            return f"{owner}.{node.attr}" if owner else None
        case _:
            return None
