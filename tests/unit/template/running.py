"""What an update of the stack reaches: the function that API Gateway and SQS call, as its own properties say it."""

import re
from collections.abc import Mapping
from typing import Any

from tests.support.resolved import Place, resolved
from tests.support.template import Template, name_of, resources

_INVOKED = re.compile(r"functions/\$\{(\w+)\.?\w*\}")


def invoked(template: Template) -> set[str]:
    """Return the logical ids of what the API's routes and the event source mappings call."""
    called = {name_of(each["FunctionName"]) for _, each in resources(template, "AWS::Lambda::EventSourceMapping")}
    for _, api in resources(template, "AWS::ApiGatewayV2::Api"):
        for path in api["Body"]["paths"].values():
            for method in path.values():
                called.update(_INVOKED.findall(str(method["x-amazon-apigateway-integration"]["uri"])))
    return called


def running(template: Template, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what decides which code and settings run: all that is said of what is called, with its values.

    An alias says which version runs, a copy made when that version's logical id was new: a change of the function's
    properties alone does not reach it. https://github.com/aws/serverless-application-model/issues/3820
    """
    values = resolved(template, parameters, Place())["Resources"]
    return {name: values[name] for name in sorted(invoked(template))}
