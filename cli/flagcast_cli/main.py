"""The command line: what can be said, and what is printed for it."""

import os
import shlex
import signal
import sys
import time
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number

from flagcast import __version__
from flagcast.config.secret_references import stripped
from flagcast.edges.wiring.log_silencing import silence_libraries
from flagcast_cli.archive.command import app as archive
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
from flagcast_cli.local import dev as workbench
from flagcast_cli.local import send as sending
from flagcast_cli.local.kept import local_variables
from flagcast_cli.presets import show_presets
from flagcast_cli.preview.live_trial import trial
from flagcast_cli.preview.request_text import Asked, preview
from flagcast_cli.preview.request_text import watch as watch_preview
from flagcast_cli.replay.command import replay
from flagcast_cli.stack.account import ENVIRONMENT, Account
from flagcast_cli.stack.samconfig import account_of

app = App(
    name="flagcast",
    help="Check, deploy and operate Flagcast, which delivers Flipt's audit events to your destinations.\n\n"
    "`flagcast --local COMMAND` uses the local stack that `make dev` runs.",
    version=__version__,
)
app.command(init)
app.command(dead_letters)
app.command(replay)
app.command(archive)
app.command(check)
app.command(build)
app.command(deploy)
app.command(learn)
app.command(verify)
app.command(forget)
for _asks in (status, ledger.events, ledger.deliveries, ledger.event, ledger.changes, ledger.tail, ledger.app):
    app.command(_asks)
app.register_install_completion_command()

Port = Annotated[int, Parameter(help="The port of the local stack on 127.0.0.1.", validator=Number(gte=1, lte=65_535))]


@app.command
def send(
    file: Annotated[Path | None, Parameter(allow_leading_hyphen=True)] = None,
    /,
    *,
    url: Annotated[str | None, Parameter(env_var="FLAGCAST_WEBHOOK_URL")] = None,
    secret: Annotated[str | None, Parameter(env_var="FLAGCAST_SIGNING_SECRET")] = None,
    type: str | None = None,  # noqa: A002 - Flipt's name for it
    action: str | None = None,
    again: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Sign and post one event as Flipt does, and print the answer.

    To the local stack: flagcast --local send

    Parameters
    ----------
    file
        A file whose bytes are sent unchanged, or - for standard input. Without it, a sample of --type and --action
        with the present time.
    url
        The address to post to: the stack's output WebhookUrl.
    secret
        The signing secret. Set the variable instead if others can see your command line.
    type
        The sample's type: flag (unless said), variant, segment, constraint, rule, distribution, rollout, namespace or
        token.
    action
        The sample's action: created, updated (unless said) or deleted.
    again
        Give the file's event the time of now, so that it is a new one and no repeat.

    """
    if url is None:
        raise CommandError(
            "no address to send to",
            "Add --url, the stack's output WebhookUrl; or flagcast --local send, with make dev.",
        )
    if not (secret := stripped(secret or "")):
        raise CommandError(
            "no signing secret is given",
            "Set FLAGCAST_SIGNING_SECRET to what the stack's output SigningSecretCommand prints.",
        )
    answer = sending.send(sending.body_of(sending.Typed(file, type, action, again)), url, secret)
    colour = "green" if answer.status == 200 else "red"
    out.print(answer.status, style=colour, end=" ")
    out.print(answer.body, soft_wrap=True)
    for said in (answer.advice, sending.repeat(url, answer, time.time())):
        if said:
            err.print(said, soft_wrap=True)
    return 0 if answer.status == 200 else 1


@app.command
def render(
    destination: str,
    event: str | None = None,
    /,
    *,
    all: Annotated[bool, Parameter(negative="")] = False,  # noqa: A002 - what people type
    changes: Annotated[bool, Parameter(negative="")] = False,
    watch: Annotated[bool, Parameter(negative="")] = False,
    exact: Annotated[bool, Parameter(negative="")] = False,
    config: Config = CONFIGURATION,
) -> int:
    """Print the request that a destination would receive (method, address, headers, body), and send nothing.

    Parameters
    ----------
    destination
        Its name in the configuration.
    event
        The name of a sample, such as flag-deleted-denied, or a file with an event. Without it, flag-updated.
    all
        Print the request for every sample.
    changes
        Render as if Flagcast knew what each event changed.
    watch
        Print it again each time that the configuration, a template or the event is saved, until Ctrl-C.
    exact
        Print only the bytes of the body, unchanged.

    """
    if all and (event is not None or exact):
        raise CommandError(f"--all and {'--exact' if event is None else 'an event'} contradict each other", "Give one.")
    asked = Asked(config, destination, None if all else event or "flag-updated", changes=changes, exact=exact)
    return watch_preview(asked) if watch else preview(asked)


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
    event: str | None = None,
    notice: Annotated[bool, Parameter(negative="")] = False,
    config: Config = CONFIGURATION,
    stack: str = "flagcast",
    account: Account = ENVIRONMENT,
) -> int:
    """Send one marked event from this machine to one destination, and print the answer.

    Parameters
    ----------
    destination
        Its name in the configuration.
    event
        Send this one instead: a sample (such as flag-deleted-denied) or the file of a body. It is not marked as a test.
    notice
        Send a notice, as the destination that `notify` names gets when another one is in trouble.
    stack
        The stack whose secrets and parameters are used.

    """
    if event is not None and notice:
        raise CommandError("--event and --notice are two events", "Give one of them.")
    code = trial(config, destination, stack, account_of(account, stack, config), event, notice=notice)
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
    """Convert the webhooks of a Flipt configuration to a flagcast.yaml, and print the next steps.

    The new file goes to stdout, everything else to stderr. FLIPT_ variables replace values of the file, as in
    Flipt. Exits 1 if the new file has a problem that you must fix.

    Parameters
    ----------
    file
        Flipt's configuration file (Flipt 1, YAML).
    output
        The file to write instead of stdout. An existing file is replaced only with --force.
    force
        Replace the file that --output names.
    stack
        The stack for which the secrets are stored.
    secret
        Write only the value of this secret, into a pipe.

    """
    return importing.import_flipt(file, environ=os.environ, output=output, force=force, stack=stack, secret=secret)


@app.command
def demo(*, port: Port = local_demo.PORT) -> int:
    """Build and deploy the real template on this machine, send captured events through it, show what arrived."""
    return local_demo.demo(port)


@app.command
def dev(
    *,
    port: Port = local_demo.PORT,
    config: Config | None = None,
    real: Annotated[bool, Parameter(negative="")] = False,
    full: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Keep the local stack running, take over what is saved, and print what happens, until Ctrl-C.

    Without a configuration it is layers/config/flagcast.yaml, or the demo's if that has no destination. A receiver on
    this machine stands for every destination. Other commands work on this stack with --local: flagcast --local send

    Parameters
    ----------
    real
        Send to the addresses that the configuration names, instead of the receiver.
    full
        Print the requests that the receiver is sent, with headers and bodies.

    """
    return workbench.dev(port, config, workbench.Options(real=real, full=full))


def main() -> None:
    """Run the command and exit with its code."""
    for ended in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # All as Ctrl-C does, so that what was started is stopped; a shell ignores SIGINT for what it runs behind.
        signal.signal(ended, signal.default_int_handler)
    silence_libraries()
    sys.excepthook = show_traceback
    words = sys.argv[1:]
    try:
        if words[:1] == ["--local"]:
            words = words[1:]
            variables = local_variables(os.environ)
            os.environ.clear()
            os.environ.update(variables)
        code = app(words, result_action="return_value")
    except CommandError as error:
        show_error(error)
        code = 2
    except KeyboardInterrupt:
        code = 130
    sys.exit(code if isinstance(code, int) else 0)
