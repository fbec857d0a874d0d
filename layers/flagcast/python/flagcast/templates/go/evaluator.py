"""Evaluates the pipelines of a Go template: https://pkg.go.dev/text/template#hdr-Pipelines."""

from collections.abc import Sequence
from typing import Final

from gotpl.parse.nodes import (
    BoolNode,
    CharacterNode,
    CommandNode,
    ComplexNode,
    DotNode,
    FieldNode,
    IdentifierNode,
    NilNode,
    NumberNode,
    ParenthesizedNode,
    PipeNode,
    StringNode,
    TermNode,
    VariableNode,
)

from flagcast.templates.go.functions import FUNCTIONS, Function
from flagcast.templates.go.numbers import constant
from flagcast.templates.go.provenance import Own
from flagcast.templates.go.values import NOTHING, Pointer, Record, TemplateFailed, is_true, looked_at, type_of
from flagcast.templates.limits import step

type Variables = list[tuple[str, object]]

_CONSTANTS = (BoolNode, NumberNode, ComplexNode, StringNode, CharacterNode)
_NONE: Final = object()
"""No value comes from the command before."""


class Evaluation:
    """Evaluates pipelines; `at` is where in the source it is, in bytes."""

    def __init__(self) -> None:
        """Start at the beginning."""
        self.at = 0

    @staticmethod
    def is_constant(pipeline: PipeNode) -> bool:
        """Return whether a pipeline is just one constant of the template."""
        return len(pipeline.commands) == 1 and isinstance(pipeline.commands[0].arguments[0], _CONSTANTS)

    def pipeline(self, pipeline: PipeNode, dot: object, variables: Variables) -> object:
        """Return what a pipeline gives, and bind its variables to it."""
        self.at = pipeline.start
        value: object = _NONE
        for command in pipeline.commands:
            value = looked_at(self._command(command, dot, variables, value))
        if pipeline.is_assignment:
            self.bind(pipeline, (value, value), variables)
        else:
            variables += [(each.name, value) for each in pipeline.declarations]
        return value

    def bind(self, pipeline: PipeNode, pair: tuple[object, object], variables: Variables) -> None:
        """Bind a range's variables to a key and its item; where there is one, it is the item's."""
        names = [each.name for each in pipeline.declarations]
        for name, value in zip(names, pair[-len(names) :] if names else (), strict=True):
            at = next(at for at in reversed(range(len(variables))) if variables[at][0] == name)
            variables[at] = (name, value)

    def _command(self, command: CommandNode, dot: object, variables: Variables, final: object) -> object:
        first, arguments = command.arguments[0], command.arguments[1:]
        self.at = first.start
        if isinstance(first, IdentifierNode):
            return self._call(first.name, arguments, dot, variables, final)
        value = self._term(first, dot, variables, given=bool(arguments) or final is not _NONE)
        if isinstance(first, NilNode):
            raise TemplateFailed("nil is not a command")
        return value

    def _term(self, term: TermNode, dot: object, variables: Variables, *, given: bool = False) -> object:
        """Return what a term stands for; `given` says whether arguments are given to it."""
        self.at = term.start
        match term:
            case IdentifierNode():
                return self._call(term.name, (), dot, variables, _NONE)
            case FieldNode():
                return _fields(dot, term.fields, given=given)
            case VariableNode():
                value = next((value for name, value in reversed(variables) if name == term.name), _NONE)
                if value is _NONE:
                    raise TemplateFailed(f"undefined variable: {term.name}")
                return _fields(value, term.fields, given=given)
            case ParenthesizedNode():
                value = self.pipeline(term.pipeline, dot, variables)
                return _fields(value, term.fields, given=given)
        if given:
            raise TemplateFailed("can't give argument to non-function")
        match term:
            case DotNode():
                return dot
            case BoolNode():
                return term.value
            case StringNode():
                return Own(term.value)
            case CharacterNode():
                return ord(term.value)
            case NilNode():
                return NOTHING
            case _:
                return _number(term.text)

    def _call(
        self, name: str, arguments: Sequence[TermNode], dot: object, variables: Variables, final: object
    ) -> object:
        at = self.at
        step()
        count = len(arguments) + (final is not _NONE)
        if name in ("and", "or"):
            _check_count(name, count, 1, None)
            return self._logic(name, arguments, dot, variables, final)
        function = FUNCTIONS[name]
        _check_count(name, count, function.least, function.most)
        values = [self._term(each, dot, variables) for each in arguments]
        if final is not _NONE:
            values.append(final)
        self.at = at
        return function.do(*_passed(function, values))

    def _logic(
        self, name: str, arguments: Sequence[TermNode], dot: object, variables: Variables, final: object
    ) -> object:
        value: object = NOTHING
        for argument in arguments:
            value = self._term(argument, dot, variables)
            if is_true(value) == (name == "or"):
                return value
        return value if final is _NONE else final


def _check_count(name: str, count: int, least: int, most: int | None) -> None:
    if count < least or (most is not None and count > most):
        want = f"{least}" if most == least else f"at least {least}"
        raise TemplateFailed(f"wrong number of args for {name}: want {want} got {count}")


def _passed(function: Function, values: list[object]) -> list[object]:
    """Return arguments as the function's parameters take them."""
    if function.text_first and not isinstance(values[0], str):
        raise TemplateFailed(f"wrong type for value; expected string; got {type_of(values[0])}")
    return [None if function.interfaces and each is NOTHING else each for each in values]


def _number(text: str) -> object:
    try:
        return constant(text)
    except OverflowError:
        raise TemplateFailed(f"{text} overflows int") from None


def _fields(value: object, names: Sequence[str], *, given: bool) -> object:
    """Return a field of a field of a value; only a method takes arguments, and Flipt's types have none to offer."""
    if given and not names:
        raise TemplateFailed("can't give argument to non-function")
    for index, name in enumerate(names):
        value = _field(value, name, given=given and index == len(names) - 1)
    return value


def _field(value: object, name: str, *, given: bool) -> object:
    if value is NOTHING:
        return value
    if value is None:
        raise TemplateFailed(f"nil pointer evaluating interface {{}}.{name}")
    if isinstance(value, Pointer) and value.members is not None and not name[:1].isupper():
        value = value.members
    record = value.record if isinstance(value, Pointer) else value
    if record is None:
        raise TemplateFailed(f"nil pointer evaluating {type_of(value)}.{name}")
    if isinstance(record, Record) and name in record.fields:
        found = record.fields[name]
    elif isinstance(record, dict):
        found = record.get(name, NOTHING)
    else:
        raise TemplateFailed(f"can't evaluate field {name} in type {type_of(value)}")
    if given:
        raise TemplateFailed(f"{name} has arguments but cannot be invoked as function")
    return found
