"""A destination to what can be rendered and asked: every template and expression compiled once."""

import re
from collections.abc import Mapping
from typing import Any, Protocol

from msgspec import Struct

from flagcast.config.model import Destination, Problem
from flagcast.config.secret_references import Reference, Text
from flagcast.config.value_path import below
from flagcast.errors import TemplateUnreadable
from flagcast.primitives.aws_target import AwsTarget, read_target
from flagcast.primitives.render_failure import RenderFailed
from flagcast.templates.jinja.template import Expression, JinjaTemplate, Templates

_ASKS_FOR_SUMMARY = re.compile("summary|include|import|extends")


class Template(Protocol):
    """A template of either engine."""

    @property
    def name(self) -> str:
        """Return what it is called in errors."""

    def fill(self, names: Mapping[str, Any]) -> tuple[object, ...] | RenderFailed:
        """Render to pieces: the template's own text, and the values between."""


class Compiled(Struct, frozen=True):
    """A destination whose templates are compiled."""

    destination: Destination
    body: Template | None
    headers: dict[str, JinjaTemplate]
    when: Expression | None
    accept: Expression | None
    retry_when: Expression | None
    references: tuple[Reference, ...]
    uses_summary: bool
    """Whether its templates or `when` may ask for the summary."""
    target: AwsTarget | None = None
    """What is sent to, where its `url` is an ARN."""


def compile_destination(
    destination: Destination, files: Mapping[str, str], path: str = ""
) -> Compiled | tuple[Problem, ...]:
    """Compile a destination's templates, or say what is wrong with them and where.

    `files` holds the text of each file in templates/; a file may include another.
    """
    compiling = _Compiling(Templates(files), path)
    body = compiling.body(destination, files)
    made = Compiled(
        destination,
        body,
        {name: header for name in destination.headers if (header := compiling.header(name, destination.headers[name]))},
        compiling.expression("when", destination.when),
        compiling.expression("accept", destination.accept),
        compiling.expression("retry.when", destination.retry.when),
        references_of(destination),
        _uses_summary(destination, files if body is not None else {}),
        _target_of(destination),
    )
    return tuple(compiling.problems) or made


def _target_of(destination: Destination) -> AwsTarget | None:
    target = read_target(destination.url) if destination.is_aws else None
    # One that is none has been found in the configuration, which holds its destination.
    return target if isinstance(target, AwsTarget) else None


def _uses_summary(destination: Destination, files: Mapping[str, str]) -> bool:
    """Return whether it can be asked for: by its name, or in a file that is included."""
    body = destination.body if destination.template is None else files.get(destination.template)
    texts = (body, destination.when, *map(str, destination.headers.values()))
    return any(text is not None and _ASKS_FOR_SUMMARY.search(text) for text in texts)


def name_of(reference: Reference) -> str:
    """Return the variable that stands for a reference in a header's template."""
    return f"flagcast_{str(reference).encode().hex()}"


class _Compiling:
    """Compiles the parts of one destination, and keeps what is wrong with any."""

    def __init__(self, templates: Templates, path: str) -> None:
        self.problems: list[Problem] = []
        self._templates = templates
        self._path = path

    def body(self, destination: Destination, files: Mapping[str, str]) -> Template | None:
        if destination.template is not None:
            try:
                where, source, name = "template", files[destination.template], destination.template
            except TemplateUnreadable as error:
                self.problems.append(Problem(f"{self._path}.template", str(error)))
                return None
        elif destination.body is not None:
            where, source, name = "body", destination.body, "body"
        else:
            return None
        return self._checked(where, _compile_body(self._templates, destination, source, name))

    def header(self, name: str, text: Text) -> JinjaTemplate | None:
        where = f"headers.{name}"
        source = text.resolve({reference: "{{ " + name_of(reference) + " }}" for reference in text.references})
        if (template := self._checked(where, self._templates.compile(source, where))) is None:
            return None
        stands_in = [name_of(each) for each in text.references]
        if sorted(each for each in self._templates.printed_names(source) if each in stands_in) != sorted(stands_in):
            what = "a reference cannot be inside {{ }} or {% %}"
            self.problems.append(Problem(below(self._path, where), what))
        return template

    def expression(self, where: str, source: str | None) -> Expression | None:
        if source is None:
            return None
        return self._checked(where, self._templates.compile_expression(source, where))

    def _checked[T](self, where: str, made: T | RenderFailed) -> T | None:
        if isinstance(made, RenderFailed):
            self.problems.append(Problem(below(self._path, where), made.what, spot=made.spot))
            return None
        return made


def _compile_body(templates: Templates, destination: Destination, source: str, name: str) -> Template | RenderFailed:
    if destination.engine == "jinja2":
        return templates.compile(source, name)
    # Loaded by those who use it: 40 ms of a cold start.
    from flagcast.templates.go.template import compile_go

    return compile_go(source, name)


def references_of(destination: Destination) -> tuple[Reference, ...]:
    """Return every reference that a destination names, each once."""
    texts = [destination.url, *destination.headers.values(), *destination.vars.values()]
    if destination.sign is not None:
        texts += destination.sign.secrets
    return tuple(dict.fromkeys(each for text in texts for each in text.references))
