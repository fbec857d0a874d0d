"""The archive's bucket as the commands read it, over moto."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ResponseStreamingError
from botocore.response import StreamingBody

from flagcast.archive.record import Key
from flagcast.edges.aws import client as aws_client
from flagcast_cli.archive import bucket as reading
from flagcast_cli.archive.bucket import Bucket, Days, Foreign, Stored, months
from flagcast_cli.console import CommandError
from flagcast_cli.stack.account import Account

NAME = "the-archive"
DAYS = ["2026-11-25", "2026-11-26", "2026-11-27"]


def key(day: str, number: int, source: str = "flipt") -> Key:
    return Key(source, day, f"evt_{number:032x}")


@pytest.fixture
def s3(aws: None) -> Any:
    client = aws_client.client("s3")
    client.create_bucket(Bucket=NAME, CreateBucketConfiguration={"LocationConstraint": client.meta.region_name})
    client.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})
    return client


@pytest.fixture
def bucket(s3: Any) -> Bucket:
    for day in DAYS:
        for number in range(2):
            put(s3, key(day, number), f"{day} {number}".encode())
    put(s3, key(DAYS[0], 7, "other"), b"other")
    return Bucket(s3, Account(), NAME)


def put(s3: Any, at: Key | str, body: bytes) -> str:
    return str(s3.put_object(Bucket=NAME, Key=str(at), Body=body)["VersionId"])


def keys(found: Iterator[Stored | Foreign]) -> list[Key | str]:
    return [each.key for each in found]


def test_the_sources_are_those_with_objects(bucket: Bucket) -> None:
    assert bucket.sources() == ["flipt", "other"]


def test_a_source_of_which_every_object_was_deleted_is_still_one(bucket: Bucket, s3: Any) -> None:
    """ListObjectsV2 does not see what a delete marker hides, so `archive verify` found nothing deleted, and exited 0.

    moto lists such a source all the same, so it is taken out here as S3 does.
    """
    s3.delete_object(Bucket=NAME, Key=str(key(DAYS[0], 7, "other")))
    real = s3.get_paginator

    def as_s3(operation: str) -> Any:
        pages = real(operation)
        if operation.startswith("list_objects"):
            pages.paginate = lambda **_: [{"CommonPrefixes": [{"Prefix": "flipt/"}]}]
        return pages

    s3.get_paginator = as_s3
    assert bucket.sources() == ["flipt", "other"]


def test_a_source_is_listed_by_day_in_order_and_no_other_source(bucket: Bucket) -> None:
    every = [key(day, number) for day in DAYS for number in range(2)]
    assert keys(bucket.objects("flipt")) == every
    assert keys(bucket.objects("flipt", Days(DAYS[1], "2027-01-31"))) == every[2:]
    assert keys(bucket.objects("flipt", Days("2026-09-30", DAYS[1]))) == every[:4]
    assert keys(bucket.objects("flipt", Days(DAYS[1], DAYS[1]))) == every[2:4]
    assert keys(bucket.objects("flipt", Days(DAYS[1], DAYS[0]))) == []
    assert keys(bucket.objects("none")) == []


def test_months_run_over_the_end_of_a_year() -> None:
    assert list(months(Days("2025-11-30", "2026-02-01"))) == ["2025-11", "2025-12", "2026-01", "2026-02"]
    assert list(months(Days("2026-12-31", "2026-12-01"))) == ["2026-12"]


def test_what_the_archive_did_not_write_is_listed_as_foreign(bucket: Bucket, s3: Any) -> None:
    put(s3, "flipt/2026/11/26/notes.txt", b"")
    assert "flipt/2026/11/26/notes.txt" in keys(bucket.objects("flipt"))


def test_an_object_has_all_its_versions_the_newest_first(bucket: Bucket, s3: Any) -> None:
    at = key(DAYS[0], 0)
    second = put(s3, at, b"changed")
    s3.delete_object(Bucket=NAME, Key=str(at))
    first_of = next(bucket.objects("flipt"))
    assert isinstance(first_of, Stored)
    assert first_of.is_deleted
    assert [each.is_deletion for each in first_of.versions] == [True, False, False]
    assert second in {each.id for each in first_of.versions}


def test_the_versions_of_one_object_stay_together_across_pages(
    bucket: Bucket, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        put(s3, key(DAYS[0], 1), str(number).encode())
    real = s3.get_paginator

    def small(operation: str) -> Any:
        pages = real(operation)
        paginate = pages.paginate
        pages.paginate = lambda **kwargs: paginate(**kwargs, PaginationConfig={"PageSize": 2})
        return pages

    monkeypatch.setattr(s3, "get_paginator", small)
    found = {str(each.key): each for each in bucket.objects("flipt") if isinstance(each, Stored)}
    assert len(found) == 6
    assert len(found[str(key(DAYS[0], 1))].versions) == 5


def test_an_object_is_fetched_by_key_and_by_version(bucket: Bucket, s3: Any) -> None:
    at = key(DAYS[0], 0)
    found = next(bucket.objects("flipt"))
    assert isinstance(found, Stored)
    put(s3, at, b"changed")
    assert bucket.fetch(at) == b"changed"
    assert bucket.fetch(at, found.versions[0].id) == b"2026-11-25 0"


def test_what_is_gone_is_none(bucket: Bucket) -> None:
    assert bucket.fetch(key(DAYS[0], 99)) is None


def test_an_object_that_is_cut_short_is_an_error_that_says_so(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    # urllib3's own error ended the command in a traceback.
    def cut(_: StreamingBody, amt: int | None = None) -> bytes:
        raise ResponseStreamingError(error="cut")

    monkeypatch.setattr(StreamingBody, "read", cut)
    with pytest.raises(CommandError):
        bucket.fetch(key(DAYS[0], 0))


def test_objects_are_fetched_together_in_the_order_of_their_keys(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "TOGETHER", 4)
    found = [each for each in bucket.objects("flipt") if isinstance(each, Stored)]
    fetched = list(bucket.fetch_each(found))
    assert [each for each, _ in fetched] == found
    assert [data for _, data in fetched] == [f"{day} {number}".encode() for day in DAYS for number in range(2)]


def test_a_denied_read_says_which_bucket_and_what_is_missing(
    bucket: Bucket, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject")

    monkeypatch.setattr(s3, "get_object", denied)
    with pytest.raises(CommandError, match="could not read the archive the-archive: AccessDenied for GetObject"):
        bucket.fetch(key(DAYS[0], 0))
