"""What `sam local` reads: samconfig.toml's local part, and the files of the local stack that it names."""

import tomllib
from typing import Any

from flagcast_cli.checkout import ROOT
from flagcast_cli.checkout import TEMPLATE as SOURCE
from flagcast_cli.local import sam_local
from flagcast_cli.local.sam_local import aws_variables, for_containers
from flagcast_cli.local.stack import BUILT
from tests.support.captures import SECRET


def built() -> dict[str, Any]:
    """As sam build leaves it, of what matters here."""
    function = {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "F", "MemorySize": 512}}
    layer = {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": "L", "RetentionPolicy": "Delete"}}
    configuration = {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": "../../layers/config"}}
    return {
        "Globals": {"Function": {"Runtime": "python3.13", "Environment": {"Variables": {"OURS": {"Ref": "Queue"}}}}},
        "Parameters": {"Size": {"Default": 1}},
        "Resources": {
            "F": function,
            "L": layer,
            "ConfigurationLayer": configuration,
            "Queue": {"Type": "AWS::SQS::Queue"},
        },
    }


def test_the_template_is_the_built_one_but_for_where_its_code_lies_and_the_variables_it_declares() -> None:
    made = for_containers(built())
    resources = made["Resources"]
    assert resources["F"]["Properties"] == {"CodeUri": str(BUILT / "F"), "MemorySize": 512}
    assert resources["L"]["Properties"] == {"ContentUri": str(BUILT / "L"), "RetentionPolicy": "Delete"}
    assert resources["ConfigurationLayer"]["Properties"] == {"ContentUri": str(sam_local.CONFIGURATION)}
    declared = made["Globals"]["Function"]["Environment"]["Variables"]
    assert declared == {"OURS": {"Ref": "Queue"}, **dict.fromkeys(aws_variables("http://x:1"), "")}
    assert made["Globals"]["Function"]["Runtime"] == "python3.13"
    assert made["Parameters"] == built()["Parameters"]
    assert resources["Queue"] == built()["Resources"]["Queue"]


def test_what_the_shell_says_of_aws_is_overridden_by_name() -> None:
    # sam local passes these on from the shell that it runs in, credentials included, unless the file has them.
    assert set(aws_variables("http://x:1")) >= {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
    }


def test_nothing_of_the_local_stack_stands_in_the_template_that_is_deployed() -> None:
    assert "AWS_ENDPOINT_URL" not in SOURCE.read_text(encoding="utf-8")


def test_samconfig_names_what_the_local_stack_writes() -> None:
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))["default"]
    for command in ("local_invoke", "local_start_api", "local_start_lambda"):
        parameters = settings[command]["parameters"]
        assert ROOT / parameters["template_file"] == sam_local.TEMPLATE
        assert ROOT / parameters["env_vars"] == sam_local.VARIABLES


def test_the_local_stacks_secret_is_what_the_sample_request_is_signed_with() -> None:
    assert sam_local.SIGNING_SECRET == SECRET
