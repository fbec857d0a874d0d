"""Names that would like to be more than names, values that are too much, and what else could be sent."""

from hypothesis import strategies as st

from flagcast.core.event import Event, Origin
from flagcast.core.filters import NOUNS
from tests.presets.rendered import FLIPT, ORIGIN
from tests.unit.making import JSON, event

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


def everything(value: str, kind: str = "flag", status: str = "success", *, flipt_url: str = FLIPT) -> Event:
    """Make an event with a value in every place that can hold one."""
    said: dict[str, object] = dict.fromkeys(FIELDS, value)
    said |= {"threshold": {"percentage": value, "value": value}, "segment": {"key": value, "value": value}}
    if kind in ("rule", "rollout"):
        said |= {"rule_ids": [value, value], "rollout_ids": [value]}
    actor = {"name": value, "email": f"{value}e", "ip": value}
    origin = Origin(ORIGIN.id, "flipt", value, flipt_url, ORIGIN.received_at)
    payload = None if status == "denied" else said
    return event(origin, type=kind, action="updated", status=status, payload=payload, metadata={"actor": actor})


LARGEST = [
    everything(filler * (3_000 // len(filler)), kind, status, flipt_url=f"{FLIPT}/{'a' * 1_850}")
    for filler in ("x", "&", "<", '"', "\\", "é", "日", "😀", "*", "_", "@a ", ":a:", "http://")
    for kind in ("flag", "variant", "rollout", "x" * 3_000)
    for status in ("success", "denied")
] + [
    everything(filler, kind, flipt_url=f"{FLIPT}/{'a' * 1_850}")
    for filler in ("x" * 80, '"\\' * 40)
    for kind in ("flag", "variant", "rule", "rollout", "segment", "constraint", "namespace", "token", "distribution")
]
