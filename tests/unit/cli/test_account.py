"""What is said where AWS cannot be asked, by the exception's type; each way to sign in is in tests/integration."""

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ConnectTimeoutError,
    InvalidRegionError,
    LoginRefreshRequired,
    ProxyConnectionError,
    ReadTimeoutError,
    RefreshWithMFAUnsupportedError,
    SSLError,
    TokenRetrievalError,
)

from flagcast_cli.console import CommandError
from flagcast_cli.stack.account import Account

URL = {"endpoint_url": "https://x.example.com"}


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.delenv("AWS_PROFILE", raising=False)


@pytest.mark.parametrize(
    ("error", "message", "step"),
    [
        (
            LoginRefreshRequired(),
            "you are not signed in to AWS, or your login has expired",
            "Sign in: aws login --profile 'ours 1'",
        ),
        (TokenRetrievalError(provider="sso", error_msg="canary"), "you are not signed in to AWS", "Sign in: aws "),
        (InvalidRegionError(region_name="canary"), "no valid AWS region is set", "Add --region"),
        (ConnectTimeoutError(**URL), "it failed: ConnectTimeoutError", "Check the network"),
        (ReadTimeoutError(**URL), "it failed: ReadTimeoutError", "Check the network"),
        (ProxyConnectionError(proxy_url="canary"), "it failed: ProxyConnectionError", "Check the network"),
        (SSLError(**URL, error=OSError("canary")), "it failed: SSLError", "Check the network"),
        (RefreshWithMFAUnsupportedError(), "it failed: RefreshWithMFAUnsupportedError", "Try again"),
    ],
)
def test_an_error_is_told_by_its_type_with_what_to_do(error: BotoCoreError, message: str, step: str) -> None:
    with pytest.raises(CommandError) as raised, Account(profile="ours 1").asking("it failed"):
        raise error
    assert str(raised.value).startswith(message)
    assert raised.value.next_steps[0].startswith(step)
    assert "canary" not in str(raised.value)


def test_what_is_no_error_of_aws_goes_by() -> None:
    with pytest.raises(ZeroDivisionError), Account().asking("it failed"):
        raise ZeroDivisionError
