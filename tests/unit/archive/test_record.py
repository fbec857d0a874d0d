import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from flagcast.archive.record import Key, NewerRecord, Record, UnreadableRecord, decode, encode, prefix, record_of
from flagcast.events.change_context import NOTHING, Change, Known
from flagcast.tasks.task import event_id, task
from tests.support.captures import every_capture

RECEIVED = "2026-11-27T23:59:59.999Z"
KNOWN = Known(
    is_known=True,
    changes=(Change("enabled", before=False, after=True),),
    previous={"enabled": False},
    known_at="2026-11-26T00:00:00Z",
    names={"b1": "beta"},
    namespace="production",
    flag_key="checkout",
    subject=("flag", "production", "checkout"),
)


def made(raw: bytes, known: Known = NOTHING, number: str | None = None) -> Record:
    carrying = task(event_id("flipt", raw, number), "flipt", "flagcast-archive", RECEIVED, raw, known)
    return record_of(structs.replace(carrying, number=number, signature="ab" * 32), raw)


def read(data: bytes) -> Record:
    record = decode(data)
    assert isinstance(record, Record), record
    return record


def sealed(text: str) -> bytes:
    whole = text.encode()[:-1]
    return whole + b',"record_sha256":"' + hashlib.sha256(whole).hexdigest().encode() + b'"}\n'


@given(st.binary() | st.text().map(str.encode), st.sampled_from([NOTHING, KNOWN]), st.sampled_from([None, "2"]))
def test_a_record_comes_back_with_every_byte_and_all_that_was_known(
    raw: bytes, known: Known, number: str | None
) -> None:
    record = made(raw, known, number)
    assert read(encode(record)) == record
    assert record.raw == raw
    assert record.known == known


def test_every_captured_body_comes_back_byte_for_byte() -> None:
    for each in every_capture():
        assert read(encode(made(each.body))).raw == each.body


@given(st.binary() | st.text().map(str.encode))
def test_a_record_is_one_line_of_json_with_every_documented_field(raw: bytes) -> None:
    data = encode(made(raw))
    assert data.count(b"\n") == 1
    assert data.endswith(b"\n")
    fields = json.loads(data)
    body = "body" if "body" in fields else "body_base64"
    assert list(fields) == [
        "v", "event_id", "source", "received_at", "number", "signature", "sha256", body, "changes", "names",
        "record_sha256",
    ]  # fmt: skip
    assert fields["sha256"] == hashlib.sha256(raw).hexdigest()


def test_what_is_known_is_in_fields_of_its_own() -> None:
    fields = json.loads(encode(made(b"{}", KNOWN)))
    assert fields["changes"] == [{"field": "enabled", "before": False, "after": True}]
    assert fields["names"] == {"b1": "beta"}
    assert fields["previous"] == {"enabled": False}
    assert fields["known_at"] == "2026-11-26T00:00:00Z"
    assert (fields["namespace"], fields["flag_key"]) == ("production", "checkout")
    assert fields["subject"] == ["flag", "production", "checkout"]


def test_unknown_changes_are_null_and_no_changes_are_an_empty_list() -> None:
    assert json.loads(encode(made(b"{}")))["changes"] is None
    assert json.loads(encode(made(b"{}", Known(is_known=True))))["changes"] == []


def test_one_flipped_bit_anywhere_is_found() -> None:
    data = encode(made(b'{"type": "flag", "action": "updated"}', KNOWN))
    for at in range(len(data)):
        for bit in range(8):
            altered = data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
            assert isinstance(decode(altered), UnreadableRecord), (at, bit)


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff" * 100, encode(made(b"{}"))[:-1], encode(made(b"{}")) + b"\n"])
def test_what_does_not_end_with_its_seal_is_unreadable(data: bytes) -> None:
    assert decode(data) == UnreadableRecord("it does not end with record_sha256")


def test_a_seal_of_other_bytes_is_unreadable() -> None:
    data = encode(made(b"{}")).replace(b'"flipt"', b'"other"')
    assert decode(data) == UnreadableRecord("its record_sha256 is not that of the bytes before it")


def test_an_object_of_a_later_version_says_so() -> None:
    assert decode(sealed('{"v":2,"anything":[]}')) == NewerRecord(2)


@pytest.mark.parametrize(
    ("changed", "detail"),
    [
        ({"event_id": 1}, "Expected `str`, got `int` - at `$.event_id`"),
        ({"v": "1"}, "Expected `int`, got `str` - at `$.v`"),
        ({"body_base64": "e30="}, "exactly one of body and body_base64 is required"),
        ({"body": None}, "Expected `str`, got `null` - at `$.body`"),
    ],
)
def test_what_is_sealed_and_not_a_record_says_why(changed: dict[str, object], detail: str) -> None:
    fields = {**json.loads(encode(made(b"{}"))), **changed}
    del fields["record_sha256"]
    assert decode(sealed(json.dumps(fields))) == UnreadableRecord(f"not a record: {detail}")


@pytest.mark.parametrize(
    ("written", "forged"),
    [
        (b'"body":', b'"body":"{\\"forged\\":1}","body":'),
        (b'"source":', b'"\\u0062ody":"{\\"forged\\":1}","source":'),
        (b'"source":', b'"sourc\\u0065":'),
        (b'"source":', b' "source":'),
    ],
)
def test_a_field_that_another_reader_could_read_otherwise_is_not_a_record(written: bytes, forged: bytes) -> None:
    """Of a body that was there twice, the signature of the last one made the object proven, whatever the first said."""
    data = encode(made(b"{}"))
    text = data[: data.index(b',"record_sha256"')] + b"}"
    what = "not a record: a field is there twice, or is not written as the archive writes it"
    assert decode(sealed(text.replace(written, forged).decode())) == UnreadableRecord(what)


def test_a_record_needs_a_body_and_base64_must_be_base64() -> None:
    fields = json.loads(encode(made(b"{}")))
    del fields["record_sha256"], fields["body"]
    what = "not a record: exactly one of body and body_base64 is required"
    assert decode(sealed(json.dumps(fields))) == UnreadableRecord(what)
    fields["body_base64"] = "e30=?"
    assert decode(sealed(json.dumps(fields))) == UnreadableRecord("not a record: body_base64 is not base64")


def test_the_key_has_the_source_the_day_in_utc_and_the_event() -> None:
    record = made(b"{}")
    assert str(record.key) == f"flipt/2026/11/27/{record.event_id}.json"
    elsewhere = structs.replace(record, received_at="2026-11-27T23:30:00-02:00")
    assert str(elsewhere.key) == f"flipt/2026/11/28/{record.event_id}.json"


def test_a_record_without_a_readable_time_has_no_key() -> None:
    assert structs.replace(made(b"{}"), received_at="soon").key is None


def test_a_key_comes_back_and_what_the_archive_does_not_write_is_none() -> None:
    key = Key("flipt", "2026-11-27", "evt_" + "0a" * 16)
    assert Key.parse(str(key)) == key
    for foreign in (
        "README.md", str(key) + "x", "a/" + str(key), str(key).replace("evt_", ""), str(key).replace("/11/", "/1/"),
        str(key).replace("flipt", "-f"), str(key).replace("0a", "0A"), "",
    ):  # fmt: skip
        assert Key.parse(foreign) is None, foreign


def test_keys_sort_by_source_and_day() -> None:
    assert prefix("flipt") == "flipt/"
    assert prefix("flipt", "2026-11-27") == "flipt/2026/11/27/"
    days = ["2026-11-27", "2026-12-01", "2027-01-01"]
    keys = [str(Key("flipt", day, "evt_" + "f" * 32)) for day in days]
    assert keys == sorted(keys)
