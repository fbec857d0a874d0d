"""Every command by its name. A module is imported when its command is run, so that none waits for the others."""

import os
import sys

from cyclopts import App

from flagcast import __version__
from flagcast.edges.runtime.silence import silence_libraries
from flagcast_cli.console import CommandError, err, show_error, show_traceback
from flagcast_cli.interruption import INTERRUPTION

COMMANDS = {
    "init": "init.command:init",
    "dlq": "dlq.command:app",
    "replay": "replay.command:replay",
    "archive": "archive.command:app",
    "check": "deploy.command:check",
    "build": "deploy.command:build",
    "deploy": "deploy.command:deploy",
    "learn": "flipt_state.command:learn",
    "verify": "flipt_state.command:verify",
    "forget": "flipt_state.command:forget",
    "status": "history.status:status",
    "events": "history.command:events",
    "deliveries": "history.command:deliveries",
    "event": "history.command:event",
    "changes": "history.command:changes",
    "tail": "history.command:tail",
    "ledger": "history.command:app",
    "send": "local.send:command",
    "render": "preview.request_text:command",
    "presets": "presets:show_presets",
    "test": "preview.live_trial:command",
    "doctor": "doctor.command:command",
    "import-flipt": "flipt_import.command:command",
    "demo": "local.demo:demo",
    "dev": "local.dev:command",
}
"""Where each command is, in the order of the help."""

ALL: tuple[list[str], ...] = ([], ["--help"], ["-h"], ["--install-completion"])
"""What shows every command, and so imports them all."""

app = App(
    name="flagcast",
    help="Check, deploy and operate Flagcast, which delivers Flipt's audit events to your destinations.\n\n"
    "`flagcast --local COMMAND` uses the local stack that `make dev` runs.",
    version=__version__,
    # It quotes the words that it does not know.
    error_console=err,
)
for _name, _place in COMMANDS.items():
    app.command(f"flagcast_cli.{_place}", name=_name)
app.register_install_completion_command()


def main() -> None:
    """Run the command and exit with its code."""
    INTERRUPTION.end_by_signals()
    silence_libraries()
    sys.excepthook = show_traceback
    words = sys.argv[1:]
    try:
        if words[:1] == ["--local"]:
            words = words[1:]
            # It reads what the other commands do without.
            from flagcast_cli.local.kept import local_variables

            variables = local_variables(os.environ)
            os.environ.clear()
            os.environ.update(variables)
        if words[:1] in ALL:
            app.resolved_commands()
        code = app(words, result_action="return_value")
    except CommandError as error:
        show_error(error)
        code = 2
    except KeyboardInterrupt:
        code = 130
    sys.exit(code if isinstance(code, int) else 0)
