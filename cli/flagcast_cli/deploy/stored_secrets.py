"""Whether what a configuration needs is there, by its metadata: a deployer often may not read a value."""

import shlex
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from itertools import batched
from typing import Any, assert_never

from msgspec import Struct

from flagcast.config.model import Problem
from flagcast_cli.deploy.required_secrets import Needed
from flagcast_cli.stack.account import Account

_MOST_NAMES = 50
"""https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterStringFilter.html"""


class Fault(Struct, frozen=True):
    """A problem, the command that ends it, and what it is that is missing."""

    problem: Problem
    fix: str
    needed: Needed | None = None

    def __str__(self) -> str:
        """Return both, the command on a line of its own."""
        return f"{self.problem}\n    {self.fix}"


class Stores:
    """Secrets Manager and Parameter Store of one account and region."""

    def __init__(self, client: Callable[[str], Any], account: Account, region: str) -> None:
        """Keep how to ask, and how to name the place in a command."""
        self._client = client
        self._account = account
        self._region = region
        self.options = f"--region {region}" + (f" --profile {shlex.quote(account.profile)}" if account.profile else "")

    def missing(self, needed: Iterable[Needed], variables: Container[str]) -> Iterator[Fault]:
        """Yield what is not there; `variables` are those of the functions. Raises CommandError."""
        listed = list(needed)
        parameters = self._parameters([each.name for each in listed if each.stored.store == "ssm"])
        for each in listed:
            match each.stored.store:
                case "secret":
                    yield from self._secret(each)
                case "ssm":
                    if each.name not in parameters:
                        command = f"put-parameter {self.options} --name {shlex.quote(each.name)} --type SecureString"
                        yield self._absent(each, "parameter", f"aws ssm {command} --value '...'")
                case "env":
                    if each.name not in variables:
                        problem = f"{each.stored} is a variable that the functions do not have"
                        fix = f"Add {each.name} under Globals: Function: Environment: Variables in template.yaml."
                        yield Fault(_needed_by(each, problem), fix, each)
                case other:
                    assert_never(other)

    def _secret(self, each: Needed) -> Iterator[Fault]:
        """Describe a secret, which shows nothing of its value.

        https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
        """
        secrets = self._client("secretsmanager")
        denied = "The check needs secretsmanager:DescribeSecret for the secrets under the stack's prefix."
        with self._account.asking(f"could not look up the secret {each.name}", denied):
            try:
                found = secrets.describe_secret(SecretId=each.name)
            except secrets.exceptions.ResourceNotFoundException:
                found = None
        if found is None:
            value = "{" + ", ".join(f'"{key}": "..."' for key in each.keys) + "}" if each.keys else "..."
            command = f"create-secret {self.options} --name {shlex.quote(each.name)} --secret-string '{value}'"
            yield self._absent(each, "secret", f"aws secretsmanager {command}")
        elif "DeletedDate" in found:
            problem = f"the secret {each.name} ({each.stored}) is marked for deletion in {self._region}"
            command = f"restore-secret {self.options} --secret-id {shlex.quote(each.name)}"
            yield Fault(_needed_by(each, problem), f"aws secretsmanager {command}", each)

    def _parameters(self, names: Sequence[str]) -> set[str]:
        """Return which parameters there are.

        Who may ask may ask for all: https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-setting-up.html
        The answer may come in pages that hold none: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeParameters.html
        """
        found: set[str] = set()
        denied = "The check needs ssm:DescribeParameters, which IAM can only allow for all parameters (*)."
        for chunk in batched(names, _MOST_NAMES, strict=False):
            filters = [{"Key": "Name", "Option": "Equals", "Values": list(chunk)}]
            with self._account.asking("could not look up the parameters", denied):
                for page in self._client("ssm").get_paginator("describe_parameters").paginate(ParameterFilters=filters):
                    found |= {each["Name"] for each in page["Parameters"]}
        return found

    def _absent(self, each: Needed, what: str, fix: str) -> Fault:
        problem = f"the {what} {each.name} ({each.stored}) is not in {self._region}"
        return Fault(_needed_by(each, problem), fix, each)


def _needed_by(each: Needed, problem: str) -> Problem:
    others = len(each.users) - 1
    return Problem(each.users[0], f"{problem}; {others} more need{'s' * (others == 1)} it" if others else problem)
