import hashlib
import json

import pytest
from msgspec import structs

from flagcast.archive.record import Key, NewerRecord, Record, encode, record_of
from flagcast.archive.verification import Altered, Proven, Unproven, verify
from flagcast.events.flipt_signature import flipt_signature
from flagcast.tasks.task import event_id, task

RAW = b'{"type": "flag", "action": "updated"}'
SECRET = "correct horse"


def archived(number: str | None = None, signature: str | None = flipt_signature(RAW, SECRET)) -> Record:
    made = task(event_id("flipt", RAW, number), "flipt", "flagcast-archive", "2026-11-27T12:00:00.000Z", RAW)
    return record_of(structs.replace(made, number=number, signature=signature), RAW)


def key_of(record: Record) -> Key:
    assert record.key is not None
    return record.key


@pytest.mark.parametrize("number", [None, "1", "JKJaXmPLvHcESHA="])
@pytest.mark.parametrize("secrets", [[SECRET], ["newer", SECRET], [SECRET, "older"]])
def test_a_record_is_proven_by_any_of_the_secrets(number: str | None, secrets: list[str]) -> None:
    record = archived(number)
    assert verify(encode(record), key_of(record), secrets) == Proven(record)


def test_a_signature_of_a_secret_that_is_not_given_leaves_it_unproven() -> None:
    record = archived()
    assert verify(encode(record), key_of(record), ["rotated"]) == Unproven(record, "other_secret")
    assert verify(encode(record), key_of(record), []) == Unproven(record, "no_secret")


def test_an_event_without_a_signature_is_unproven() -> None:
    record = archived(signature=None)
    assert verify(encode(record), key_of(record), [SECRET]) == Unproven(record, "unsigned")


def test_a_signature_that_is_no_ascii_proves_nothing() -> None:
    record = archived(signature="ä")
    assert verify(encode(record), key_of(record), [SECRET]) == Unproven(record, "other_secret")


def test_another_body_with_every_hash_made_new_no_longer_fits_its_id() -> None:
    record = archived()
    body = RAW.decode().replace("updated", "deleted")
    forged = structs.replace(record, body=body, sha256=hashlib.sha256(body.encode()).hexdigest())
    what = ("event_id is not made of this source, body and number",)
    assert verify(encode(forged), key_of(record), [SECRET]) == Altered(what)


def test_another_number_does_not_fit_the_id_either() -> None:
    forged = structs.replace(archived(), number="1")
    assert isinstance(verify(encode(forged), key_of(forged), [SECRET]), Altered)


def test_a_hash_of_another_body_is_said() -> None:
    forged = structs.replace(archived(), sha256="0" * 64)
    assert verify(encode(forged), key_of(forged), [SECRET]) == Altered(("sha256 is not that of the body",))


@pytest.mark.parametrize("moved", [{"day": "2026-11-26"}, {"source": "other"}, {"event_id": "evt_" + "0" * 32}])
def test_an_object_under_another_key_is_altered(moved: dict[str, str]) -> None:
    record = archived()
    key = structs.replace(key_of(record), **moved)
    assert verify(encode(record), key, [SECRET]) == Altered(("the key says another source, day or event",))


def test_every_sign_is_said() -> None:
    record = archived()
    forged = structs.replace(record, body="{}", received_at="2026-11-28T00:00:00Z")
    found = verify(encode(forged), key_of(record), [SECRET])
    assert isinstance(found, Altered)
    assert len(found.what) == 3


def test_a_flipped_byte_is_altered() -> None:
    record = archived()
    data = bytearray(encode(record))
    data[40] ^= 1
    found = verify(bytes(data), key_of(record), [SECRET])
    assert found == Altered(("its record_sha256 is not that of the bytes before it",))


def test_a_record_of_a_later_version_is_not_judged() -> None:
    text = json.dumps({"v": 2}).encode()[:-1]
    seal = hashlib.sha256(text).hexdigest().encode()
    data = text + b',"record_sha256":"' + seal + b'"}\n'
    assert verify(data, key_of(archived()), [SECRET]) == NewerRecord(2)
