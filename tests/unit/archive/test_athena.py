"""What docs/archive.md says of the object and of Athena's table is what the archive writes."""

import json
import re
from typing import Any, Final

import pytest
from msgspec import structs

from flagcast.archive.record import Key, Record, encode, prefix, record_of
from flagcast.config.archive_destination import ARCHIVE
from flagcast.events.change_context import Change, Known
from flagcast.tasks.task import event_id, task
from tests.support.template import ROOT

PAGE: Final = (ROOT / "docs/archive.md").read_text(encoding="utf-8")
TABLE, *QUERIES = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
NOT_COLUMNS: Final = {"source", "previous"}
"""A partition has the name of the first; the members of the second differ from event to event."""
KEYWORDS: Final = {
    "select", "from", "where", "and", "as", "group", "by", "order", "desc", "cross", "join", "unnest", "between",
    "interval", "count", "coalesce", "max", "transform", "date_format", "current_date", "json_extract_scalar", "c",
    "change", "flagcast_archive",
}  # fmt: skip


def record(raw: bytes, known: Known) -> dict[str, Any]:
    """Return the JSON of an archived event."""
    made = task(event_id("flipt", raw, "1"), "flipt", ARCHIVE, "2026-11-27T12:00:00.000Z", raw, known)
    archived = record_of(structs.replace(made, number="1", signature="ab" * 32), raw)
    read: dict[str, Any] = json.loads(encode(archived))
    return read


EVERYTHING: Final = Known(
    is_known=True,
    changes=(
        Change("enabled", before=False, after=True),
        Change("name", "a", None, is_before_known=False, bytes_before=300, bytes_after=0, keys=("a",)),
        Change("rollout", 1, 2.5),
    ),
    previous={"key": "a"},
    known_at="2026-11-26T00:00:00Z",
    names={"b1": "beta"},
    namespace="production",
    flag_key="checkout",
    subject=("flag", "production", "checkout"),
)


def columns() -> dict[str, str]:
    body = TABLE.partition("(\n")[2].partition("\n)\n")[0]
    return dict(re.findall(r"^  `(\w+)` (.+?),?$", body, re.MULTILINE))


def fits(value: Any, kind: str) -> bool:
    """Return whether the SerDe can read a JSON value as a type: text of any scalar, a list, a map, a struct."""
    if value is None:
        return True
    if found := re.fullmatch(r"array<(.+)>", kind):
        return isinstance(value, list) and all(fits(each, found[1]) for each in value)
    if found := re.fullmatch(r"map<string,(.+)>", kind):
        return isinstance(value, dict) and all(fits(each, found[1]) for each in value.values())
    if found := re.fullmatch(r"struct<(.+)>", kind):
        members = dict(each.split(":") for each in found[1].split(","))
        return isinstance(value, dict) and all(fits(value.get(name), each) for name, each in members.items())
    scalars = {"string": (str, bool, int, float), "int": (int,), "boolean": (bool,)}
    return isinstance(value, scalars[kind]) and not (kind == "int" and isinstance(value, bool))


def test_the_tables_columns_are_the_fields_of_the_object() -> None:
    written = {*record(b"{}", EVERYTHING), *record(b"\xff", EVERYTHING)}
    assert columns().keys() == written - NOT_COLUMNS
    assert written - {"record_sha256"} == {each.name for each in structs.fields(Record)}


@pytest.mark.parametrize("raw", [b'{"type": "flag"}', b"\xff"])
@pytest.mark.parametrize("known", [EVERYTHING, Known()])
def test_each_column_can_read_what_is_written(raw: bytes, known: Known) -> None:
    made = record(raw, known)
    assert [name for name, kind in columns().items() if not fits(made.get(name), kind)] == []


def test_a_column_of_another_type_would_be_found() -> None:
    assert not fits({"a": 1}, "string")
    assert not fits("1", "int")
    assert not fits(True, "int")
    assert not fits(["a"], "map<string,string>")
    assert not fits([{"field": []}], "array<struct<field:string>>")


def test_the_members_of_a_change_are_those_of_the_object() -> None:
    [members] = re.findall(r"struct<(.+?)>", columns()["changes"])
    assert {each.partition(":")[0] for each in members.split(",")} <= {each.name for each in structs.fields(Change)}


def test_the_partitions_are_the_folders_of_the_keys() -> None:
    said = dict(re.findall(r"'([\w.]+)' = '([^']+)'", TABLE))
    assert re.findall(r"PARTITIONED BY \(`(\w+)` string, `(\w+)` string\)", TABLE) == [("source", "day")]
    assert said["projection.day.format"] == "yyyy/MM/dd"
    assert (said["projection.day.interval"], said["projection.day.interval.unit"]) == ("1", "DAYS")
    key = Key("flipt", "2026-11-27", "evt_" + "0" * 32)
    folder = said["storage.location.template"].removeprefix("s3://BUCKET/")
    day = key.day.replace("-", "/")
    assert folder.replace("${source}", key.source).replace("${day}", day) == prefix("flipt", key.day)
    assert str(key).startswith(prefix("flipt", key.day))


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_a_query_names_columns_alone_and_only_days_that_it_wants(query: str) -> None:
    text = re.sub(r"'[^']*'", "''", query).lower()
    aliases = set(re.findall(r"\bas (\w+)", text)) | {"field", "before", "after"}
    words = {each for each in re.findall(r"[a-z_]\w*", text) if not each.isdigit()}
    assert words - KEYWORDS - aliases <= columns().keys() | {"source", "day"}
    assert "source = ''" in text
    assert re.search(r"\bday (>=|between)", text)


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_a_path_in_a_query_is_one_of_flipts(query: str) -> None:
    event = {
        "type": 1, "action": 1, "status": 1, "metadata": {"actor": {"name": 1, "email": 1, "authentication": 1}},
        "payload": {"key": 1, "namespace_key": 1},
    }  # fmt: skip
    paths = re.findall(r"'\$\.([\w.]+)'", query)
    assert paths
    for path in paths:
        at: Any = event
        for part in path.split("."):
            at = at[part]


def test_there_are_three_queries() -> None:
    assert len(QUERIES) == 3


def test_every_field_is_explained_and_no_other() -> None:
    rows = PAGE.partition("\n## The object\n")[2].partition("\n## ")[0]
    explained = {
        name
        for line in rows.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    assert explained == {*record(b"{}", EVERYTHING), "body_base64"}
