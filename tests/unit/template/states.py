"""The states of the template that its rules are held to: each parameter changed by itself, and all of them together."""

from functools import cache

from tests.support.template import Template, decided, translated, written

KEY = "arn:aws:kms:eu-central-1:123456789012:key/1b2c3d4e-1a2b-3c4d-5e6f-1a2b3c4d5e6f"
TARGETS = [
    "arn:aws:sqs:eu-central-1:123456789012:audit.fifo",
    "arn:aws:sns:us-east-2:210987654321:changes",
    "arn:aws:events:eu-central-1:123456789012:event-bus/audit",
    "arn:aws:s3:::audit-trail/flags",
    "arn:aws:s3:::another",
    "arn:aws:kms:us-east-2:210987654321:key/2b2c3d4e-1a2b-3c4d-5e6f-1a2b3c4d5e6f",
]
LONGEST_TARGETS = [*TARGETS, *(f"arn:aws:s3:::b{number:03}" for number in range(140))]
"""As long as the parameter may be, and as many: the role's policies have to hold them."""
TURNS_SOMETHING_ON = {
    "KmsKeyArn": KEY,
    "AlarmTopicArn": "arn:aws:sns:eu-central-1:123456789012:alarms",
    "QuietHours": "168",
    "SubnetIds": "subnet-1a2b3c4d5e6f7a8b9,subnet-2a2b3c4d5e6f7a8b9",
    "SecurityGroupIds": "sg-1a2b3c4d5e6f7a8b9",
    "TargetArns": ",".join(LONGEST_TARGETS),
    "PermissionsBoundaryArn": "arn:aws:iam::123456789012:policy/bounds",
    "IngestReservedConcurrency": "50",
    "DeliverReservedConcurrency": "20",
    "ArchiveDays": "2557",
}
"""Without these parameters nothing of theirs is in the template."""
EVERYTHING = TURNS_SOMETHING_ON | {
    "SecretPrefix": "p" * 256 + "/",
    "ParameterPrefix": "/" + "p" * 256 + "/",
    "PointInTimeRecovery": "on",
    "ArchiveLock": "compliance",
    "DefaultEndpoint": "off",
    "CircuitBreaker": "off",
    "TrackChanges": "off",
    "LogNames": "off",
    "Architecture": "arm64",
    "IngestMemory": "1024",
    "DeliverMemory": "2048",
    "MaximumConcurrency": "50",
    "ThrottlingRate": "50",
    "ThrottlingBurst": "100",
    "FailureRate": "0.9",
    "OldestTaskSeconds": "900",
    "LogRetentionDays": "365",
}
"""Another value than the default for every parameter."""
VPC = ("SubnetIds", "SecurityGroupIds")
LOCKED = ("ArchiveDays", "ArchiveLock")

STATES: dict[str, dict[str, str]] = {
    "defaults": {},
    **{name: {name: value} for name, value in EVERYTHING.items() if name not in (*VPC, "ArchiveLock")},
    "VPC": {name: EVERYTHING[name] for name in VPC},
    "a locked archive": {name: EVERYTHING[name] for name in LOCKED},
    "everything": EVERYTHING,
}


@cache
def _translated() -> Template:
    return translated(written())


@cache
def state(name: str) -> Template:
    """Return the translated template in a state; no one changes it."""
    return decided(_translated(), **STATES[name])
