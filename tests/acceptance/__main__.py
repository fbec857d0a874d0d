"""Try Flagcast on a real AWS account: ``make acceptance STACK=flagcast-acceptance``.

``--yes`` does not ask. ``--clean`` deletes what an earlier run left, and does nothing else.
"""

import signal
import sys
import tempfile
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from flagcast_cli.console import CommandError, marked, out, show_error
from flagcast_cli.stack.account import ENVIRONMENT, Account
from tests.acceptance.deleting import require_nothing_there
from tests.acceptance.places import TAG, OnAws
from tests.acceptance.run import Run
from tests.acceptance.steps import Failed, carry_out
from tests.acceptance.story import DELETING, STORY

app = App(name="acceptance", help=__doc__)

Flag = Annotated[bool, Parameter(negative="")]

ANNOUNCEMENT = """\
This makes, in account {account}, region {region}:

  the stack {stack}, Flagcast as template.yaml describes it, with what the stack keeps (two queues, a table, a bucket)
  the stack {stack}-receiver: a Lambda function with a public address, and a table. It stands for the destinations
  the secret flagcast/{stack}/flipt-signing-secret, and two parameters below /flagcast/{stack}/

All of it has the tag {tag}={stack}, and is deleted at the end, also after a failure or Ctrl-C. SAM's own bucket
(aws-sam-cli-managed-default-*), which all SAM stacks of the region share, stays.
It costs about $0.02 for each hour that it is there (docs/cost.md: about $11 a month with 1,000 events). A run is
expected to take 30 to 60 minutes, most of it until the alarm changes.
"""


@app.default
def acceptance(
    *,
    stack: str = "flagcast-acceptance",
    yes: Flag = False,
    clean: Flag = False,
    account: Account = ENVIRONMENT,
) -> int:
    """Deploy, try everything, delete everything. Exits 1 if a step failed, 2 if there was nothing to do.

    Parameters
    ----------
    stack
        A name that no stack has: a stack that this did not make is not touched.
    yes
        Do not ask.
    clean
        Delete what an earlier run left.

    """
    with tempfile.TemporaryDirectory() as folder:
        place = OnAws(stack, account, Path(folder))
        with account.asking("AWS could not be asked"):
            if not clean:
                require_nothing_there(place)
                ask(place, yes=yes)
            return tried(Run(place), clean=clean)


def tried(run: Run, *, clean: bool = False) -> int:
    """Carry out the story, or its end alone; returns the exit code."""
    try:
        carry_out(DELETING if clean else STORY, () if clean else DELETING, run)
    except Failed as failed:
        out.print(marked("[red]✗[/] failed: {}", failed))
        return 1
    out.print(marked("[green]✓[/] all steps done"))
    return 0


def ask(place: OnAws, *, yes: bool) -> None:
    """Say what will be made and what it costs; raises CommandError unless it is agreed to."""
    identity = place.client("sts").get_caller_identity()
    region = place.client("cloudformation").meta.region_name
    made = ANNOUNCEMENT.format(account=identity["Account"], region=region, stack=place.stack, tag=TAG)
    out.print(made, soft_wrap=True)
    if yes:
        return
    if not sys.stdin.isatty():
        raise CommandError("there is no terminal to ask", "Nothing was made. Add ARGS=--yes.")
    if out.input("Make it? [y/N] ").strip().lower() not in ("y", "yes"):
        raise CommandError("nothing was made")


def main() -> int:
    """Run the command; returns the exit code."""
    for ended in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # All as Ctrl-C does, so that what was made is deleted.
        signal.signal(ended, signal.default_int_handler)
    try:
        code = app(result_action="return_value")
    except CommandError as error:
        show_error(error)
        return 2
    except KeyboardInterrupt:
        out.print("Interrupted. If a step above says that something is left: ARGS=--clean deletes it.")
        return 130
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main())
