"""What was verified, as people and machines read it."""

import json
from typing import Any, Final

from flagcast.config.archive_destination import ARCHIVE
from flagcast.primitives.timestamp import rfc3339
from flagcast_cli.archive.findings import Finding, Tally
from flagcast_cli.archive.ledger_comparison import Compared, Lacking
from flagcast_cli.console import counted, marked, out, plain

MOST_SHOWN: Final = 20
"""Objects and events of a list; --json has them all."""
FAULTS: Final = {False: "[green]{:>9}[/] {}", True: "[red]{:>9}[/] {}"}
"""A count of what must not be, by whether there is any."""
WHY: Final = {
    "unsigned": "came without a signature (bearer token, or auth: none)",
    "no_secret": "no signing secret is known for its source",
    "other_secret": "signed with none of the secrets; an earlier one: --secret",
}


def show_each(finding: Finding) -> None:
    """Print one object on a line of its own: result, key, version, what there is to say."""
    words = (finding.result, str(finding.key), finding.version, "; ".join(finding.what))
    out.write("\t".join(map(plain, words)) + "\n")


def show(bucket: str, tally: Tally, compared: Compared | None) -> None:
    """Print the counts, then what is not as it should be."""
    out.print(f"{counted(tally.objects, 'object')} in {bucket}", soft_wrap=True)
    results = tally.results
    out.print(marked("[green]{:>9}[/] proven: Flipt's signature holds", f"{results['proven']:,}"))
    for why, number in sorted(tally.unproven.items()):
        out.print(marked("{:>9} unproven: {}", f"{number:,}", WHY[why]), soft_wrap=True)
    if results["newer"]:
        out.print(marked("{:>9} not read: a later version of Flagcast wrote them", f"{results['newer']:,}"))
    out.print(marked(FAULTS[results["altered"] > 0], f"{results['altered']:,}", "altered"))
    _show_altered(tally)
    _show_others(tally)
    if compared is not None:
        _show_compared(compared)


def _show_altered(tally: Tally) -> None:
    """Print each altered object on lines of its own, so that key and versions can be copied."""
    for each in tally.altered[:MOST_SHOWN]:
        out.print(marked("          [bold]{}[/]", each.key), soft_wrap=True)
        for what in each.what:
            out.print(f"            {plain(what)}", soft_wrap=True)
        intact = f"intact version: {each.intact_version}" if each.intact_version else "no version is intact"
        out.print(f"            {intact}; newest: {each.version}", soft_wrap=True)
    _say_rest(tally.results["altered"])


def _show_others(tally: Tally) -> None:
    number = len(tally.foreign) + tally.more_foreign
    if number:
        first = ", ".join(map(plain, tally.foreign[:3]))
        out.print(f"{counted(number, 'object')} that the archive did not write: {first}", soft_wrap=True)
    if tally.again:
        out.print(f"{counted(tally.again, 'object')} of events that were sent again on a later day", soft_wrap=True)


def _show_compared(compared: Compared) -> None:
    if compared.earliest is None:
        out.print("The log has no delivery to the archive in this time.")
        return
    number = counted(compared.deliveries, "delivery", "deliveries")
    out.print(f"Compared with {number} in the log, since {rfc3339(compared.earliest / 1000)}:", soft_wrap=True)
    out.print(marked(FAULTS[compared.lacking > 0], f"{compared.lacking:,}", "delivered, and not in the archive"))
    if compared.waiting:
        out.print(f"{compared.waiting:>9,} waiting")
    if compared.dead:
        out.print(f"{compared.dead:>9,} dead letters: flagcast dlq redrive --destination {ARCHIVE}", soft_wrap=True)
    for each in compared.lost[:MOST_SHOWN]:
        words = (rfc3339(each.accepted_at / 1000), each.event_id, each.source or "", each.title or "")
        out.print(marked("          {} [bold]{}[/] {} {}", *words), soft_wrap=True)
    _say_rest(compared.lacking)


def as_json(bucket: str, tally: Tally, compared: Compared | None) -> str:
    """Write all of it as JSON."""
    told: dict[str, Any] = {
        "bucket": bucket,
        "objects": tally.objects,
        "proven": tally.results["proven"],
        "unproven": {why: tally.unproven[why] for why in WHY},
        "altered": [_altered(each) for each in tally.altered],
        "altered_in_all": tally.results["altered"],
        "of_a_later_version": tally.results["newer"],
        "foreign": tally.foreign,
        "foreign_in_all": len(tally.foreign) + tally.more_foreign,
        "sent_again_later": tally.again,
        "log": None if compared is None else _compared(compared),
    }
    return json.dumps(told, indent=2) + "\n"


def _altered(each: Finding) -> dict[str, Any]:
    return {
        "key": str(each.key),
        "version": each.version,
        "what": list(each.what),
        "intact_version": each.intact_version,
    }


def _compared(compared: Compared) -> dict[str, Any]:
    return {
        "deliveries": compared.deliveries,
        "since": None if compared.earliest is None else rfc3339(compared.earliest / 1000),
        "lacking": [_lacking(each) for each in compared.lost],
        "lacking_in_all": compared.lacking,
        "waiting": compared.waiting,
        "dead_letters": compared.dead,
    }


def _lacking(each: Lacking) -> dict[str, Any]:
    return {
        "event_id": each.event_id,
        "accepted_at": rfc3339(each.accepted_at / 1000),
        "source": each.source,
        "title": each.title,
    }


def _say_rest(number: int) -> None:
    if number > MOST_SHOWN:
        out.print(f"          and {number - MOST_SHOWN:,} more; --json lists them.")
