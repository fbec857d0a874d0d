"""Jinja2, sandboxed and bounded: text with names in it to pieces, errors as values."""

from collections.abc import Mapping
from typing import Any

from jinja2 import FunctionLoader, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.environment import TemplateExpression

from flagcast.core.outcomes import RenderFailed
from flagcast.core.templates.jinja_environment import Captured, PiecesEnvironment
from flagcast.core.templates.limits import budgeted

_EVENT = "'flagcast.core.event.Event object'"
"""What Jinja2 calls the event that templates know as `event`."""


class JinjaTemplate:
    """A template that is compiled."""

    def __init__(self, template: Template) -> None:
        """Keep what Jinja2 made of it."""
        self._template = template

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
            return RenderFailed(_located(*_place(self.name, error), error))
        assert isinstance(filled, Captured)
        return filled.pieces


class Expression:
    """A Jinja2 expression that is either true or false."""

    def __init__(self, expression: TemplateExpression, name: str) -> None:
        """Keep what Jinja2 made of it."""
        self._expression = expression
        self._name = name

    def ask(self, names: Mapping[str, Any]) -> bool | RenderFailed:
        """Evaluate the expression; anything but true or false is a failure."""
        try:
            with budgeted():
                answer = self._expression(names)
                if not isinstance(answer, bool):
                    # An undefined name raises here, and says which.
                    return RenderFailed(f"{self._name}: gives {answer!r:.100}, not true or false")
        except Exception as error:  # noqa: BLE001 - an expression can raise whatever its filters and operators do
            return RenderFailed(_located(self._name, None, error))
        return answer


class Templates:
    """Template files that may include one another, and what is compiled beside them."""

    def __init__(self, files: Mapping[str, str]) -> None:
        """Take the text of each file by its name."""

        def load(name: str) -> tuple[str, str, None] | None:
            # The name stands for the file name too, so that a traceback tells which template raised.
            return (files[name], name, None) if name in files else None

        self._environment = PiecesEnvironment(FunctionLoader(load))

    def compile(self, source: str, name: str) -> JinjaTemplate | RenderFailed:
        """Compile a template, or say where and why it cannot be."""
        try:
            code = self._environment.compile(source, name, name)
        except TemplateError as error:
            return RenderFailed(_located(name, _line(error), error))
        environment = self._environment
        return JinjaTemplate(environment.template_class.from_code(environment, code, environment.make_globals(None)))

    def compile_expression(self, source: str, name: str) -> Expression | RenderFailed:
        """Compile an expression that is to give true or false, or say why it cannot be."""
        try:
            return Expression(self._environment.compile_expression(source, undefined_to_none=False), name)
        except TemplateError as error:
            return RenderFailed(_located(name, _line(error), error))

    def printed_names(self, source: str) -> list[str]:
        """Return the names that a template prints by themselves, as {{ name }} and in no larger expression."""
        outputs = self._environment.parse(source).find_all(nodes.Output)
        return [node.name for output in outputs for node in output.nodes if isinstance(node, nodes.Name)]


def _line(error: TemplateError) -> int | None:
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


def _located(name: str, line: int | None, error: Exception) -> str:
    """Say where and what; a template's own error names what it looked up, another's message might hold the event."""
    what = (error.message or "").replace(_EVENT, "event") if isinstance(error, TemplateError) else None
    return f"{name}{f', line {line}' if line else ''}: {what or type(error).__name__}"
