"""What `sam delete` leaves is what the template keeps, and the documented commands delete all of it."""

import os
import re
import subprocess
from pathlib import Path

from tests.acceptance.kinds import KEPT, KINDS
from tests.support.template import ROOT, transformed, written

ID = "arn:aws:cloudformation:eu-central-1:123456789012:stack/flagcast/1b2c"
AWS = """#!/bin/sh
echo "$@" >> "$LOG"
case "$*" in
  *list-stacks*"[0]"*) printf 'None\\n%s\\nNone\\n' "$STACK_ID" ;;
  *list-stacks*) echo "$STACK_ID" ;;
  *list-stack-resources*"--stack-name $STACK_ID --output"*) cat "$LEFT" ;;
esac
"""


def kept() -> list[tuple[str, str]]:
    """The types and names of what outlives its stack; CloudFormation says DELETE_SKIPPED of each."""
    resources = transformed(written())["Resources"].items()
    return [(each["Type"], name) for name, each in resources if each.get("DeletionPolicy", "Delete") != "Delete"]


def documented() -> str:
    section = (ROOT / "docs/operations.md").read_text(encoding="utf-8").partition("\n## Deleting\n")[2]
    _, commands = re.findall(r"```sh\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    return str(commands)


def test_the_documented_commands_delete_whatever_a_deleted_stack_leaves(tmp_path: Path) -> None:
    # They took the first of all deleted stacks, but with --output text the AWS CLI takes the first of each page, and
    # None where a page has none: in an account with many stacks nothing was found, and everything stayed.
    # https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-filter.html#cli-usage-filter-client-side-output
    names = {f"{kind.split('::')[1].lower()}-{at}": (kind, what) for at, (kind, what) in enumerate(kept())}
    assert len(names) == 5
    (tmp_path / "left").write_text("".join(f"{kind}\t{what}\t{name}\n" for name, (kind, what) in names.items()))
    (tmp_path / "aws").write_text(AWS)
    (tmp_path / "aws").chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "LOG": str(tmp_path / "log"),
        "LEFT": str(tmp_path / "left"),
        "STACK_ID": ID,
    }
    subprocess.run(["sh", "-eu", "-c", documented()], env=environment, check=True, timeout=30)
    deleted = [each for each in (tmp_path / "log").read_text().splitlines() if re.search(r" (delete-\w+|rb) ", each)]
    assert sorted(deleted) == sorted(
        {
            "AWS::SQS::Queue": "sqs delete-queue --queue-url {}",
            # Without --force, which hides each object behind a delete marker before it fails on the versions.
            "ArchiveBucket": "s3api delete-bucket --bucket {}",
            "AWS::S3::Bucket": "s3 rb s3://{} --force",
            "AWS::DynamoDB::Table": "dynamodb delete-table --table-name {}",
        }["ArchiveBucket" if what == "ArchiveBucket" else kind].format(name)
        for name, (kind, what) in names.items()
    )


def test_the_acceptance_run_can_delete_whatever_a_deleted_stack_leaves() -> None:
    assert sorted(kept()) == sorted((kind, name) for kind, names in KEPT.items() for name in names)
    assert KEPT.keys() <= KINDS.keys()
