"""Each way to sign in to AWS that botocore's own files describe, by the real command, against a server of the test."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from hashlib import sha1
from pathlib import Path

import pytest

from flagcast_cli.console import CommandError
from flagcast_cli.dlq.command import app
from flagcast_cli.local.receiver import Receiver
from flagcast_cli.local.receiver_script import Answer, Received
from flagcast_cli.stack.account import Account
from tests.support.time_limits import PATIENCE

LATER, EARLIER = "2099-01-01T00:00:00Z", "2020-01-01T00:00:00Z"
FILES = """
[profile keys]
region = eu-south-1
aws_access_key_id = KEYOFTHEPROFILE
aws_secret_access_key = secret

[profile people]
sso_session = our
sso_account_id = 123456789012
sso_role_name = Deployer
region = eu-west-1

[sso-session our]
sso_start_url = https://our.awsapps.com/start
sso_region = eu-west-1

[profile old-people]
sso_start_url = https://old.awsapps.com/start
sso_region = eu-west-1
sso_account_id = 123456789012
sso_role_name = Deployer
region = eu-west-1

[profile production]
role_arn = arn:aws:iam::123456789012:role/production
source_profile = keys
region = eu-west-1

[profile production-by-people]
role_arn = arn:aws:iam::123456789012:role/production
source_profile = people
region = eu-west-1

[profile process]
credential_process = false
region = eu-west-1

[profile endless]
role_arn = arn:aws:iam::123456789012:role/production
source_profile = nowhere
region = eu-west-1
"""
PORTAL = "/federation/credentials?role_name=Deployer&account_id=123456789012"
NO_STACK = Answer(
    400,
    {"Content-Type": "text/xml"},
    b"<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>-</Message></Error></ErrorResponse>",
)
FOUND_NONE = "there is no stack flagcast in this account and region"


def refused(code: str) -> Answer:
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>canary</Message></Error></ErrorResponse>"
    return Answer(403, {"Content-Type": "text/xml"}, body.encode())


def role(key: str, call: str = "AssumeRole") -> Answer:
    body = (
        f"<{call}Response><{call}Result><Credentials><AccessKeyId>{key}</AccessKeyId>"
        f"<SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>"
        f"<Expiration>{LATER}</Expiration></Credentials></{call}Result></{call}Response>"
    )
    return Answer(200, {"Content-Type": "text/xml"}, body.encode())


def portal(key: str) -> Answer:
    given = {"accessKeyId": key, "secretAccessKey": "secret", "sessionToken": "t", "expiration": 4_070_908_800_000}
    return Answer(200, {"Content-Type": "application/json"}, json.dumps({"roleCredentials": given}).encode())


class Person:
    """A person with these files in a home of their own, whose AWS is a server of the test."""

    def __init__(self, home: Path, aws: Receiver) -> None:
        self.home = home
        self.aws = aws
        (home / "config").write_text(FILES)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "HOME": str(home),
            "AWS_CONFIG_FILE": str(home / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "*",
        }

    def signed_in(self, session: str, until: str = LATER) -> None:
        """Have the token that `aws sso login` keeps: for a session by its name, for an older profile by its URL."""
        cache = self.home / ".aws" / "sso" / "cache"
        cache.mkdir(parents=True)
        file = cache / f"{sha1(session.encode(), usedforsecurity=False).hexdigest()}.json"
        file.write_text(json.dumps({"accessToken": "sso-token", "expiresAt": until, "region": "eu-west-1"}))

    def run(self, *words: str, **variables: str) -> str:
        """List the dead letters and return what went wrong."""
        with pytest.MonkeyPatch.context() as shell:
            for name in [name for name in os.environ if name.startswith("AWS_")]:
                shell.delenv(name)
            for name, value in {**self.environment, **variables}.items():
                shell.setenv(name, value)
            with pytest.raises(CommandError) as raised:
                app(("list", *words), result_action="return_value")
        return " ".join(f"{raised.value} {' '.join(raised.value.next_steps)}".split())

    def run_apart(self, *words: str, **variables: str) -> str:
        """Do the same in a process of its own: where botocore keeps tokens is fixed when it is imported."""
        done = subprocess.run(
            [Path(sys.executable).with_name("flagcast"), "dlq", "list", *words],
            env={**self.environment, **variables}, capture_output=True, text=True, check=False, timeout=PATIENCE,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (2, "")
        return " ".join(done.stderr.split())

    def signed(self) -> tuple[str, str]:
        """Return the key and the region that the last request was signed with and for."""
        return credential(self.aws.requests()[-1])


def credential(request: Received) -> tuple[str, str]:
    headers: Mapping[str, str] = {name.lower(): value for name, value in request.headers}
    found = re.search(r"Credential=([^/]+)/\d+/([^/]+)/cloudformation/", headers["authorization"])
    assert found
    return found[1], found[2]


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    with Receiver() as aws:
        aws.script("/", [NO_STACK])
        yield Person(tmp_path, aws)


# botocore's loader was replaced by one of seven services, for everything: `UnknownServiceError: sso` (and sts) was all
# that people who sign in by SSO, assume a role or have a token of their CI ever saw.


@pytest.mark.parametrize(("profile", "session"), [("people", "our"), ("old-people", "https://old.awsapps.com/start")])
def test_people_who_sign_in_by_sso_reach_their_stack(person: Person, profile: str, session: str) -> None:
    person.signed_in(session)
    person.aws.script(PORTAL, [portal("KEYBYSSO")])
    assert FOUND_NONE in person.run_apart("--profile", profile)
    assert person.signed() == ("KEYBYSSO", "eu-west-1")


def test_a_profile_that_assumes_a_role_reaches_the_stack(person: Person) -> None:
    person.aws.script("/", [role("KEYOFTHEROLE"), NO_STACK])
    assert FOUND_NONE in person.run(AWS_PROFILE="production")
    assert person.signed() == ("KEYOFTHEROLE", "eu-west-1")


def test_a_role_on_top_of_sso_reaches_the_stack(person: Person) -> None:
    person.signed_in("our")
    person.aws.script(PORTAL, [portal("KEYBYSSO")])
    person.aws.script("/", [role("KEYOFTHEROLE"), NO_STACK])
    assert FOUND_NONE in person.run_apart("--profile", "production-by-people")
    assert person.signed() == ("KEYOFTHEROLE", "eu-west-1")


def test_web_identity_reaches_the_stack(person: Person) -> None:
    (person.home / "token").write_text("a token of the CI")
    person.aws.script("/", [role("KEYOFTHECI", "AssumeRoleWithWebIdentity"), NO_STACK])
    said = person.run(
        AWS_ROLE_ARN="arn:aws:iam::123456789012:role/ci",
        AWS_WEB_IDENTITY_TOKEN_FILE=str(person.home / "token"),
        AWS_REGION="eu-north-1",
    )
    assert FOUND_NONE in said
    assert person.signed() == ("KEYOFTHECI", "eu-north-1")


# AWS_REGION, which the hints named, had no effect: botocore reads AWS_DEFAULT_REGION alone.


@pytest.mark.parametrize(
    ("words", "variables", "region"),
    [
        ((), {}, "eu-south-1"),
        ((), {"AWS_DEFAULT_REGION": "eu-north-1"}, "eu-north-1"),
        ((), {"AWS_REGION": "eu-west-3"}, "eu-west-3"),
        ((), {"AWS_REGION": "eu-west-3", "AWS_DEFAULT_REGION": "eu-north-1"}, "eu-west-3"),
        (("--region", "us-west-2"), {"AWS_REGION": "eu-west-3", "AWS_DEFAULT_REGION": "eu-north-1"}, "us-west-2"),
    ],
)
def test_the_option_stands_over_the_variables_and_those_over_the_profile(
    person: Person, words: tuple[str, ...], variables: dict[str, str], region: str
) -> None:
    assert FOUND_NONE in person.run("--profile", "keys", *words, **variables)
    assert person.signed() == ("KEYOFTHEPROFILE", region)


KEYS = {"AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": "secret"}
REGION = {"AWS_REGION": "eu-west-1"}


@pytest.mark.parametrize(
    ("words", "variables", "message", "step"),
    [
        ((), KEYS, "no valid AWS region is set", "Add --region"),
        (("--region", "eu west 1"), KEYS, "no valid AWS region is set", "Add --region"),
        ((), REGION, "no AWS credentials were found", "Sign in: aws configure sso"),
        ((), {**REGION, "AWS_ACCESS_KEY_ID": "KEY"}, "could not get AWS credentials from env", "Sign in: aws"),
        (("--profile", "nobody"), {}, "there is no AWS profile nobody", "aws configure list-profiles"),
        ((), {"AWS_PROFILE": "nobody"}, "there is no AWS profile nobody", "aws configure list-profiles"),
        (("--profile", "people"), {}, "you are not signed in to AWS", "aws sso login --profile people"),
        (("--profile", "old-people"), {}, "you are not signed in to AWS", "aws sso login --profile old-people"),
        # The login is that of the profile beneath.
        (("--profile", "production-by-people"), {}, "you are not signed in to AWS", "aws sso login --profile people"),
        (("--profile", "process"), {}, "could not get AWS credentials from custom-process", "Sign in: aws"),
        (("--profile", "endless"), {}, "your AWS configuration is not valid", "aws configure list"),
        (
            ("--profile", "keys"),
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
            "could not look up the stack flagcast: EndpointConnectionError",
            "Check the network, the region",
        ),
    ],
)
def test_who_cannot_sign_in_is_told_the_command_that_fixes_it(
    person: Person, words: tuple[str, ...], variables: dict[str, str], message: str, step: str
) -> None:
    said = person.run(*words, **variables)
    assert message in said
    assert step in said
    assert "Traceback" not in said


def test_a_login_that_has_expired_is_asked_for_again(person: Person) -> None:
    person.signed_in("our", until=EARLIER)
    said = person.run_apart("--profile", "people")
    assert "you are not signed in to AWS, or your login has expired Sign in: aws sso login --profile people" in said


def test_a_login_that_the_portal_does_not_accept_is_asked_for_again(person: Person) -> None:
    person.signed_in("our")
    refusal = {"Content-Type": "application/json", "X-Amzn-Errortype": "UnauthorizedException"}
    person.aws.script(PORTAL, [Answer(401, refusal, b'{"message": "Session token not found or invalid"}')])
    assert "Sign in: aws sso login --profile people" in person.run_apart("--profile", "people")


@pytest.mark.parametrize(
    ("code", "message", "step"),
    [
        ("ExpiredToken", "AWS does not accept this login (ExpiredToken)", "Sign in: "),
        ("InvalidClientTokenId", "AWS does not accept this login (InvalidClientTokenId)", "Sign in: "),
        ("AccessDenied", "AccessDenied for DescribeStacks", "aws sts get-caller-identity"),
        ("Strange", "Strange for DescribeStacks", "Try again"),
    ],
)
def test_what_aws_refuses_is_named_by_its_code_and_never_by_its_message(
    person: Person, code: str, message: str, step: str
) -> None:
    person.aws.script("/", [refused(code)])
    said = person.run("--profile", "keys")
    assert message in said
    assert step in said
    assert "canary" not in said


def test_a_session_is_signed_in_before_anything_is_asked_of_it(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in person.environment.items():
        monkeypatch.setenv(name, value)
    person.aws.script("/", [role("KEYOFTHEROLE")])
    credentials = Account(profile="production").session().get_credentials()
    assert credentials
    assert credentials.access_key == "KEYOFTHEROLE"
    person.aws.script("/", [refused("ExpiredToken")])
    with pytest.raises(CommandError, match="AWS does not accept this login"):
        Account(profile="production").session()


def test_a_role_that_may_not_be_assumed_is_named_so(person: Person) -> None:
    person.aws.script("/", [refused("AccessDenied")])
    assert "AccessDenied for AssumeRole" in person.run("--profile", "production")
