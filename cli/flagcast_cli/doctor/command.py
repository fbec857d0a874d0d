"""`flagcast doctor`: what is looked at, in which order, and the code it ends with."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flagcast.config.model import Configuration, Source
from flagcast.config.secret_references import Reference, stripped
from flagcast.edges.runtime.configuration_file import read_configuration
from flagcast.errors import ConfigurationUnreadable
from flagcast_cli.checkout import CONFIGURATION, Config
from flagcast_cli.deploy.required_secrets import OWN_SECRET
from flagcast_cli.doctor import endpoint_checks, queue_checks, report, stack_checks
from flagcast_cli.doctor.alarm_checks import check_alarms
from flagcast_cli.doctor.aws_lookup import AwsLookup
from flagcast_cli.doctor.facts import Facts, Where
from flagcast_cli.doctor.finding import Finding, Unknown, exit_code
from flagcast_cli.doctor.flipt_checks import check_flipt
from flagcast_cli.doctor.flipt_facts import Flipt, from_file, from_server, version_at
from flagcast_cli.doctor.gather import gather, send_probe
from flagcast_cli.doctor.secret_lookup import signing_secret
from flagcast_cli.doctor.stack_resources import Stack, stack_at
from flagcast_cli.stack.account import ENVIRONMENT, Account
from flagcast_cli.stack.deployed import existing
from flagcast_cli.stack.samconfig import account_of

CHECKS: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    stack_checks.check_stack,
    stack_checks.check_functions,
    stack_checks.check_own_errors,
    stack_checks.check_event_source,
    queue_checks.check_queues,
    queue_checks.check_dead_letters,
    queue_checks.check_oldest_task,
    check_alarms,
    endpoint_checks.check_secrets,
    endpoint_checks.check_health,
    endpoint_checks.check_probe,
)
"""Every check of a stack, in the order of its lines."""

_SOURCE = "flipt"


def command(
    *,
    stack: str = "flagcast",
    config: Config = CONFIGURATION,
    source: str | None = None,
    secret: Annotated[str | None, Parameter(env_var="FLAGCAST_SIGNING_SECRET", show_env_var=True)] = None,
    url: Annotated[str | None, Parameter(env_var="FLAGCAST_URL", show_env_var=True)] = None,
    flipt: Path | None = None,
    flipt_url: str | None = None,
    json: Annotated[bool, Parameter(help="As JSON.", negative="")] = False,
    account: Account = ENVIRONMENT,
) -> int:
    """Check a deployed stack: its state, queues, alarms, secrets and health, and whether it accepts an event.

    Exits 0 if there is no problem, 1 if there is one, 2 if something could not be checked. It sends one event of
    Flagcast's own, which is verified like any other and stored nowhere.

    Parameters
    ----------
    stack
        The stack, in your account and region.
    source
        The source to send the probe to. Without it, the first one that has signing_secrets.
    secret
        The secret to sign the probe with. Without it, the source's first signing secret is read from AWS.
    url
        The stack's public address, if it is not the API's own: https://flagcast.example.com
    flipt
        Flipt's configuration file, to find settings that lose events. FLIPT_ variables replace its values.
    flipt_url
        The address of Flipt's UI, to ask Flipt for its version, and without --flipt for its configuration.
        FLIPT_TOKEN is sent to it as a bearer token.

    """
    return doctor(
        account,
        stack,
        config=config,
        source=source,
        secret=secret,
        url=url,
        flipt=flipt,
        flipt_url=flipt_url,
        as_json=json,
    )


def examine(account: Account, name: str, config: Path, url: str | None) -> tuple[Finding, ...]:
    """Look at a stack and judge it as `doctor` does, without sending a probe; raises CommandError."""
    account = account_of(account, name, config)
    stack, configuration = _stack(account, name, config, url), _configuration(config)
    return _judged(gather(stack, configuration, _sender(configuration, None)[0], None))


def doctor(
    account: Account,
    name: str,
    *,
    config: Path,
    source: str | None,
    secret: str | None,
    url: str | None,
    flipt: Path | None,
    flipt_url: str | None,
    as_json: bool,
) -> int:
    """Look at a stack, and at the Flipt that sends to it; raises CommandError where there is nothing to look at."""
    stack = _stack(account_of(account, name, config), name, config, url)
    configuration = _configuration(config)
    source, reference = _sender(configuration, source)
    signed_with = stripped(secret or "") or (None if reference is None else signing_secret(stack, reference))
    facts = gather(stack, configuration, source, signed_with)
    findings = _judged(facts)
    findings += tuple(_flipt(stack, facts, signed_with, flipt, flipt_url))
    report.show(facts, findings, as_json=as_json)
    return exit_code(findings)


def _stack(account: Account, name: str, config: Path, url: str | None) -> Stack:
    now, client = time.time(), account.clients()
    found = existing(client("cloudformation"), account, name)
    where = Where(
        name,
        client("cloudformation").meta.region_name,
        account.profile,
        None if config == CONFIGURATION else str(config),
    )
    return stack_at(where, found, AwsLookup(account, client, now), url, now)


def _judged(facts: Facts) -> tuple[Finding, ...]:
    return tuple(each for check in CHECKS for each in check(facts))


def _configuration(path: Path) -> Configuration | Unknown:
    try:
        return read_configuration(path)
    except ConfigurationUnreadable as error:
        return Unknown(str(error), ("Give what is deployed: --config",))


def _sender(configuration: Configuration | Unknown, source: str | None) -> tuple[str, Reference | None]:
    """Choose the source that is probed, and what signs for it: the one that is asked for, else the first that signs.

    None signs for a source that takes bearer tokens alone.
    """
    sources = {} if isinstance(configuration, Unknown) else configuration.sources
    known = {name: each for name, each in sources.items() if isinstance(each, Source) and source in (None, name)}
    for name, each in known.items():
        if each.signing_secrets:
            return name, each.signing_secrets[0].reference
    for name, each in known.items():
        if each.bearer_tokens:
            return name, None
    return source or _SOURCE, OWN_SECRET


def _flipt(
    stack: Stack, facts: Facts, secret: str | Unknown | None, file: Path | None, url: str | None
) -> Iterator[Finding]:
    if file is None and url is None:
        return
    token = stripped(os.environ.get("FLIPT_TOKEN", "")) or None
    version = None if url is None else version_at(url, token)
    if isinstance(version, Unknown):
        yield version.as_finding("flipt version")
        version = None
    known = from_file(file, os.environ, version) if file is not None else from_server(str(url), token, version)
    match known:
        case Finding():
            yield known
        case Unknown():
            yield known.as_finding("flipt")
        case Flipt():
            # Its own secret, where it is known, as a wrong one would be the fault that is looked for.
            answer = send_probe(known.url, known.secret or secret, stack.now) if known.url else None
            answered = None if isinstance(answer, Unknown) else answer
            yield from check_flipt(known, stack.webhook_url(facts.source), answered, facts)
