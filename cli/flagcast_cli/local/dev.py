"""`flagcast dev`: the local stack as a workbench. What is saved is what the next event meets, and all is seen."""

import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter
from msgspec import Struct

from flagcast.config.model import Configuration, Source
from flagcast.edges.runtime.configuration_file import read_configuration, read_presets
from flagcast.errors import ConfigurationUnreadable
from flagcast_cli.check.located_problem import located, shown_path
from flagcast_cli.check.output import as_text, show_text
from flagcast_cli.check.problems import everything_about
from flagcast_cli.checkout import LOCAL, LOCAL_STACK, Config
from flagcast_cli.console import CommandError, marked, out, show_error, step
from flagcast_cli.deploy.build import FILE
from flagcast_cli.file_watch import PACE, Seen, look, read_for, saves
from flagcast_cli.interruption import INTERRUPTION
from flagcast_cli.local.activity import Activity
from flagcast_cli.local.containers import Bridge, bridge
from flagcast_cli.local.demo import PORT, Port
from flagcast_cli.local.dev_configuration import answers, install, stand_ins, usual
from flagcast_cli.local.emulator import REGION
from flagcast_cli.local.kept import forget_sent, published, signing_secret
from flagcast_cli.local.log_tail import LogTail
from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.sam_local import COMMANDS, prepared
from flagcast_cli.local.stack import WITH_ARCHIVE, Stack, local_stack, restart_functions
from flagcast_cli.request_output import show_request

_LOGS: Final = ("IngestLogGroupName", "DeliverLogGroupName")


class Options(Struct, frozen=True):
    """What was typed: real addresses instead of the receiver, bodies and headers, and whether containers may come in.

    `archive` turns the archive on. `containers` is, by default, whether FLAGCAST_CONTAINERS is set.
    """

    real: bool = False
    full: bool = False
    archive: bool = False
    containers: bool | None = None


class _Bench(Struct, frozen=True):
    """The operator's configuration, the folder that the functions read, and what runs."""

    config: Path
    folder: Path
    options: Options
    stack: Stack
    receiver: Receiver
    secret: str


def command(
    *,
    port: Port = PORT,
    config: Config | None = None,
    real: Annotated[bool, Parameter(negative="")] = False,
    full: Annotated[bool, Parameter(negative="")] = False,
    archive: Annotated[bool, Parameter(negative="")] = False,
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
    archive
        Turn the archive on, for `flagcast --local archive verify` and `flagcast --local replay`.

    """
    return dev(port, config, Options(real=real, full=full, archive=archive))


def dev(port: int, given: Path | None, options: Options) -> int:
    """Keep the stack running, take over what is saved and print what happens, until Ctrl-C; returns the exit code."""
    config, why = (given, "") if given else usual()
    if not config.is_file():
        raise CommandError(f"{config}: No such file", "CONFIG (or --config) is a folder with flagcast.yaml.")
    out.print(marked("Configuration: {}{}", shown_path(config), f", as {why}" if why else ""), soft_wrap=True)
    wanted = bool(os.environ.get("FLAGCAST_CONTAINERS")) if options.containers is None else options.containers
    network = bridge() if wanted else None
    folder = LOCAL_STACK / f"dev-{port}"
    before = look(read_for(config))
    replaced = _installed(config, folder, options)
    _show_problems(config)
    with ExitStack() as opened:
        parameters = WITH_ARCHIVE if options.archive else ()
        stack, receiver = opened.enter_context(local_stack(port, folder / FILE, *parameters))
        if network:
            with step("Letting containers reach it, and writing what sam local reads"):
                stack = opened.enter_context(prepared(stack, receiver, folder / FILE, network))
        bench = _Bench(config, folder, options, stack, receiver, stack.signing_secret if network else signing_secret())
        configuration = _supply(bench)
        url = _url(stack, configuration)
        forget_sent(url)
        opened.enter_context(published(_variables(bench, url)))
        _show_start(bench, url, replaced, network)
        try:
            _work(bench, before)
        except KeyboardInterrupt:
            out.print("\nStopping.")
    return 0


def _work(bench: _Bench, before: Seen) -> None:
    """Take over what is saved and print what happens, until it is interrupted."""
    groups = [bench.stack.outputs[name] for name in _LOGS]
    log = LogTail(bench.stack.emulator.client("logs"), groups, since=0)
    activity, received = Activity(), 0
    # Files are looked at a few times a second: there is no event to wait for.
    for saved in saves(before, lambda: look(read_for(bench.config)), lambda: INTERRUPTION.pause(PACE)):
        if saved:
            _take_over(bench, saved)
        lines = list(activity.lines(log.new()))
        if bench.options.full:
            received = _show_requests(bench.receiver, received)
        for line in lines:
            out.print(line, soft_wrap=True)


def _take_over(bench: _Bench, saved: tuple[Path, ...]) -> None:
    """Show what is wrong with what was saved, and let the functions meet it; what cannot be read changes nothing."""
    names = ", ".join(shown_path(each) for each in saved)
    out.print(marked("[bold]{} saved {}[/]", time.strftime("%H:%M:%S"), names), soft_wrap=True)
    try:
        _installed(bench.config, bench.folder, bench.options)
    except CommandError as error:
        show_error(error)
        out.print("The functions keep what they had.")
        return
    _show_problems(bench.config)
    _supply(bench)
    restart_functions(bench.stack)
    out.print("The next event meets it.")


def _show_problems(config: Path) -> None:
    show_text(located(config, everything_about(config)), shown_path(config))


def _installed(config: Path, folder: Path, options: Options) -> tuple[str, ...]:
    """Put the configuration where the functions read it, if it can be read; raises CommandError."""
    try:
        read_configuration(config)
        return install(config, folder, real=options.real)
    except ConfigurationUnreadable as error:
        [found, *_] = located(config, error.args)
        raise CommandError(*as_text(found)) from error


def _supply(bench: _Bench) -> Configuration:
    """Store a value for each secret that has none yet, and have the receiver answer as the vendors do."""
    configuration = read_configuration(bench.folder / FILE)
    bench.stack.put_secret("flipt-signing-secret", bench.secret)
    for each, value in stand_ins(configuration, bench.secret, real=bench.options.real):
        bench.stack.add(each.stored, value)
    for path, answer in answers(configuration, read_presets()):
        bench.receiver.script(path, [answer])
    return configuration


def _url(stack: Stack, configuration: Configuration) -> str:
    """Return the address of the first source that checks signatures, else of the first one."""
    sources = configuration.sources
    signed = [name for name, each in sources.items() if isinstance(each, Source) and each.signing_secrets]
    return stack.url_of(next(iter([*signed, *sources]), "flipt"))


def _variables(bench: _Bench, url: str) -> dict[str, str]:
    return {
        **bench.stack.emulator.variables,
        "AWS_REGION": REGION,
        "FLAGCAST_WEBHOOK_URL": url,
        "FLAGCAST_SIGNING_SECRET": bench.secret,
        "FLAGCAST_URL": url.partition("/webhooks/")[0],
        "FLAGCAST_CONFIG": str(bench.folder / FILE),
        LOCAL: "1",
    }


def _show_start(bench: _Bench, url: str, replaced: tuple[str, ...], network: Bridge | None) -> None:
    """Print what to type in another terminal: with paths, as nothing is activated there."""
    flagcast = Path(sys.argv[0])
    out.print(marked("\n[bold]The local stack is running.[/] Ctrl-C stops it.\n"))
    out.print(marked("  URL     {}", url), soft_wrap=True)
    out.print(marked("  secret  {}\n", bench.secret), soft_wrap=True)
    if replaced:
        out.print(f"The receiver stands for {', '.join(replaced)}; --real sends to the real addresses.", soft_wrap=True)
    if bench.options.real:
        out.print("Addresses are the real ones. Secrets that are missing: flagcast --local check --stack flagcast")
    out.print("In another terminal:\n")
    for words in ("send", "events", "dlq list"):
        out.print(f"  {flagcast} --local {words}", soft_wrap=True)
    if network:
        out.print("\nIts functions in Lambda's containers, in this folder (docs/sam-local.md):\n")
        for words in COMMANDS:
            out.print(f"  {flagcast.with_name('sam')} local {words}", soft_wrap=True)
    out.print("\nWhat happens:")


def _show_requests(receiver: Receiver, shown: int) -> int:
    """Print the requests that the receiver was sent since; returns how many there are now."""
    requests = receiver.requests()
    for each in requests[shown:]:
        out.print()
        show_request(each.method, each.path, each.headers, each.body)
    return len(requests)
