import pytest


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    """SAM's translator asks boto3 for one."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
