"""Jinja2, sandboxed: text with names in it to text, errors as values."""

from collections.abc import Mapping
from typing import Any

from jinja2 import (
    FunctionLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
    Undefined,
    nodes,
    pass_eval_context,
)
from jinja2.filters import do_tojson
from jinja2.nodes import EvalContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from flagcast.core.outcomes import RenderFailed

_EVENT = "'flagcast.core.event.Event object'"
"""What Jinja2 calls the event that templates know as `event`."""


class Templates:
    """Template files that may include one another, and what is compiled beside them."""

    def __init__(self, files: Mapping[str, str]) -> None:
        """Take the text of each file by its name."""

        def load(name: str) -> tuple[str, str, None] | None:
            # The name stands for the file name too, so that a traceback tells which template raised.
            return (files[name], name, None) if name in files else None

        # No autoescape: that is for HTML, and these are JSON and text.
        self._environment = ImmutableSandboxedEnvironment(
            loader=FunctionLoader(load), undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
        )
        self._environment.filters["tojson"] = _tojson

    def compile(self, source: str, name: str) -> Template | RenderFailed:
        """Compile a template, or say where and why it cannot be."""
        try:
            code = self._environment.compile(source, name, name)
        except TemplateError as error:
            return RenderFailed(_located(name, error.lineno if isinstance(error, TemplateSyntaxError) else None, error))
        return self._environment.template_class.from_code(self._environment, code, self._environment.make_globals(None))

    def printed_names(self, source: str) -> list[str]:
        """Return the names that a template prints by themselves, as {{ name }} and in no larger expression."""
        outputs = self._environment.parse(source).find_all(nodes.Output)
        return [node.name for output in outputs for node in output.nodes if isinstance(node, nodes.Name)]


def fill(template: Template, names: Mapping[str, Any]) -> str | RenderFailed:
    """Render a template."""
    try:
        return template.render(names)
    except Exception as error:  # noqa: BLE001 - a template can raise whatever its filters and operators do
        return RenderFailed(_located(*_place(template, error), error))


@pass_eval_context
def _tojson(context: EvalContext, value: object) -> str:
    """Write a value as JSON; one that is not there is the error it is everywhere else, and no TypeError of json's."""
    if isinstance(value, Undefined):
        str(value)  # StrictUndefined raises here, and names what is not there.
    return do_tojson(context, value)


def _place(template: Template, error: Exception) -> tuple[str | None, int | None]:
    """Find the innermost template and line that raised: Jinja2 puts a frame for each into the traceback."""
    name, line = template.name, None
    traceback = error.__traceback__
    while traceback is not None:
        if "__jinja_exception__" in traceback.tb_frame.f_globals:
            name, line = traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
        traceback = traceback.tb_next
    return name, line


def _located(name: str | None, line: int | None, error: Exception) -> str:
    """Say where and what; a template's own error names what it looked up, another's message might hold the event."""
    what = (error.message or "").replace(_EVENT, "event") if isinstance(error, TemplateError) else None
    return f"{name}{f', line {line}' if line else ''}: {what or type(error).__name__}"
