"""template.yaml as tests look at it: as it is written, as parameters decide it, and as SAM transforms it; offline."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = {"Ref": "AWS::NoValue"}
BUCKET = "aws-sam-cli-managed-default-samclisourcebucket-1a2b3c4d5e6f"

Template = dict[str, Any]


class _NoManagedPolicies:
    """Stands for IAM's list of managed policies, which no function here names."""

    def load(self) -> dict[str, str]:
        return {}


def written() -> Template:
    """Return the template with its short forms written out; no two parts of it are the same object."""
    copy: Template = json.loads(_read())
    return copy


@cache
def _read() -> str:
    return json.dumps(yaml_parse((ROOT / "template.yaml").read_text()))


def changed(template: Template, path: str, value: Any) -> Template:
    """Return a copy with another value at a path (`Resources/TaskQueue/Properties`, lists by index); `...` deletes."""
    copy: Template = json.loads(json.dumps(template))
    *way, last = (int(part) if part.isdigit() else part for part in path.split("/"))
    place: Any = copy
    for part in way:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return copy


def given(template: Template, **parameters: str) -> dict[str, Any]:
    """Return the value of each parameter: the given ones and the others' defaults."""
    unknown = parameters.keys() - template["Parameters"].keys()
    assert not unknown, unknown
    values = {name: parameters.get(name, str(each.get("Default", ""))) for name, each in template["Parameters"].items()}
    lists = {name for name, each in template["Parameters"].items() if each["Type"] == "CommaDelimitedList"}
    return {name: value.split(",") if name in lists else value for name, value in values.items()}


def decided(template: Template, **parameters: str) -> Template:
    """Return what CloudFormation takes out of it: conditions decided by parameters and defaults, the rest as it is.

    The parameters' defaults are the values by which it was decided, so that decided and `given` agree.
    """
    values = given(template, **parameters)

    holds = _deciding(template, values)

    def resolved(node: Any) -> Any:
        match node:
            case {"Fn::If": [name, then, otherwise]}:
                return resolved(then if holds(name) else otherwise)
            case dict():
                made = {key: resolved(each) for key, each in node.items()}
                return {key: each for key, each in made.items() if each != NOWHERE}
            case list():
                return [made for each in node if (made := resolved(each)) != NOWHERE]
        return node

    def stays(resource: Mapping[str, Any]) -> bool:
        return "Condition" not in resource or holds(resource["Condition"])

    kept = {name: each for name, each in template["Resources"].items() if stays(each)}
    state = {
        name: {**each, "Default": parameters.get(name, each.get("Default"))}
        for name, each in template["Parameters"].items()
    }
    return {**template, "Parameters": state, "Resources": resolved(kept), "Outputs": resolved(template["Outputs"])}


def _deciding(template: Template, values: Mapping[str, Any]) -> Callable[[Any], bool]:
    """Return what tells whether a condition holds."""

    def holds(condition: Any) -> bool:
        match condition:
            case {"Condition": name} | str(name):
                return holds(template["Conditions"][name])
            case {"Fn::Not": [only]}:
                return not holds(only)
            case {"Fn::EachMemberEquals": [several, one]}:
                return all(each == one for each in value_of(several))
            case {"Fn::Equals": [left, right]}:
                return str(value_of(left)) == str(value_of(right))
        raise NotImplementedError(condition)

    def value_of(asked: Any) -> Any:
        match asked:
            case {"Ref": name}:
                return values[name]
            case {"Fn::Join": [between, several]}:
                return str(between).join(value_of(several))
        return asked

    return holds


def refused(template: Template, **parameters: str) -> list[str]:
    """Return what CloudFormation answers to parameters that the template's Rules do not allow."""
    holds = _deciding(template, given(template, **parameters))
    return [
        assertion["AssertDescription"]
        for rule in template.get("Rules", {}).values()
        if holds(rule["RuleCondition"])
        for assertion in rule["Assertions"]
        if not holds(assertion["Assert"])
    ]


def translated(template: Template, root: Path = ROOT, /, **parameters: str) -> Template:
    """Return what SAM's translator makes of it, as CloudFormation's transform does; conditions are not decided yet.

    What lies in a folder under `root` is named by its content, in SAM's bucket, as `sam package` names it.
    """
    copy: Template = json.loads(json.dumps(template))
    for resource in copy["Resources"].values():
        for key in {"CodeUri", "ContentUri"} & resource.get("Properties", {}).keys():
            resource["Properties"][key] = f"s3://{BUCKET}/flagcast/{_content(root / resource['Properties'][key])}"
    made: Template = transform(copy, {"AWS::Region": "us-east-1", **parameters}, _NoManagedPolicies())
    return made


def transformed(template: Template, root: Path = ROOT, /, **parameters: str) -> Template:
    """Return what CloudFormation makes resources of: translated, and decided by parameters."""
    return decided(translated(template, root, **parameters), **parameters)


def _content(folder: Path) -> str:
    made = hashlib.sha256()
    for file in sorted(each for each in folder.rglob("*") if each.is_file() and "__pycache__" not in each.parts):
        made.update(f"{file.relative_to(folder)}\0".encode() + file.read_bytes())
    return made.hexdigest()


def resources(template: Template, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Go through the resources of a type: name and properties."""
    for name, resource in template["Resources"].items():
        if resource["Type"] == kind:
            yield name, resource.get("Properties", {})


def name_of(reference: Any) -> str:
    """Return which resource a Ref or Fn::GetAtt speaks of; nothing else speaks of one."""
    match reference:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            return name
        case {"Fn::GetAtt": str(dotted)}:
            return dotted.partition(".")[0]
    return ""
