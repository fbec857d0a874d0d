"""Whose AWS account a command works in, and what it says when it cannot sign in there."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from shlex import quote
from typing import Annotated, Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigNotFound,
    ConfigParseError,
    ConnectionError,  # noqa: A004 - botocore's, which covers a proxy and TLS as well
    CredentialRetrievalError,
    HTTPClientError,
    InvalidConfigError,
    InvalidRegionError,
    LoginError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.utils import validate_region_name
from cyclopts import Parameter

from flagcast_cli.console import CommandError

_CONFIG = Config(connect_timeout=5, read_timeout=10, max_pool_connections=16, retries={"mode": "standard"})

_NOT_SIGNED_IN = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidIdentityToken",
        "NotAuthorized",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnauthorizedException",
        "UnrecognizedClientException",
    }
)
"""Codes for a login that AWS does not accept, or no longer:
https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html and
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html"""

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "KMS.AccessDeniedException", "UnauthorizedOperation"})
"""The third is SQS's, where a queue has a key that one may not use:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/troubleshooting-access-denied.html"""

_NEEDS = "Your credentials do not allow this. docs/iam/operator.json has the permissions that the commands need."


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Account:
    """The account and region that a command works in; what is not given comes from the environment and the profile."""

    profile: Annotated[
        str | None, Parameter(help="The AWS profile to sign in with. Without it, AWS_PROFILE or the default profile.")
    ] = None
    region: Annotated[
        str | None,
        Parameter(help="The AWS region. Without it, AWS_REGION, AWS_DEFAULT_REGION or the profile's region."),
    ] = None

    def session(self) -> boto3.Session:
        """Sign in; raises CommandError with the command that fixes it where that fails.

        Everything that boto3 knows: https://docs.aws.amazon.com/boto3/latest/guide/credentials.html. It does not read
        AWS_REGION, which stands over AWS_DEFAULT_REGION in AWS's other tools:
        https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html
        """
        with self.asking("could not sign in to AWS"):
            core = botocore.session.Session()
            core.set_default_client_config(_CONFIG)
            region = self.region or os.environ.get("AWS_REGION") or None
            made = boto3.Session(botocore_session=core, profile_name=self.profile, region_name=region)
            if made.region_name is None:
                raise NoRegionError
            validate_region_name(made.region_name)  # A client does it later, outside of what is caught here.
            credentials = made.get_credentials()
            if credentials is None:
                raise NoCredentialsError
            # Roles are assumed and tokens exchanged now, so that a login that has expired is found before any work.
            credentials.get_frozen_credentials()
        return made

    def clients(self) -> Callable[[str], Any]:
        """Return what gives the one client of each service, to any thread, and signs in when the first is asked for.

        A session makes one at a time:
        https://docs.aws.amazon.com/boto3/latest/guide/clients.html#multithreading-or-multiprocessing-with-clients
        """
        one_at_a_time = threading.Lock()
        session = cache(self.session)
        make = cache(lambda service: session().client(service))

        def client(service: str) -> Any:
            with one_at_a_time:
                return make(service)

        return client

    @contextmanager
    def asking(self, otherwise: str, needs: str = _NEEDS) -> Iterator[None]:
        """Turn every error of AWS, or on the way there, into a CommandError: what failed and what to do about it.

        `needs` says which permission is missing where AWS denies the call.
        """
        try:
            yield
        except ClientError as error:
            raise self._answered(error, otherwise, needs) from error
        except BotoCoreError as error:
            raise self._not_asked(error, otherwise) from error

    def _answered(self, error: ClientError, otherwise: str, needs: str) -> CommandError:
        code = error_code(error)
        if code in _NOT_SIGNED_IN:
            return CommandError(f"{otherwise}: AWS does not accept this login ({code})", *self._sign_in())
        if code in _DENIED:
            # Only the operation is named: AWS's own message can hold what was asked for.
            return CommandError(
                f"{otherwise}: {code} for {error.operation_name}",
                needs,
                "`aws sts get-caller-identity` shows whose credentials you use.",
            )
        return CommandError(
            f"{otherwise}: {code} for {error.operation_name}",
            "Try again. If the error stays, look up its code in the AWS documentation.",
        )

    def _not_asked(self, error: BotoCoreError, otherwise: str) -> CommandError:
        """https://docs.aws.amazon.com/boto3/latest/guide/error-handling.html#botocore-exceptions."""
        match error:
            case ProfileNotFound():
                named = self.profile or os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE")
                return CommandError(f"there is no AWS profile {named}", "List yours: aws configure list-profiles")
            case NoRegionError() | InvalidRegionError():
                return CommandError(
                    "no valid AWS region is set", "Add --region eu-west-1, or with make: REGION=eu-west-1"
                )
            case SSOError() | TokenRetrievalError():
                return CommandError("you are not signed in to AWS, or your login has expired", *self._sign_in())
            case LoginError():
                return CommandError(
                    "you are not signed in to AWS, or your login has expired", f"Sign in: aws login{self._named()}"
                )
            case NoCredentialsError():
                return CommandError("no AWS credentials were found", *self._sign_in())
            case PartialCredentialsError() | CredentialRetrievalError():
                provider = error.kwargs["provider"]
                return CommandError(f"could not get AWS credentials from {provider}", *self._sign_in())
            case ConfigNotFound() | ConfigParseError() | InvalidConfigError():
                return CommandError(
                    f"your AWS configuration is not valid: {error}", "See what is set: aws configure list"
                )
            case ConnectionError() | HTTPClientError():
                return CommandError(
                    f"{otherwise}: {type(error).__name__}",
                    "Check the network, the region, and AWS_ENDPOINT_URL if it is set.",
                )
        return CommandError(f"{otherwise}: {type(error).__name__}", "Try again. If the error stays, look up its name.")

    def _sign_in(self) -> list[str]:
        """Return how to sign in: by the profile that the login belongs to, which others may build on."""
        core = botocore.session.Session(profile=self.profile)
        profiles: dict[str, dict[str, str]] = core.full_config.get("profiles", {})
        name = core.profile or "default"
        seen = [name]
        while (source := profiles.get(name, {}).get("source_profile")) and source not in seen:
            seen.append(name := source)
        if profiles.get(name, {}).keys() & {"sso_session", "sso_start_url"}:
            return [f"Sign in: aws sso login --profile {quote(name)}"]
        others = ", ".join(each for each in profiles if each != name)
        return [
            f"Sign in: aws configure sso{self._named()}, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            *([f"Or use another profile: --profile NAME, one of {others}"] if others else []),
        ]

    def _named(self) -> str:
        return f" --profile {quote(self.profile)}" if self.profile else ""


ENVIRONMENT = Account()
"""The account and region of the environment."""


def error_code(error: ClientError) -> str:
    """Return AWS's code for an error: its message can hold what was sent."""
    return str(error.response.get("Error", {}).get("Code", "ClientError"))
