"""The command line: what can be said, and what is printed for it."""

import os
import shlex
import signal
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from flagcast import __version__
from flagcast.config.secret_references import stripped
from flagcast.edges.wiring.log_silencing import silence_libraries
from flagcast_cli.checkout import CONFIGURATION, Config
from flagcast_cli.console import CommandError, err, marked, out, show_error, show_traceback
from flagcast_cli.deploy.command import build, check, deploy
from flagcast_cli.dlq.command import app as dead_letters
from flagcast_cli.doctor import command as doctoring
from flagcast_cli.flipt_import import command as importing
from flagcast_cli.flipt_state.command import forget, learn, verify
from flagcast_cli.history import command as ledger
from flagcast_cli.history.status import status
from flagcast_cli.init.command import init
from flagcast_cli.local import demo as local_demo
from flagcast_cli.local import send as sending
from flagcast_cli.presets import show_presets
from flagcast_cli.preview.live_trial import trial
from flagcast_cli.preview.request_text import preview, preview_all
from flagcast_cli.samples import sample
from flagcast_cli.stack.account import ENVIRONMENT, Account
from flagcast_cli.stack.samconfig import account_of

app = App(
    name="flagcast",
    help="Try, check and run Flagcast: Flipt's audit webhooks, fanned out.",
    version=__version__,
)
app.command(init)
app.command(dead_letters)
app.command(check)
app.command(build)
app.command(deploy)
app.command(learn)
app.command(verify)
app.command(forget)
for _asks in (status, ledger.events, ledger.deliveries, ledger.event, ledger.changes, ledger.tail, ledger.app):
    app.command(_asks)
app.register_install_completion_command()

Port = Annotated[int, Parameter(help="The port of the local stack on 127.0.0.1.")]


@app.command
def send(
    file: Path | None = None,
    /,
    *,
    url: str,
    secret: Annotated[str | None, Parameter(env_var="FLAGCAST_SIGNING_SECRET")] = None,
    type: str = "flag",  # noqa: A002 - Flipt's name for it
    action: str = "updated",
) -> int:
    """Sign and post one event as Flipt does, and print the answer.

    Parameters
    ----------
    file
        A body to send byte for byte; without it a sample of --type and --action is sent, stamped with the time.
    url
        Where to: the stack's output WebhookUrl.
    secret
        The signing secret; better in the variable than on the command line, where others can see it.
    type
        The sample's type: flag, variant, segment, constraint, rule, distribution, rollout, namespace or token.
    action
        The sample's action: created, updated or deleted.

    """
    if not (secret := stripped(secret or "")):
        raise CommandError(
            "no secret to sign with",
            "Set FLAGCAST_SIGNING_SECRET to what the stack's output SigningSecretCommand prints.",
        )
    body = sending.read(file) if file else sending.stamped(sending.read(sample(type, action)))
    answer = sending.send(body, url, secret)
    colour = "green" if answer.status == 200 else "red"
    out.print(answer.status, style=colour, end=" ")
    out.print(answer.body, soft_wrap=True)
    if answer.advice:
        err.print(answer.advice, soft_wrap=True)
    return 0 if answer.status == 200 else 1


@app.command
def render(
    destination: str,
    event: str = "flag-updated",
    /,
    *,
    all: bool = False,  # noqa: A002 - what people type
    changes: bool = False,
    config: Config = CONFIGURATION,
) -> int:
    """Print what a destination would be sent: method, address, headers and body; nothing is sent.

    Parameters
    ----------
    destination
        Its name in the configuration.
    event
        A sample (such as flag-updated or flag-deleted-denied) or the file of a body.
    all
        Every sample, one after the other.
    changes
        As if Flagcast had seen each thing before, in another state.

    """
    if all:
        return preview_all(config, destination, changes=changes)
    return preview(config, destination, event, changes=changes)


@app.command
def presets() -> int:
    """List the ready-made destinations, and what each needs."""
    show_presets()
    return 0


@app.command(name="test")
def try_(
    destination: str,
    /,
    *,
    config: Config = CONFIGURATION,
    stack: str = "flagcast",
    account: Account = ENVIRONMENT,
) -> int:
    """Send one marked event to one destination, from here, and say what it answered.

    Parameters
    ----------
    destination
        Its name in the configuration.
    stack
        The stack whose secrets and parameters are used.

    """
    code = trial(config, destination, stack, account_of(account, stack, config))
    if code:
        named = shlex.join(["flagcast", "dlq", "list", "--destination", destination, "--stack", stack])
        err.print(marked("Its dead letters: {}", named), soft_wrap=True)
    return code


@app.command
def doctor(
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
    """Look once at a deployed stack: its state, queues, alarms, secrets, health, and whether it accepts an event.

    Exits 0 if all is well, 1 if something is wrong, 2 if something could not be looked at. What it sends is an event of
    Flagcast's own, which is verified like any other and stored nowhere.

    Parameters
    ----------
    stack
        The stack, in your account and region.
    source
        The source to send the probe to; without it the first one that has signing_secrets.
    secret
        What to sign the probe with; without it the source's first signing secret is read from Secrets Manager.
    url
        The stack's public address, if it is not the API's own: https://flagcast.example.com
    flipt
        Flipt's configuration file, to look for settings that lose events. FLIPT_ variables stand over it.
    flipt_url
        The address of Flipt's UI: asks Flipt for its version, and without --flipt for its configuration.
        FLIPT_TOKEN is sent to it as a bearer token.

    """
    return doctoring.doctor(
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


@app.command
def import_flipt(
    file: Path,
    /,
    *,
    output: Path | None = None,
    force: Annotated[bool, Parameter(negative="")] = False,
    stack: str = "flagcast",
    secret: str | None = None,
) -> int:
    """Make flagcast.yaml of a Flipt configuration that sends webhooks itself, and say what to do next.

    The new file goes to stdout, everything else to stderr. FLIPT_ variables stand over the file, as they do in Flipt.
    Exits 1 if what was written has something to mend.

    Parameters
    ----------
    file
        Flipt's configuration file (Flipt 1, YAML).
    output
        Where to write instead of stdout; a file that is there already is replaced only with --force.
    force
        Replace the file that --output names.
    stack
        The stack that the secrets are stored for.
    secret
        Write the value of one secret into a pipe, and nothing else.

    """
    return importing.import_flipt(file, environ=os.environ, output=output, force=force, stack=stack, secret=secret)


@app.command
def demo(*, port: Port = local_demo.PORT) -> int:
    """Build and deploy the real template on this machine, send captured events through it, show what arrived."""
    return local_demo.demo(port)


@app.command
def dev(*, port: Port = local_demo.PORT, config: Config = local_demo.CONFIGURATION) -> int:
    """Keep the local stack running, with a receiver that prints what arrives, until Ctrl-C.

    In a configuration of your own, ${ssm:receiver} stands for the receiver's address.
    """
    return local_demo.dev(port, config)


def main() -> None:
    """Run the command and exit with its code."""
    for ended in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # All as Ctrl-C does, so that what was started is stopped; a shell ignores SIGINT for what it runs behind.
        signal.signal(ended, signal.default_int_handler)
    silence_libraries()
    sys.excepthook = show_traceback
    try:
        code = app(result_action="return_value")
    except CommandError as error:
        show_error(error)
        code = 2
    except KeyboardInterrupt:
        code = 130
    sys.exit(code if isinstance(code, int) else 0)
