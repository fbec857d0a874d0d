"""Whether an event would be accepted: the secrets, the health endpoint, and a signed probe."""

from collections.abc import Iterator

import msgspec

from flagcast_cli.doctor.facts import Answer, Facts, NoAnswer, Secrets
from flagcast_cli.doctor.finding import Finding, Unknown


class _Accepted(msgspec.Struct):
    event_id: str
    deliveries: int


def check_secrets(facts: Facts) -> Iterator[Finding]:
    """Look at whether each secret and parameter that the configuration names exists."""
    match facts.secrets:
        case Unknown() as unknown:
            yield unknown.as_finding("secrets")
        case Secrets(number, ()):
            yield Finding("secrets", "ok", f"{number}, each exists")
        case Secrets(_, faults):
            yield from (Finding("secrets", "ill", str(each.problem), (each.fix,)) for each in faults)


def check_health(facts: Facts) -> Iterator[Finding]:
    """Look at what GET /health answers."""
    match facts.health:
        case Unknown() as unknown:
            yield unknown.as_finding("health")
        case NoAnswer(url, error):
            yield Finding("health", "ill", f"{url} did not answer: {error}", (f"curl -i {url}",))
        case Answer(url, 200):
            yield Finding("health", "ok", f"{url} answers 200")
        case Answer(url, 503):
            found = f"{url} answers 503: the configuration cannot be read"
            yield Finding("health", "ill", found, (facts.where.check, _log(facts)), by_deploy=True)
        case Answer(url, 404):
            fix = f"Give the address that answers for the stack: {facts.where.flagcast('doctor')} --url https://..."
            yield Finding("health", "ill", f"{url} answers 404: it is not the stack's address", (fix,))
        case Answer(url, status):
            yield Finding("health", "ill", f"{url} answers {status}", (_log(facts),), by_deploy=status >= 500)


def check_probe(facts: Facts) -> Iterator[Finding]:
    """Look at what a signed event of Flagcast's own was answered."""
    match facts.probe:
        case None:
            found = f"not sent: the source {facts.source} accepts only bearer tokens, and a probe is signed"
            yield Finding("probe", "note", found)
        case Unknown() as unknown:
            yield unknown.as_finding("probe")
        case answer:
            yield judge_probe("probe", answer, facts)


def judge_probe(check: str, answer: Answer | NoAnswer, facts: Facts) -> Finding:
    """Say what an answer to the signed probe means."""
    match answer:
        case NoAnswer(url, error):
            return Finding(check, "ill", f"{url} did not answer: {error}", (f"curl -i -X POST {url}",))
        case Answer(url, 200, body):
            return _judge_accepted(check, url, body)
        case Answer(url, status) if 300 <= status < 400:
            found = (
                f"{url} answers {status} and redirects to {answer.location or 'nowhere'}: Flipt's event would be lost"
            )
            return Finding(check, "ill", found, ("Give Flipt the address that it redirects to.",))
        case Answer(url, 400, body) if '"too_old"' in body:
            found = f"{url} answers 400: by the stack's clock the probe is older than the source's max_age"
            return Finding(check, "ill", found, ("Compare this machine's clock: date -u",))
        case Answer(url, 401):
            found = f"{url} answers 401: the secret is not the source's, so Flipt's events may be rejected too"
            return Finding(check, "ill", found, ("Compare it with what the output SigningSecretCommand prints.",))
        case Answer(url, 403):
            found = f"could not check: {url} answers 403, so this address is not in the source's allow_from"
            return Finding(check, "unknown", found, ("Run it from a network in allow_from.",))
        case Answer(url, 404):
            found = f"{url} answers 404: the deployed configuration has no such source, or the path is wrong"
            return Finding(check, "ill", found, ("The path is /webhooks/ and the name of a source in flagcast.yaml.",))
        case Answer(url, status):
            found = f"{url} answers {status}: Flipt's events are not accepted"
            return Finding(check, "ill", found, (_log(facts),), by_deploy=status >= 500)


def _judge_accepted(check: str, url: str, body: str) -> Finding:
    try:
        accepted = msgspec.json.decode(body, type=_Accepted)
    except msgspec.DecodeError:
        found = f"{url} answers 200, but not as Flagcast does: something else received the event"
        return Finding(check, "ill", found, (f"curl -i -X POST {url}",))
    if accepted.deliveries:
        found = f"{url} handled the probe as an event, with {accepted.deliveries} deliveries: it runs an older version"
        return Finding(check, "ill", found, ("Deploy this version.",))
    return Finding(check, "ok", f"{url} verified and answered {accepted.event_id}")


def _log(facts: Facts) -> str:
    return facts.where.aws(f"logs tail /aws/lambda/{facts.where.stack}-ingest --since 15m")
