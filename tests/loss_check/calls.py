"""What the functions ask of AWS, and what may happen to each call."""

from collections.abc import Mapping

ACCOUNTANT = "accountant"
"""What the process asks that tells the accountant something, and nothing of AWS."""

EVERY = ("refused", "unreachable", "answer lost", "killed before", "killed after")
CALLS: Mapping[str, tuple[str, ...]] = {
    "send": (*EVERY, "refused in part", "late"),
    "dead letter": (*EVERY, "late"),
    "delete": (*EVERY, "refused in part"),
    "visibility": (*EVERY, "refused in part"),
    "row": (*EVERY, "unprocessed"),
    "read": EVERY,
    "rest": EVERY,
    "store body": EVERY,
    "fetch body": EVERY,
    "secret": EVERY,
    "replay": EVERY,
}
"""What is called, and what may happen to it."""
NAMES = {
    ("sqs", "delete_message_batch"): "delete",
    ("sqs", "change_message_visibility_batch"): "visibility",
    ("dynamodb", "batch_write_item"): "row",
    ("dynamodb", "batch_get_item"): "read",
    ("s3", "put_object"): "store body",
    ("s3", "get_object"): "fetch body",
    ("secretsmanager", "get_secret_value"): "secret",
}
