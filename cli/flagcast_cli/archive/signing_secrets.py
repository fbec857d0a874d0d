"""The secrets that Flipt may have signed with, by source: those that the stack has now, and those that are given."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from flagcast.config.model import Configuration, Source
from flagcast.config.secret_references import stripped
from flagcast.edges.aws.secret_store import SecretStore
from flagcast.edges.runtime.configuration_file import read_configuration
from flagcast.errors import ConfigurationUnreadable
from flagcast_cli.console import CommandError, err, marked
from flagcast_cli.stack.account import Account
from flagcast_cli.stack.deployed import existing
from flagcast_cli.stack.deployed_configuration import deployed_configuration
from flagcast_cli.stack.secret_prefixes import prefixes_of

_WITHIN: Final = 10.0


def given_secrets(secrets: list[str] | None) -> tuple[str, ...]:
    """Return what was typed, without the white space around it."""
    return tuple(stripped(each) for each in secrets or () if stripped(each))


def signing_secrets(stack: str, account: Account, config: Path) -> Mapping[str, tuple[str, ...]]:
    """Return the values of each source's `signing_secrets`; what cannot be had is said, as it leaves events unproven.

    The values are read in memory, and never printed. Raises CommandError where there is no configuration.
    """
    client = account.clients()
    prefixes = prefixes_of(stack, existing(client("cloudformation"), account, stack).parameters)
    store = SecretStore(client, prefixes.secret, prefixes.parameter, os.environ, time.monotonic)
    found: dict[str, tuple[str, ...]] = {}
    for name, source in _configuration(stack, account, config).sources.items():
        if not isinstance(source, Source) or not source.signing_secrets:
            continue
        references = [each.reference for each in source.signing_secrets]
        values, missing = store.lookup(references, time.monotonic() + _WITHIN)
        found[name] = tuple(values.values())
        for why in missing:
            err.print(marked("Without a secret of {}: {}", name, why), style="yellow", soft_wrap=True)
    return found


def _configuration(stack: str, account: Account, config: Path) -> Configuration:
    """Return the deployed configuration, else that of the checkout, which is said."""
    try:
        return deployed_configuration(stack, account)
    except CommandError as error:
        err.print(marked("Secrets as {} names them, as {}", config, error), style="yellow", soft_wrap=True)
    try:
        return read_configuration(config)
    except ConfigurationUnreadable as error:
        raise CommandError(str(error), "flagcast check lists every problem.") from error
