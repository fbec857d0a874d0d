"""Names that would like to be more than names, values that are too much, and what else could be sent."""

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from msgspec import structs

from flagcast.events.change_context import Change, Known
from flagcast.events.event import Event, Origin
from flagcast.events.event_filter import NOUNS
from flagcast.flipt_state.changes import changes_between
from tests.presets.rendered import FLIPT, ORIGIN
from tests.unit.builders import JSON, event

HOSTILE = (
    "<!channel>", "<!here|here>", "<@U123>", "<#C024BE7LR>", "@everyone", "@here", "@all", "@channel", "<users/all>",
    "<@&123456789012345678>", "[x](http://y)", "![x](http://y)", "*bold*", "**bold**", "_i_", "__u__", "`code`",
    "```\na\n```",
    "~s~", "~~s~~", "||spoiler||", "<http://x|y>", "<http://x>", "http://x.y/z", "www.x.y", ":tada:", "<:name:1234>",
    "<t:1234:R>", "a\nb", "\n# h", "# h", "## h", "> q", "- a", "+ a", "1. a", "1) a", "---", "===", "a\n===", "|a|b|",
    "\u202eRTL\u202c", "\u2067a", "\u200fx", "<b>b</b>", "<a href=\"http://x\">y</a>", "<script>alert(1)</script>",
    "<at>ada</at>", "{{DATE(2017-02-14T06:00Z,SHORT)}}", "${x}", "%%%\n# h\n%%%", "@slack-ops", "&lt;!channel&gt;",
    "&amp;",
    "\\", "\\*", "\\\\", "\"", "'", "\x00\x1f\x7f", "\u2028", "a_b_c", "ada@example.com", "<!-- c -->", "#general",
    "~town-square",
    "&#60;!channel&#62;", "\u200b@here",
)  # fmt: skip

FIELDS = (
    "key", "name", "description", "enabled", "namespace_key", "flag_key", "segment_key", "segment_operator",
    "attachment",
    "match_type", "type", "property", "operator", "value", "rank", "rollout", "threshold", "segment", "rule_ids",
    "rollout_ids", "id", "variant_id", "rule_id", "protected", "default_variant", "io.flipt.auth.token.name",
)  # fmt: skip
VALUES = st.sampled_from(HOSTILE) | JSON
WIRES = st.fixed_dictionaries(
    {
        "type": st.sampled_from(NOUNS) | st.text(min_size=1),
        "action": st.sampled_from(["created", "updated", "deleted"]) | st.text(min_size=1),
        "status": st.sampled_from(["success", "denied", ""]),
        "payload": st.dictionaries(st.sampled_from(FIELDS), VALUES) | VALUES,
        "metadata": st.fixed_dictionaries(
            {"actor": st.dictionaries(st.sampled_from(["name", "email", "ip", "authentication"]), VALUES) | VALUES}
        ),
        "timestamp": st.datetimes().map(lambda each: f"{each.isoformat()}Z") | st.text(),
    }
)

SCALARS = st.sampled_from(HOSTILE) | st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=200)
KNOWN = st.builds(
    Known,
    st.booleans(),
    st.lists(
        st.builds(
            Change,
            st.sampled_from([*FIELDS, "threshold.percentage", "threshold.value", "segment.key", "segment.value"])
            | st.text(max_size=100),
            SCALARS,
            SCALARS,
            st.booleans(),
            st.none() | st.integers(0, 10**7),
            st.none() | st.integers(0, 10**7),
            st.lists(st.sampled_from(HOSTILE) | st.text(max_size=100), max_size=10).map(tuple),
        ),
        max_size=20,
    ).map(tuple),
    st.none() | st.dictionaries(st.sampled_from(FIELDS), VALUES),
    st.none() | st.datetimes().map(lambda each: f"{each.isoformat()}Z") | st.text(),
    st.dictionaries(st.sampled_from(HOSTILE), st.sampled_from(HOSTILE)),
    st.none() | st.sampled_from(HOSTILE),
    st.none() | st.sampled_from(HOSTILE),
)
"""Whatever a task could carry beside a body."""


def everything(
    value: str, kind: str = "flag", status: str = "success", *, flipt_url: str = FLIPT, action: str = "updated"
) -> Event:
    """Make an event with a value in every place that can hold one, and in all that is known beside it."""
    order = {"rule-order": "rule", "rollout-order": "rollout"}
    after = _said(value)
    before = _said(f"{value} b")
    if kind in order:
        kind = order[kind]
        after[f"{kind}_ids"], before[f"{kind}_ids"] = [value, f"{value}c"], [f"{value}c", value]
    actor = {"name": value, "email": f"{value}e", "ip": value}
    origin = Origin(ORIGIN.id, "flipt", value, flipt_url, ORIGIN.received_at)
    payload = None if status == "denied" else after
    made = event(origin, type=kind, action=action, status=status, payload=payload, metadata={"actor": actor})
    return made if payload is None else structs.replace(made, known=_known(kind, before, after, value))


def _said(value: str) -> dict[str, Any]:
    said: dict[str, Any] = dict.fromkeys(FIELDS, value)
    return said | {
        "threshold": {"percentage": value, "value": value},
        "segment": {"key": value, "value": value},
        "attachment": json.dumps({value: value}),
    }


def _known(kind: str, before: dict[str, Any], after: dict[str, Any], value: str) -> Known:
    changes = changes_between(kind, before, after)
    names = dict.fromkeys((value, f"{value}c"), value)
    return Known(True, changes, before, "2001-09-09T01:46:40Z", names, value, value)


KINDS = (
    "flag", "variant", "segment", "constraint", "rule", "rule-order", "rollout", "rollout-order", "distribution",
    "namespace", "token",
)  # fmt: skip


def every_kind(value: str) -> Iterator[Event]:
    """Make an update of each kind, a deletion, and what is refused, with a value in every place."""
    yield everything(value, status="denied")
    yield everything(value, "distribution", action="deleted")
    for kind in KINDS:
        yield everything(value, kind)


LONG_FLIPT = f"{FLIPT}/{'a' * 1_850}"
FILLERS = ("x", "&", "<", '"', "\\", "é", "日", "😀", "*", "_", "@a ", ":a:", "http://", "$", "a.b/")

LARGEST = [
    *(
        everything(filler * (3_000 // len(filler)), kind, flipt_url=LONG_FLIPT)
        for filler in FILLERS
        for kind in ("flag", "rollout", "rule-order", "x" * 3_000)
    ),
    *(everything(each * (3_000 // len(each)), "x" * 3_000, "denied", flipt_url=LONG_FLIPT) for each in FILLERS),
    *(everything(filler, kind, flipt_url=LONG_FLIPT) for filler in ("x" * 80, '"\\' * 40) for kind in KINDS),
    *(everything("x" * 80, kind, flipt_url=LONG_FLIPT, action="deleted") for kind in KINDS),
]
