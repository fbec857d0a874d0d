"""Which members of a name a template asks for, whether or not it comes to them when it is tried."""

from collections.abc import Iterator

from jinja2 import Environment, TemplateError, nodes
from msgspec import Struct


class Asked(Struct, frozen=True):
    """A member that a template asks for: event.changed, or event["changed"]."""

    name: str
    member: str
    line: int


def members_in(source: str) -> list[Asked]:
    """Return the members of names that a template does not make itself; nothing where it cannot be read.

    What is asked for with `is defined` or `default` may be missing, and is left out everywhere.
    """
    try:
        tree = Environment(autoescape=False).parse(source)  # noqa: S701 - it is read, and never rendered
    except (TemplateError, RecursionError):
        return []
    made = {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"}
    made |= {node.target for node in tree.find_all(nodes.Import)}
    may_be_missing = {(each.name, each.member) for node in _guards(tree) for each in _asked(node)}
    found = [each for each in _asked(tree) if each.name not in made]
    return [each for each in found if (each.name, each.member) not in may_be_missing]


def _guards(tree: nodes.Node) -> Iterator[nodes.Node]:
    for test in tree.find_all(nodes.Test):
        if test.name in ("defined", "undefined"):
            yield test
    for filter_ in tree.find_all(nodes.Filter):
        if filter_.name in ("default", "d"):
            yield filter_


def _asked(tree: nodes.Node) -> Iterator[Asked]:
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        match node:
            case nodes.Getattr(node=nodes.Name(name=name), attr=member):
                yield Asked(name, member, node.lineno)
            case nodes.Getitem(node=nodes.Name(name=name), arg=nodes.Const(value=str(member))):
                yield Asked(name, member, node.lineno)
            case _:
                pass
