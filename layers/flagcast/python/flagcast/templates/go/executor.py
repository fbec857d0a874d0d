"""Runs a parsed Go template, as text/template's exec.go does: https://pkg.go.dev/text/template#hdr-Actions."""

from collections.abc import Iterator, Mapping
from enum import Enum, auto

from gotpl.parse.nodes import (
    ActionNode,
    BreakNode,
    ContinueNode,
    IfNode,
    ListNode,
    RangeNode,
    TextNode,
    WithNode,
)

from flagcast.templates.go.evaluator import Evaluation, Variables
from flagcast.templates.go.functions import shown
from flagcast.templates.go.output import Pieces
from flagcast.templates.go.printf import sprint
from flagcast.templates.go.provenance import Own
from flagcast.templates.go.values import NOTHING, Byte, Pointer, TemplateFailed, is_true, type_of
from flagcast.templates.limits import ITEM, LimitExceeded, step, work

DEEPEST = 50
"""How many templates may call one another."""


class _Left(Enum):
    """How a list of nodes was left."""

    AT_ITS_END = auto()
    BY_BREAK = auto()
    BY_CONTINUE = auto()


class Run:
    """One execution; `at` is where in the source it is, in bytes."""

    def __init__(self, templates: Mapping[str, ListNode]) -> None:
        """Take the templates by name."""
        self.written = Pieces()
        self._templates = templates
        self._evaluation = Evaluation()
        self._depth = 0

    @property
    def at(self) -> int:
        """Return where in the source it is, in bytes."""
        return self._evaluation.at

    def template(self, name: str, dot: object) -> None:
        """Run a template; it sees no variables but $."""
        step()
        self._depth += 1
        if self._depth > DEEPEST:
            raise LimitExceeded(f"more than {DEEPEST} templates that call one another")
        self._list(self._templates[name], dot, [("$", dot)])
        self._depth -= 1

    def _list(self, nodes: ListNode, dot: object, variables: Variables) -> _Left:
        for node in nodes.nodes:
            self._evaluation.at = node.start
            match node:
                case TextNode():
                    self.written.write(node.text)
                case ActionNode():
                    self._action(node, dot, variables)
                case IfNode() | WithNode():
                    if (left := self._branch(node, dot, variables)) is not _Left.AT_ITS_END:
                        return left
                case RangeNode():
                    if (left := self._range(node, dot, variables)) is not _Left.AT_ITS_END:
                        return left
                case BreakNode():
                    return _Left.BY_BREAK
                case ContinueNode():
                    return _Left.BY_CONTINUE
                case _:
                    if node.name not in self._templates:
                        raise TemplateFailed(f"template {node.name!r} not defined")
                    pipeline = node.pipeline
                    self.template(
                        node.name,
                        NOTHING if pipeline is None else self._evaluation.pipeline(pipeline, dot, variables),
                    )
        return _Left.AT_ITS_END

    def _action(self, node: ActionNode, dot: object, variables: Variables) -> None:
        value = self._evaluation.pipeline(node.pipeline, dot, variables)
        if node.pipeline.declarations:
            return
        self._evaluation.at = node.start
        text = sprint([shown(value)])
        if self._evaluation.is_constant(node.pipeline):
            self.written.write(text)
        else:
            self.written.print(Own(text) if isinstance(value, Own) else text)

    def _branch(self, node: IfNode | WithNode, dot: object, variables: Variables) -> _Left:
        mark = len(variables)
        value = self._evaluation.pipeline(node.pipeline, dot, variables)
        left = _Left.AT_ITS_END
        if is_true(value):
            left = self._list(node.body, value if isinstance(node, WithNode) else dot, variables)
        elif node.else_body is not None:
            left = self._list(node.else_body, dot, variables)
        del variables[mark:]
        return left

    def _range(self, node: RangeNode, dot: object, variables: Variables) -> _Left:
        mark = len(variables)
        value = self._evaluation.pipeline(node.pipeline, dot, variables)
        turns, left = 0, _Left.AT_ITS_END
        for turns, (key, item) in enumerate(_items(value, len(node.pipeline.declarations)), 1):  # noqa: B007 - it is asked whether there were any
            step()
            inner = len(variables)
            self._evaluation.bind(node.pipeline, (key, item), variables)
            if self._list(node.body, item, variables) is _Left.BY_BREAK:
                break
            del variables[inner:]
        if not turns and node.else_body is not None:
            left = self._list(node.else_body, dot, variables)
        del variables[mark:]
        # In Go, too, a break in a range's else leaves that range, which has ended, and not the one around it.
        return _Left.AT_ITS_END if left is _Left.BY_BREAK else left


def _items(value: object, wanted: int) -> Iterator[tuple[object, object]]:
    match value:
        case bool():
            pass
        case int():
            if wanted > 1:
                raise TemplateFailed(f"can't use {value} to iterate over more than one variable")
            kind = Byte if isinstance(value, Byte) else int
            return ((NOTHING, kind(each)) for each in range(value))
        case list():
            return iter(enumerate(value))
        case dict():
            work(len(value) * ITEM)
            return ((key, value[key]) for key in sorted(value))
        case Pointer() if value.members is not None:
            return _items(value.members, wanted)
        case _ if value is NOTHING:
            return iter(())
    raise TemplateFailed(f"range can't iterate over a {type_of(value)}")
