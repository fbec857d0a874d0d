"""Which resources of a translated template name which, in any of their attributes: CloudFormation's own order of work.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-dependson.html
"""

import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

from tests.support.template import Template

_VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")


def mentioned(node: Any) -> Iterator[str]:
    """Go through the names of parameters, pseudo parameters and resources that a part of a template speaks of."""
    match node:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::GetAtt": str(dotted)}:
            yield dotted.partition(".")[0]
        case {"Fn::Sub": [str(text), dict(own)]}:
            yield from (name for name in _variables(text) if name not in own)
            yield from mentioned(own)
        case {"Fn::Sub": str(text)}:
            yield from _variables(text)
        case dict():
            for each in node.values():
                yield from mentioned(each)
        case list():
            for each in node:
                yield from mentioned(each)


def _variables(text: str) -> Iterator[str]:
    return (each.partition(".")[0] for each in _VARIABLE.findall(text))


def dependencies(template: Template) -> dict[str, set[str]]:
    """Return the resources that each resource names: in its properties, DependsOn, UpdatePolicy and all the rest."""
    return {
        name: {*mentioned(resource), *_listed(resource.get("DependsOn", []))} & template["Resources"].keys()
        for name, resource in template["Resources"].items()
    }


def _listed(several: str | list[str]) -> list[str]:
    return [several] if isinstance(several, str) else several


def cycles(template: Template) -> list[str]:
    try:
        TopologicalSorter(dependencies(template)).prepare()
    except CycleError as error:
        return [" <- ".join(error.args[1])]
    return []


def unresolved(template: Template) -> list[str]:
    """Every name that is referred to is a parameter, a resource that this state has, or one of CloudFormation's own."""
    known = {*template["Parameters"], *template["Resources"]}
    parts = {**template["Resources"], **{f"output {name}": each for name, each in template["Outputs"].items()}}
    return [
        f"{name} refers to {each}, which is not there"
        for name, part in parts.items()
        for each in {*mentioned(part), *_listed(part.get("DependsOn", []))} - known
        if not each.startswith("AWS::")
    ]
