"""`flagcast check --stack`: whether a stack can run a configuration, looked up with the operator's own credentials."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from flagcast.config.model import Problem
from flagcast.edges.aws.secret_store import SecretStore
from flagcast.edges.runtime.configuration_file import read_configuration, read_templates
from flagcast.errors import ConfigurationUnreadable
from flagcast_cli.checkout import TEMPLATE
from flagcast_cli.deploy.required_secrets import OWN_SECRET, needed
from flagcast_cli.deploy.secret_values import unusable
from flagcast_cli.deploy.stored_secrets import Fault, Stores
from flagcast_cli.deploy.target_check import PARAMETER, missing_buses, not_granted
from flagcast_cli.samples import sample_events
from flagcast_cli.stack.account import Account
from flagcast_cli.stack.deployed import deployed
from flagcast_cli.stack.samconfig import Environment
from flagcast_cli.stack.secret_prefixes import prefixes_of

NEVER_MADE = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED"})
"""What a stack is whose first deployment failed; it can be deleted, and nothing else.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-describing-stacks.html
"""


class Target(Struct, frozen=True):
    """A stack, where it is, and the environment of samconfig.toml that deploys it, if one does."""

    stack: str
    account: Account
    environment: Environment | None = None

    @classmethod
    def of(cls, stack: str, account: Account, environment: Environment | None) -> "Target":
        """Take what was not typed from the environment, as `sam deploy` does."""
        if environment is not None:
            account = Account(
                profile=account.profile or environment.profile, region=account.region or environment.region
            )
        return cls(stack, account, environment)


def faults(config: Path, target: Target, *, values: bool) -> Iterator[Problem | Fault]:
    """Yield whatever a stack lacks for a configuration that is right as far as it can be read. Raises CommandError.

    The prefixes are those that the next deployment gives the stack: what samconfig.toml sets, else what the stack has.
    """
    try:
        configuration, templates = read_configuration(config), read_templates(config)
    except ConfigurationUnreadable:
        return  # flagcast check says so.
    client = target.account.clients()
    region = str(client("cloudformation").meta.region_name)
    found = deployed(client("cloudformation"), target.account, target.stack)
    stores = Stores(client, target.account, region)
    if found and found.status in NEVER_MADE:
        problem = Problem(
            target.stack, f"the stack is {found.status}: its first deploy failed, and it cannot be updated"
        )
        yield Fault(problem, f"aws cloudformation delete-stack {stores.options} --stack-name {target.stack}")
        found = None
    given = (target.environment.parameters if target.environment else {}, found.parameters if found else {})
    prefixes = prefixes_of(target.stack, *given)
    yield from not_granted(configuration, next((each[PARAMETER] for each in given if PARAMETER in each), ""))
    yield from missing_buses(configuration, target.account)
    before = prefixes_of(target.stack, found.parameters) if found else None
    # A stack makes its own secret with the first deployment, and another one when the prefix changes.
    is_made = before is not None and before.secret == prefixes.secret
    listed = [each for each in needed(configuration, prefixes) if is_made or each.stored != OWN_SECRET]
    variables = template_variables(TEMPLATE) if any(each.stored.store == "env" for each in listed) else {}
    missing = list(stores.missing(listed, variables))
    yield from missing
    if values:
        known = {name: value for name, value in variables.items() if isinstance(value, str)}
        unread = {each.needed.stored for each in missing if each.needed} | (set() if is_made else {OWN_SECRET})
        unread |= {each.stored for each in listed if each.stored.store == "env" and each.name not in known}
        store = SecretStore(client, prefixes.secret, prefixes.parameter, known, time.monotonic)
        yield from unusable(configuration, templates, sample_events(configuration), store, unread)


def template_variables(template: Path) -> Mapping[str, object]:
    """Return the variables that a template gives its functions; those that are no plain text are looked up by AWS."""
    # Loaded where it is used: it takes longer than the rest of a command's start.
    from samtranslator.yaml_helper import yaml_parse

    document = yaml_parse(template.read_text(encoding="utf-8"))
    functions = [document.get("Globals", {}).get("Function", {})]
    functions += [each.get("Properties", {}) for each in document["Resources"].values()]
    found: dict[str, object] = {}
    for each in functions:
        environment = each.get("Environment", {})
        found |= environment.get("Variables", {}) if isinstance(environment, dict) else {}
    return found
