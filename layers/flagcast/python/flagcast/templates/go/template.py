"""Go's text/template, as Flipt fills its own: the same names, the same functions, the same failures.

gotpl parses the template. It is run here: gotpl's own machine looks names up on Python's objects, keeps a variable that
a `break` leaves behind, and does not tell Go's kinds of numbers apart.
"""

from collections.abc import Mapping
from typing import Any

from gotpl.errors import TemplateSyntaxError
from gotpl.parse.nodes import ListNode
from gotpl.parse.parser import parse_template

from flagcast.primitives.render_failure import RenderFailed
from flagcast.primitives.text_position import TextPosition
from flagcast.templates.go.executor import Run
from flagcast.templates.go.values import TemplateFailed, go_event
from flagcast.templates.limits import LimitExceeded, budgeted


class GoTemplate:
    """A template that is parsed."""

    def __init__(self, name: str, source: str, templates: Mapping[str, ListNode]) -> None:
        """Take what it is called, its text, and by name what is defined in it; it is itself without a name."""
        self._name = name
        self._source = source
        self._templates = templates

    @property
    def name(self) -> str:
        """Return what it is called in errors."""
        return self._name

    def fill(self, names: Mapping[str, Any]) -> tuple[object, ...] | RenderFailed:
        """Run the template to pieces: its own text, and the values between."""
        run = Run(self._templates)
        try:
            with budgeted():
                event = go_event(names["event"])
                if variables := names.get("vars"):
                    # The one name that Flipt's event does not have.
                    event.fields["Vars"] = dict(variables)
                run.template("", event)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this template with this event that failed
            # Only our own messages are known to quote nothing of the event.
            what = str(error) if isinstance(error, TemplateFailed | LimitExceeded) else type(error).__name__
            return RenderFailed.at(_spot(self._name, self._source, run.at), what)
        return tuple(run.written.pieces)


def compile_go(source: str, name: str) -> GoTemplate | RenderFailed:
    """Parse a template of Flipt's, or say where and why it cannot be."""
    try:
        parsed = parse_template(source, functions=("toJson",))
    except TemplateSyntaxError as error:
        what = str(error).removeprefix(f"template:{error.line}:{error.column}: ")
        return RenderFailed.at(TextPosition(name, error.line, error.column), what)
    except (ValueError, IndexError, RecursionError) as error:
        return RenderFailed.at(TextPosition(name), type(error).__name__)
    templates = {each.name: each.body for each in parsed.definitions}
    return GoTemplate(name, source, {**templates, "": parsed.root})


def _spot(name: str, source: str, at: int) -> TextPosition:
    before = source.encode()[:at].decode(errors="replace")
    return TextPosition(name, before.count("\n") + 1, len(before) - before.rfind("\n"))
