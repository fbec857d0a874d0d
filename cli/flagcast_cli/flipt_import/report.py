"""What is printed beside the new flagcast.yaml: what to know, the secrets to store, Flipt's new configuration."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from flagcast.config.model import Problem
from flagcast_cli.console import counted
from flagcast_cli.flipt_import.convert import Imported
from flagcast_cli.flipt_import.flipt_file import FliptWebhook
from flagcast_cli.flipt_import.planned_secrets import Secret

_FLIPT = """\
audit:
  events: ["*:*"]                  # everything: Flagcast filters for each destination
  sinks:
    webhook:
      enabled: true
      url: https://...             # output WebhookUrl of the stack{instead}
      signing_secret: "..."        # what its output SigningSecretCommand prints
  buffer:
    capacity: 2                    # the least that Flipt allows: more only delays events
    flush_period: 2m
"""
_TRACING = """\
tracing:
  enabled: true                    # 1.61.1 sends no event of the UI and the REST API without it
"""
_INDENT = "   "


def report(
    imported: Imported, flipt: FliptWebhook, problems: Sequence[Problem], path: Path, stack: str, written: Path | None
) -> Iterator[str]:
    """Yield the lines, none of which holds a secret; `written` is where the configuration went, None for stdout."""
    yield f"{path}: {counted(len(imported.destinations), 'destination')}, {counted(len(imported.secrets), 'secret')}"
    notes = [*imported.notes, *_sampled(flipt), *_redirected(imported)]
    if problems:
        yield from ("", "Fix this before you deploy:", *(f"{_INDENT}{each}" for each in problems))
    if notes:
        yield from ("", "To know:", *(f"{_INDENT}{note}" for note in notes))
    yield from ("", *_next(imported, flipt, path, stack, written))


def _next(imported: Imported, flipt: FliptWebhook, path: Path, stack: str, written: Path | None) -> Iterator[str]:
    steps = 0
    if imported.secrets:
        steps += 1
        yield f"{steps}. Store the secrets for the stack {stack}. Each command copies one from Flipt's file to AWS"
        yield f"{_INDENT}without showing it. (If it exists: put-secret-value --secret-id for create-secret --name.)"
        for each in imported.secrets:
            yield f"{_INDENT}{_store(each, path, stack)}"
            if each.unset:
                yield f"{_INDENT}   # set {', '.join(each.unset)} to the value that it has for Flipt"
    yield f"{steps + 1}. Check and deploy:"
    at = "" if written is None else f" {shlex.quote(str(written))}"
    own = "" if written is None else f" CONFIG={shlex.quote(str(_folder(written)))}"
    yield f"{_INDENT}flagcast check{at} --stack {shlex.quote(stack)} --region REGION"
    yield f"{_INDENT}make deploy STACK={shlex.quote(stack)} REGION=REGION{own}"
    yield f"{steps + 2}. Set up Flipt. It signs only in url mode, not in templates mode:"
    instead = ", instead of templates: Flipt rejects both" if flipt.templates else ""
    text = _FLIPT.format(instead=instead) + ("" if flipt.tracing_enabled else _TRACING)
    yield from (f"{_INDENT}{line}" for line in text.splitlines())
    if flipt.variables:
        yield f"{_INDENT}Variables replace values of the file, so change or unset {', '.join(flipt.variables)}."


def _folder(written: Path) -> Path:
    """Return what make takes for a configuration: its folder, or the file where it has another name."""
    return written.parent if written.name == "flagcast.yaml" else written


def _store(secret: Secret, path: Path, stack: str) -> str:
    """Return a command in which the value is an argument nowhere, so in no history and no list of processes.

    The AWS CLI reads a parameter from a file that is named so:
    https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-parameters-file.html
    """
    return (
        f"flagcast import-flipt {shlex.quote(str(path))} --secret {secret.name} | aws secretsmanager create-secret "
        f"--region REGION --name {shlex.quote(f'flagcast/{stack}/{secret.name}')} --secret-string file:///dev/stdin"
    )


def _sampled(flipt: FliptWebhook) -> Iterator[str]:
    if flipt.sampling_ratio is not None and flipt.sampling_ratio.text not in ("1", "1.0"):
        yield f"{flipt.sampling_ratio.path}: is not 1, so Flipt drops some of the audit events, too"


def _redirected(imported: Imported) -> Iterator[str]:
    """Say what Flipt's client does and Flagcast does not: Go follows a redirect, and sends a 302 on as GET.

    https://pkg.go.dev/net/http#Client
    """
    if imported.destinations:
        yield (
            "Flipt follows redirects, Flagcast does not: if an address redirects, flagcast test NAME shows"
            " the new address: put that one into url"
        )
