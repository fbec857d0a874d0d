"""Jinja2, sandboxed and bounded: text with names in it to pieces, errors as values."""

import re
from collections.abc import Mapping
from typing import Any

from jinja2 import (
    FunctionLoader,
    Template,
    TemplateError,
    TemplateNotFound,
    TemplatesNotFound,
    TemplateSyntaxError,
    Undefined,
    nodes,
)
from jinja2.environment import TemplateExpression
from jinja2.exceptions import FilterArgumentError

from flagcast.errors import TemplateUnreadable
from flagcast.primitives.render_failure import RenderFailed
from flagcast.primitives.text_position import TextPosition
from flagcast.templates.jinja.sandbox import PiecesEnvironment
from flagcast.templates.json_escaping import Captured
from flagcast.templates.limits import budgeted

_OURS = re.compile(r"'flagcast\.[\w.]*\.(\w+) object'")
"""What Jinja2 calls what templates know as `event`, or `response`."""


class JinjaTemplate:
    """A template that is compiled."""

    def __init__(self, template: Template, environment: PiecesEnvironment) -> None:
        """Keep what Jinja2 made of it."""
        self._template = template
        self._environment = environment

    @property
    def name(self) -> str:
        """Return what it is called in errors."""
        return str(self._template.name)

    def fill(self, names: Mapping[str, Any]) -> tuple[object, ...] | RenderFailed:
        """Render the template to pieces: its own text, and the values between."""
        try:
            with budgeted():
                filled = self._template.render(names)
        except Exception as error:  # noqa: BLE001 - a template can raise whatever its filters and operators do
            return _failed(*_place(self.name, error), error, self._environment)
        assert isinstance(filled, Captured)
        return filled.pieces


class Expression:
    """A Jinja2 expression that is either true or false."""

    def __init__(
        self, expression: TemplateExpression, name: str, environment: PiecesEnvironment, looks_at: frozenset[str]
    ) -> None:
        """Keep what Jinja2 made of it, and the attributes that it looks at."""
        self.looks_at = looks_at
        self._expression = expression
        self._name = name
        self._environment = environment

    def ask(self, names: Mapping[str, Any]) -> bool | RenderFailed:
        """Evaluate the expression; anything but true or false is a failure."""
        try:
            with budgeted():
                answer = self._expression(names)
                if isinstance(answer, Undefined):
                    str(answer)  # StrictUndefined raises, and names what is not there.
        except Exception as error:  # noqa: BLE001 - an expression can raise whatever its filters and operators do
            return _failed(self._name, None, error, self._environment)
        if not isinstance(answer, bool):
            # Its kind alone: the value may be the event's.
            kind = "str" if isinstance(answer, str) else type(answer).__name__
            return RenderFailed.at(TextPosition(self._name), f"gives a {kind}, not true or false")
        return answer


class Templates:
    """Template files that may include one another, and what is compiled beside them."""

    def __init__(self, files: Mapping[str, str]) -> None:
        """Take the text of each file by its name."""

        def load(name: str) -> tuple[str, str, None] | None:
            # The name stands for the file name too, so that a traceback shows which template raised.
            return (files[name], name, None) if name in files else None

        self._environment = PiecesEnvironment(FunctionLoader(load))

    def compile(self, source: str, name: str) -> JinjaTemplate | RenderFailed:
        """Compile a template, or say where and why it cannot be."""
        environment = self._environment
        try:
            code = environment.compile(source, name, name)
            template = environment.template_class.from_code(environment, code, environment.make_globals(None))
        except Exception as error:  # noqa: BLE001 - Python's compiler raises too: nested too deeply, too long a number
            return _failed(name, _line(error), error, environment)
        return JinjaTemplate(template, environment)

    def compile_expression(self, source: str, name: str) -> Expression | RenderFailed:
        """Compile an expression that is to give true or false, or say why it cannot be."""
        environment = self._environment
        try:
            compiled = environment.compile_expression(source, undefined_to_none=False)
            return Expression(compiled, name, environment, self._looked_at(source))
        except Exception as error:  # noqa: BLE001 - Python's compiler raises too: nested too deeply, too long a number
            return _failed(name, _line(error), error, environment)

    def _looked_at(self, source: str) -> frozenset[str]:
        """Return the attributes that an expression names, as a.b or a["b"]."""
        parsed = self._environment.parse("{{ " + source + " }}")
        written = [each.arg for each in parsed.find_all(nodes.Getitem)]
        return frozenset(
            [each.attr for each in parsed.find_all(nodes.Getattr)]
            + [str(each.value) for each in written if isinstance(each, nodes.Const)]
        )

    def printed_names(self, source: str) -> list[str]:
        """Return the names that a template prints by themselves, as {{ name }} and in no larger expression."""
        outputs = self._environment.parse(source).find_all(nodes.Output)
        return [node.name for output in outputs for node in output.nodes if isinstance(node, nodes.Name)]


def _line(error: Exception) -> int | None:
    return error.lineno if isinstance(error, TemplateSyntaxError) else None


def _place(name: str, error: Exception) -> tuple[str, int | None]:
    """Find the innermost template and line that raised: Jinja2 puts a frame for each into the traceback."""
    line = None
    traceback = error.__traceback__
    while traceback is not None:
        if "__jinja_exception__" in traceback.tb_frame.f_globals:
            name, line = traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
        traceback = traceback.tb_next
    return name, line


def _failed(name: str, line: int | None, error: Exception, environment: PiecesEnvironment) -> RenderFailed:
    return RenderFailed.at(TextPosition(name, line or 0), _said(error, environment))


def _said(error: Exception, environment: PiecesEnvironment) -> str:
    """Say what went wrong without a value of the event's: a template's own error names what the template wrote."""
    match error:
        case TemplatesNotFound():
            return "none of the templates is there"
        case TemplateUnreadable():
            return str(error)
        case TemplateNotFound() if error.name not in environment.written:
            return "no template of the name that a value gives"
        case TemplateError(message=str() as message) if not isinstance(error, FilterArgumentError):
            return _OURS.sub(lambda found: found[1].lower(), message)
        case _:
            return type(error).__name__
