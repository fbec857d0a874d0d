from msgspec import structs

from flagcast_cli.doctor.alarm_checks import check_alarms
from flagcast_cli.doctor.facts import Alarm, Alarms
from flagcast_cli.doctor.finding import Finding, Unknown
from tests.unit.doctor_facts import ALARM, OPTIONS, STACK, TOPIC, facts


def lines_of(*found: Alarm, missing: tuple[str, ...] = (), subscribers: object = 1) -> list[Finding]:
    alarms = Alarms(found, missing, {TOPIC: subscribers} if subscribers is not None else {})  # type: ignore[dict-item]
    return [*check_alarms(facts(alarms=alarms))]


def test_an_alarm_that_is_on_is_shown_with_what_to_do() -> None:
    quiet = structs.replace(ALARM, name=f"{STACK}-quiet", state="INSUFFICIENT_DATA")
    line, topic = lines_of(structs.replace(ALARM, state="ALARM"), quiet)
    assert (line.check, line.level, topic.level) == ("alarms", "ill", "ok")
    assert line.found == f"{STACK}-dead-letters is on: There are dead letters."
    assert line.next[0] == "docs/operations.md#alarms says what to do about dead-letters"
    assert line.next[1].startswith(f"aws cloudwatch describe-alarm-history --alarm-name {STACK}-dead-letters")
    assert not line.by_deploy


def test_an_alarm_that_is_disabled_is_shown_with_the_command_that_enables_it() -> None:
    line, _ = lines_of(structs.replace(ALARM, enabled=False))
    assert (line.level, line.next) == (
        "ill", (f"aws cloudwatch enable-alarm-actions --alarm-names {ALARM.name} {OPTIONS}",),
    )  # fmt: skip


def test_an_alarm_that_was_deleted_is_missed() -> None:
    line, _ = lines_of(ALARM, missing=(f"{STACK}-quiet",))
    assert (line.level, line.found) == ("ill", f"{STACK}-quiet: deleted since the deploy")


def test_alarms_without_a_topic_are_worth_a_note() -> None:
    _, line = lines_of(structs.replace(ALARM, topics=()), subscribers=None)
    assert (line.check, line.level) == ("alarm topic", "note")
    assert "AlarmTopicArn" in line.found


def test_a_topic_to_which_no_one_has_subscribed_is_ill() -> None:
    _, line = lines_of(ALARM, subscribers=0)
    assert (line.check, line.level) == ("alarm topic", "ill")
    assert line.next[0].startswith(f"aws sns subscribe --topic-arn {TOPIC} --protocol email")


def test_a_topic_that_cannot_be_asked_is_said_to_be() -> None:
    _, line = lines_of(ALARM, subscribers=Unknown("denied"))
    assert (line.check, line.level, line.found) == ("alarm topic", "unknown", "could not check: denied")


def test_a_stack_without_alarms_has_nothing_to_say_of_topics() -> None:
    assert lines_of(subscribers=None) == [Finding("alarms", "ok", "0, none of them on")]
