"""How AWS is called: as boto3 does it, with the credentials and the region of the caller."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ProfileNotFound, SSOError

from flagcast.edges.aws.client import client
from tests.integration.conftest import begin_anew


@pytest.fixture(autouse=True)
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Sign no one in; returns the file of profiles."""
    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
    ):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "config"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    begin_anew()
    yield file
    begin_anew()


@pytest.mark.parametrize(
    ("environment", "region"),
    [
        ({"AWS_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-2"),
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-1"),
    ],
)
def test_the_region_is_that_of_either_variable(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], region: str
) -> None:
    # boto3 reads AWS_DEFAULT_REGION alone, and our own messages name AWS_REGION.
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert client("sqs").meta.region_name == region


def test_who_signs_in_by_sso_is_asked_to_sign_in(monkeypatch: pytest.MonkeyPatch, profiles: Path) -> None:
    # Every command ended in UnknownServiceError: our loader knew the seven services that Flagcast calls, and not `sso`.
    profiles.write_text(
        "[profile here]\nregion = eu-west-1\nsso_start_url = https://example.awsapps.com/start\n"
        "sso_region = eu-west-1\nsso_account_id = 123456789012\nsso_role_name = operator\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "here")
    with pytest.raises(SSOError):
        client("sqs").list_queues()


def test_a_profile_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    with pytest.raises(ProfileNotFound, match="nowhere"):
        client("sqs")
