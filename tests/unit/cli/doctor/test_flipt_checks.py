from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from flagcast_cli.console import CommandError
from flagcast_cli.doctor.facts import Answer, NoAnswer
from flagcast_cli.doctor.finding import Finding, Unknown
from flagcast_cli.doctor.flipt_checks import check_flipt
from flagcast_cli.doctor.flipt_facts import Flipt, from_file, read_config, read_version
from tests.unit.doctor_facts import ACCEPTED, BASE, facts

WEBHOOK = f"{BASE}/webhooks/flipt"
WELL = Flipt(
    origin="flipt.yml", version=(1, 61, 0), enabled=True, url=WEBHOOK, templates=0, secret="s", signs=True,
    events=("*:*",), tracing=False, sampling=1.0, capacity=2, flush_period=120.0,
)  # fmt: skip
ACCEPTS = Answer(WEBHOOK, 200, ACCEPTED)
FILE = f"""
audit:
  sinks: {{webhook: {{enabled: true, url: {WEBHOOK}, signing_secret: s3cr3t}}}}
"""


def lines(*, level: str | None = None, answer: Answer | NoAnswer | None = ACCEPTS, **changes: Any) -> Sequence[Finding]:
    found = check_flipt(structs.replace(WELL, **changes), WEBHOOK, answer, facts())
    return [each for each in found if level in (None, each.level)]


def file(tmp_path: Path, text: str = FILE, version: tuple[int, ...] | None = None, **environ: str) -> Any:
    (tmp_path / "flipt.yml").write_text(text)
    return from_file(tmp_path / "flipt.yml", environ, version)


def test_of_a_flipt_that_sends_every_event_every_line_is_well() -> None:
    assert [(each.check, each.level) for each in lines()] == [
        ("flipt version", "ok"), ("flipt webhook", "ok"), ("flipt url", "ok"), ("flipt events", "ok"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("version", "by_template", "by_url"),
    [
        ((1, 26, 1), "has no audit webhooks", "has no audit webhooks"),
        ((1, 27, 0), "sends an empty body", "sends an empty body"),
        ((1, 27, 1), None, None),
        ((1, 44, 1), None, None),
        ((1, 45, 0), "crashes", "crashes"),
        ((1, 45, 1), "crashes", "crashes"),
        ((1, 45, 2), "crashes", None),
        ((1, 46, 0), "crashes", "crashes"),
        ((1, 46, 1), "crashes", None),
        ((1, 47, 0), "crashes", None),
        ((1, 48, 0), "crashes", None),
        ((1, 48, 1), None, None),
        ((1, 61, 0), None, None),
        ((2, 0, 0), "has no audit webhooks", "has no audit webhooks"),
        ((2, 9, 0), "has no audit webhooks", "has no audit webhooks"),
    ],
)
def test_a_version_that_crashes_or_sends_nothing_is_ill(
    version: tuple[int, ...], by_template: str | None, by_url: str | None
) -> None:
    for trap, url, templates in ((by_url, WEBHOOK, 0), (by_template, None, 2)):
        line = lines(version=version, url=url, templates=templates)[0]
        assert (line.check, line.level) == ("flipt version", "ill" if trap else "ok")
        assert (trap or "") in line.found
        assert line.found.startswith(".".join(map(str, version)))


def test_a_version_that_is_not_known_is_worth_a_note() -> None:
    line = lines(version=None)[0]
    assert (line.level, line.next) == ("note", ("Add --flipt-url with the address of Flipt's UI.",))


@pytest.mark.parametrize(
    ("changes", "level", "found"),
    [
        ({"enabled": False}, "ill", "audit.sinks.webhook.enabled is not true"),
        ({"templates": 1}, "ill", "has both url and templates"),
        ({"url": None}, "ill", "has neither url nor templates"),
        ({"url": None, "templates": 1}, "note", "templates mode, which Flipt never signs"),
        ({"signs": False}, "ill", "no signing_secret is set"),
        ({"signs": None}, "ok", "enabled, by url"),
        ({"signs": True}, "ok", "enabled, and signs"),
    ],
)
def test_a_sink_is_on_signs_and_has_one_of_url_and_templates(changes: dict[str, Any], level: str, found: str) -> None:
    (line,) = (each for each in lines(**changes) if each.check == "flipt webhook")
    assert line.level == level
    assert found in line.found
    assert (line.next == ()) == (level == "ok")


@pytest.mark.parametrize(
    ("url", "answer", "level", "found"),
    [
        (WEBHOOK, ACCEPTS, "ok", "verified and answered evt_1"),
        (WEBHOOK.replace("https", "http"), None, "ill", "is not https"),
        (f"{BASE}/webhook/flipt", ACCEPTS, "ill", "has another path than /webhooks/SOURCE"),
        (f"{BASE}/", ACCEPTS, "ill", "has another path than /webhooks/SOURCE"),
        (BASE, ACCEPTS, "ill", "has another path than /webhooks/SOURCE"),
        (f"{WEBHOOK}/", ACCEPTS, "ill", "has another path than /webhooks/SOURCE"),
        (f"{BASE}/webhooks/other", Answer("u", 404, ""), "ill", "u answers 404"),
        ("https://zzz.execute-api.eu-central-1.amazonaws.com/webhooks/flipt", ACCEPTS, "ill", "another API"),
        ("https://flagcast.example.com/hooks", Answer("u", 301, "", "https://x"), "ill", "redirects to https://x"),
        ("https://flagcast.example.com/webhooks/flipt", Answer("u", 401, ""), "ill", "the secret is not"),
        ("https://flagcast.example.com/webhooks/flipt", NoAnswer("u", "SSLError"), "ill", "did not answer"),
        ("https://flagcast.example.com/webhooks/flipt", ACCEPTS, "ok", "verified"),
        (WEBHOOK, None, "unknown", "no secret to sign a probe"),
    ],
)
def test_an_address_is_this_stacks_and_accepts_what_flipt_signs(
    url: str, answer: Answer | NoAnswer | None, level: str, found: str
) -> None:
    (line,) = (each for each in lines(url=url, answer=answer) if each.check == "flipt url")
    assert (line.level, found in line.found) == (level, True), line


def test_the_query_of_an_address_is_not_shown() -> None:
    (line,) = (each for each in lines(url=f"{BASE}/x?token=canary") if each.check == "flipt url")
    assert "canary" not in line.found


@pytest.mark.parametrize(
    ("events", "level"),
    [
        (None, None),
        (("*:*",), "ok"),
        (("flag:*", "*:*"), "ok"),
        (("flag:created", "flag:updated"), "note"),
        ((), "ill"),
        (("flags:*",), "ill"),
    ],
)
def test_events_that_flipt_leaves_out_are_shown(events: tuple[str, ...] | None, level: str | None) -> None:
    found = [each for each in lines(events=events) if each.check == "flipt events"]
    assert [each.level for each in found] == ([] if level is None else [level])
    assert all('Set audit.events: ["*:*"]' in each.next[0] for each in found if level != "ok")


@pytest.mark.parametrize(
    ("version", "tracing", "level"),
    [
        ((1, 61, 1), False, "ill"),
        ((1, 61, 1), True, None),
        ((1, 61, 1), None, None),
        ((1, 61, 0), False, None),
        ((1, 62, 0), False, None),
        (None, False, "note"),
    ],
)
def test_tracing_must_be_on_for_1_61_1(
    version: tuple[int, ...] | None, tracing: bool | None, level: str | None
) -> None:
    found = [each.level for each in lines(version=version, tracing=tracing) if each.check == "flipt tracing"]
    assert found == ([] if level is None else [level])


@pytest.mark.parametrize(("sampling", "ill"), [(None, False), (1.0, False), (0.99, True), (0.0, True)])
def test_sampling_loses_audit_events(sampling: float | None, ill: bool) -> None:
    found = [each.level for each in lines(sampling=sampling) if each.check == "flipt tracing"]
    assert found == (["ill"] if ill else [])


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({"capacity": 1}, "ill"),
        ({"capacity": 3}, "note"),
        ({"capacity": 10}, "note"),
        ({"capacity": 11}, "ill"),
        ({"flush_period": 119.0}, "ill"),
        ({"flush_period": 300.0}, "note"),
        ({"flush_period": 301.0}, "ill"),
        ({"capacity": None, "flush_period": None}, None),
    ],
)
def test_a_buffer_is_what_flipt_allows_and_no_more_than_the_least(changes: dict[str, Any], level: str | None) -> None:
    found = [each for each in lines(**changes) if each.check == "flipt buffer"]
    assert [each.level for each in found] == ([] if level is None else [level])


def test_a_file_says_what_flipt_does_with_flipts_own_defaults(tmp_path: Path) -> None:
    known = file(tmp_path, version=(1, 61, 1))
    assert known == Flipt(
        origin=str(tmp_path / "flipt.yml"), version=(1, 61, 1), enabled=True, url=WEBHOOK, templates=0,
        secret="s3cr3t", signs=True, events=None, tracing=False, sampling=1.0, capacity=2, flush_period=120.0,
    )  # fmt: skip


def test_a_file_is_read_with_the_variables_over_it(tmp_path: Path) -> None:
    known = file(
        tmp_path,
        FLIPT_TRACING_ENABLED="true", FLIPT_TRACING_SAMPLING_RATIO="0.5",
        FLIPT_AUDIT_EVENTS="flag:created flag:updated", FLIPT_AUDIT_BUFFER_CAPACITY="5",
        FLIPT_AUDIT_BUFFER_FLUSH_PERIOD="4m",
    )  # fmt: skip
    assert (known.tracing, known.sampling, known.capacity, known.flush_period) == (True, 0.5, 5, 240.0)
    assert known.events == ("flag:created", "flag:updated")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (FILE.replace("signing_secret: s3cr3t", "templates: [{url: https://x, body: '{}'}]"), "are both set"),
        ("audit: {sinks: {webhook: {enabled: true}}}", "sends no webhooks"),
        ('version: "2.0"', "is for Flipt 2"),
        (FILE + "tracing: {sampling_ratio: most}", "tracing.sampling_ratio: expected a number"),
        (FILE + "  buffer: {flush_period: soon}", "audit.buffer.flush_period: expected a duration"),
        (FILE + "  buffer: {capacity: many}", "audit.buffer.capacity: expected a number"),
        (FILE.replace("https:", "ftp:"), "audit.sinks.webhook.url: is not an http:// or https:// address"),
        (FILE.replace(WEBHOOK, "'https://[:::]/x'"), "audit.sinks.webhook.url: is not an http:// or https:// address"),
        ("[", "flipt.yml: "),
    ],
)
def test_a_file_that_flipt_refuses_is_ill(tmp_path: Path, text: str, found: str) -> None:
    known = file(tmp_path, text)
    assert isinstance(known, Finding)
    assert (known.level, found in known.found) == ("ill", True), known
    assert known.next


def test_what_a_file_leaves_to_a_variable_that_is_not_set_here_could_not_be_looked_at(tmp_path: Path) -> None:
    text = FILE.replace(WEBHOOK, "'${FLAGCAST_URL}'")
    assert isinstance(file(tmp_path, text), Unknown)
    assert file(tmp_path, text, FLAGCAST_URL=WEBHOOK).url == WEBHOOK
    secret = file(tmp_path, FILE.replace("s3cr3t", "'${SECRET}'"))
    assert (secret.signs, secret.secret) == (True, None)


def test_a_user_in_an_address_is_not_kept(tmp_path: Path) -> None:
    known = file(tmp_path, FILE.replace("https://", "https://canary:canary@"))
    assert known.url == WEBHOOK
    assert read_config("", {"audit": {"sinks": {"webhook": {"url": "https://canary@x/"}}}}, None).url == "https://x/"


def test_a_file_that_is_not_there_is_no_finding(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no such file"):
        from_file(tmp_path / "none.yml", {}, None)


CONFIG = {
    "audit": {
        "sinks": {"webhook": {"enabled": True, "url": WEBHOOK, "maxBackoffDuration": 15_000_000_000}},
        "buffer": {"capacity": 2, "flushPeriod": 120_000_000_000},
        "events": ["*:*"],
    },
    "tracing": {"enabled": False, "exporter": "jaeger", "samplingRatio": 1},
}


def test_what_flipt_says_of_itself_is_read() -> None:
    assert read_config("http://flipt", CONFIG, (1, 61, 1)) == Flipt(
        origin="http://flipt", version=(1, 61, 1), enabled=True, url=WEBHOOK, templates=0, secret=None, signs=None,
        events=("*:*",), tracing=False, sampling=1, capacity=2, flush_period=120.0,
    )  # fmt: skip


@pytest.mark.parametrize(("version", "sampling"), [((1, 42, 0), 0.0), ((1, 41, 0), None), (None, None)])
def test_a_sampling_ratio_of_zero_is_left_out_of_what_flipt_says(
    version: tuple[int, ...] | None, sampling: float | None
) -> None:
    assert read_config("", {"tracing": {"enabled": True}}, version).sampling == sampling


@pytest.mark.parametrize("odd", [None, [], "x", 1, {"audit": 1, "tracing": []}, {"audit": {"sinks": {"webhook": 7}}}])
def test_what_flipt_would_not_say_is_not_known(odd: Any) -> None:
    known = read_config("x", odd if isinstance(odd, dict) else {"audit": odd, "tracing": odd}, (1, 61, 0))
    assert known == Flipt(origin="x", version=(1, 61, 0), templates=0)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v1.61.1", (1, 61, 1)),
        ("1.61.1", (1, 61, 1)),
        ("v2.0.0-beta.1", (2, 0, 0)),
        ("dev", None),
        ("", None),
        ("v1.61", None),
        ("1.61.1.1", None),
    ],
)
def test_a_version_is_read_with_and_without_its_v(text: str, version: tuple[int, ...] | None) -> None:
    assert read_version(text) == version
