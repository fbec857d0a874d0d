"""What the doctor prints: a line for each finding, the next command under it, and what they come to."""

import json
from collections.abc import Sequence

from flagcast_cli.console import marked, out
from flagcast_cli.doctor.facts import Facts, Where
from flagcast_cli.doctor.finding import Finding, as_object, exit_code

_MARKS = {
    "ok": "[green]✓[/] {}",
    "note": "[yellow]![/] {}",
    "unknown": "[yellow]?[/] {}",
    "ill": "[red]✗[/] {}",
}
_WIDTH = 18


def show(facts: Facts, findings: tuple[Finding, ...], *, as_json: bool) -> None:
    """Print the findings, for people or as JSON."""
    if as_json:
        out.write(as_text(facts.where, findings))
        return
    for each in findings:
        out.print(marked(_MARKS[each.level], f"{each.check:<{_WIDTH}}"), end=" ")
        out.print(each.found, soft_wrap=True)
        for step in each.next if each.level != "ok" else ():
            out.print(f"    {step}", soft_wrap=True)
    colour = "green" if exit_code(findings) == 0 else "red"
    out.print(summary(findings), style=colour, soft_wrap=True)
    for line in rollback(facts.where, findings):
        out.print(line, soft_wrap=True)


def as_text(where: Where, findings: tuple[Finding, ...]) -> str:
    """Write the findings as JSON, one object."""
    whole = {
        "stack": where.stack,
        "region": where.region,
        "exit_code": exit_code(findings),
        "findings": as_object(findings),
        "rollback": list(rollback(where, findings)),
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def summary(findings: Sequence[Finding]) -> str:
    """Say in one line what the findings come to."""
    ill = sum(each.level == "ill" for each in findings)
    unknown = sum(each.level == "unknown" for each in findings)
    parts = [f"{ill} problem{'s' * (ill > 1)}"] if ill else []
    parts += [f"{unknown} could not be checked"] if unknown else []
    return ", ".join(parts) or "No problem found."


def rollback(where: Where, findings: Sequence[Finding]) -> tuple[str, ...]:
    """Return what ends a fault that the last deploy may have brought; nothing rolls back by itself."""
    if not any(each.level == "ill" and each.by_deploy for each in findings):
        return ()
    return (
        "If the last deploy caused this, deploy the version before it (git log shows the commit):",
        "    git checkout COMMIT -- layers functions template.yaml",
        f"    {where.deploy}",
    )
