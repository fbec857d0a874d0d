"""Whether an alarm is on, and whether anyone is notified."""

from collections.abc import Iterator

from flagcast_cli.doctor.facts import Alarms, Facts
from flagcast_cli.doctor.finding import Finding, Unknown


def check_alarms(facts: Facts) -> Iterator[Finding]:
    """Look at each alarm, and at who is notified."""
    match facts.alarms:
        case Unknown() as unknown:
            yield unknown.as_finding("alarms")
        case Alarms() as alarms:
            found = [*_states(alarms, facts), *_missing(alarms, facts)]
            yield from found or [Finding("alarms", "ok", f"{len(alarms.found)}, none of them on")]
            yield from _subscribers(alarms, facts)


def _states(alarms: Alarms, facts: Facts) -> Iterator[Finding]:
    for each in alarms.found:
        if each.state == "ALARM":
            history = facts.where.aws(f"cloudwatch describe-alarm-history --alarm-name {each.name} --max-items 5")
            yield Finding(
                "alarms", "ill", f"{each.name} is on: {each.description}",
                (f"docs/operations.md#alarms says what to do about {_short(each.name, facts)}", history),
            )  # fmt: skip
        if not each.enabled:
            fix = facts.where.aws(f"cloudwatch enable-alarm-actions --alarm-names {each.name}")
            yield Finding("alarms", "ill", f"{each.name} notifies no one: its actions are disabled", (fix,))


def _missing(alarms: Alarms, facts: Facts) -> Iterator[Finding]:
    if alarms.missing:
        found = f"{', '.join(alarms.missing)}: deleted since the deploy"
        drift = facts.where.aws(f"cloudformation detect-stack-drift --stack-name {facts.where.stack}")
        yield Finding("alarms", "ill", found, (drift,))


def _subscribers(alarms: Alarms, facts: Facts) -> Iterator[Finding]:
    if alarms.found and not alarms.subscribers:
        found = "no one is notified: the stack has no AlarmTopicArn"
        yield Finding(
            "alarm topic", "note", found, ("Deploy with the parameter AlarmTopicArn: docs/operations.md#alarms",)
        )
    for topic, subscribers in alarms.subscribers.items():
        if isinstance(subscribers, Unknown):
            yield subscribers.as_finding("alarm topic")
        elif subscribers:
            yield Finding("alarm topic", "ok", f"{subscribers} are notified through {topic.rpartition(':')[2]}")
        else:
            fix = facts.where.aws(
                f"sns subscribe --topic-arn {topic} --protocol email --notification-endpoint YOU@EXAMPLE.COM"
            )
            found = f"no one is notified: {topic.rpartition(':')[2]} has no confirmed subscription"
            yield Finding("alarm topic", "ill", found, (fix,))


def _short(name: str, facts: Facts) -> str:
    return name.removeprefix(f"{facts.where.stack}-")
