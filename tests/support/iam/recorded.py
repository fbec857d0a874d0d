"""What the product asks of AWS in the tests, held against the list of it, calls.yaml.

Each client that a role's code gets in a test is watched: a call that is not in the list fails where it is made, and
what a test has made of the list is in `Calls.made`. tests/unit/iam evaluates the list against the roles' policies, and
each test_permissions.py of tests/integration makes every call of its role.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

Role = Literal["ingest", "deliver", "operator"]
ROLES: tuple[Role, ...] = ("ingest", "deliver", "operator")

_LIST = Path(__file__).with_name("calls.yaml")
_ACTIONS = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
}
"""Calls that IAM knows by another name than the API.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html (ActionName.N)
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
"""
_QUEUES = {
    "tasks.fifo": "TaskQueue",
    "dead.fifo": "DeadLetterQueue",
    "dead-letters.fifo": "DeadLetterQueue",
}
"""What the harnesses call the queues, and their logical ids."""

_FUNCTIONS = {"ingest": "IngestFunction", "deliver": "DeliverFunction"}


class NotListed(AssertionError):
    """A call that calls.yaml has not: list it there, and allow it where the role's policy is."""


class Calls:
    """The calls of one test."""

    def __init__(self) -> None:
        self.made: defaultdict[Role, set[tuple[str, str]]] = defaultdict(set)
        self.not_listed: list[str] = []

    def note(self, role: Role, service: str, operation: str, arguments: Mapping[str, Any]) -> None:
        """Note a call; raises NotListed, which the code under test may take for something else."""
        name = f"{service}:{operation}"
        if name == "s3:GetObject" and "VersionId" in arguments:
            name = "s3:GetObjectVersion"  # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
        for action, resource in ((_ACTIONS.get(name, name), each) for each in _resources(service, arguments)):
            self.made[role].add((action, resource))
            if (action, resource) not in calls_of(role):
                self.not_listed.append(f"{role} asks for {action} on {resource}")
                raise NotListed(self.not_listed[-1])


@cache
def calls_of(role: Role) -> frozenset[tuple[str, str]]:
    """Return the list for one role: actions, each with a logical id of the template, or a word of _resources."""
    listed: dict[str, dict[str, list[str]]] = yaml.safe_load(_LIST.read_text())
    return frozenset((action, each) for action, resources in listed[role].items() for each in resources)


_running: list[Calls] = []
"""Those of the test that is running: the product's own threads make calls too, so no context variable holds them."""


@contextmanager
def recording() -> Iterator[Calls]:
    """Record the calls of a test; raises NotListed at its end for what the code under test took for something else."""
    calls = Calls()
    _running.append(calls)
    yield calls
    _running.pop()
    if calls.not_listed:
        raise NotListed(", ".join(calls.not_listed))


def watched(clients: Callable[[str], Any], role: Role) -> Callable[[str], Any]:
    """Return what gives the same clients, watched."""
    return lambda service: _Watched(clients(service), service, role)


_Note = Callable[[str, Mapping[str, Any]], None]


class _Watched:
    """A client of boto3, or what stands for one."""

    def __init__(self, client: Any, service: str, role: Role) -> None:
        self._client = client
        self._note: _Note = lambda operation, arguments: _running[-1].note(role, service, operation, arguments)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name == "get_paginator":
            return lambda operation: _Pages(
                found(operation), lambda arguments: self._note(_pascal(operation), arguments)
            )
        if name in {"exceptions", "meta"}:
            return found

        def call(**arguments: Any) -> Any:
            self._note(_pascal(name), arguments)
            return found(**arguments)

        return call


class _Pages:
    """A paginator of boto3."""

    def __init__(self, pages: Any, note: Callable[[Mapping[str, Any]], None]) -> None:
        self._pages = pages
        self._note = note

    def paginate(self, **arguments: Any) -> Any:
        self._note(arguments)
        return self._pages.paginate(**arguments)


def _pascal(operation: str) -> str:
    return operation.title().replace("_", "")


def _resources(service: str, arguments: Mapping[str, Any]) -> Iterable[str]:
    """Return what a call is about, as calls.yaml names it."""
    match arguments:
        case {"QueueUrl": str(url)}:
            return [_QUEUES[url.rpartition("/")[2]]]
        case {"Bucket": "archive", "Key": _}:
            return ["ArchiveBucket/KEY"]
        case {"Bucket": "archive"}:
            return ["ArchiveBucket"]
        case {"Bucket": _, "Key": str(key)}:
            return [f"BodiesBucket/{key.partition('/')[0]}/KEY"]
        case {"TableName": _}:
            return ["StateTable"]
        case {"RequestItems": dict(tables)}:
            return ["StateTable" for _ in tables]
        case {"logGroupName": str(name)}:
            return [f"{name.rpartition('-')[2].title()}LogGroup"]
        case {"SecretId": _}:
            return ["secret"]
        case {"Name": _} if service == "ssm":
            return ["parameter"]
        case {"Name": _} if service == "events":
            return ["bus"]
        case {"StackName": _}:
            return ["stack"]
        case {"FunctionName": str(name)}:
            return [_FUNCTIONS[name]]
        case {"LayerName": _}:
            return ["configuration-layer"]
        case {"UUID": _}:
            return ["DeliverFunctionTasks"]
        case {"TopicArn": _}:
            return ["topic"]
    return ["*"]
