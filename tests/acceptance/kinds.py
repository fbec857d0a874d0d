"""What a run makes that no stack deletes, kind by kind: its names, its tags, and how it is deleted."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from botocore.exceptions import ClientError

from flagcast_cli.stack.account import error_code
from tests.acceptance.places import Place

Tags = Mapping[str, str]

KEPT = {
    "AWS::SQS::Queue": ("TaskQueue", "DeadLetterQueue"),
    "AWS::DynamoDB::Table": ("StateTable",),
    "AWS::S3::Bucket": ("BodiesBucket", "ArchiveBucket"),
}
"""What template.yaml keeps when its stack is deleted."""


class Kind(Protocol):
    def names(self, place: Place) -> Iterable[str]:
        """Yield the name of every one that is there, whatever made it."""

    def prefixes(self, stack: str) -> tuple[str, ...]:
        """Return how the names of a run's begin."""

    def tags(self, place: Place, name: str) -> Tags: ...

    def delete(self, place: Place, name: str) -> None: ...


def generated(kind: str, stack: str) -> tuple[str, ...]:
    """Return how CloudFormation begins the names that it makes.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html
    """
    return tuple(f"{stack}-{each}-" for each in KEPT[kind])


class Queues:
    def names(self, place: Place) -> Iterable[str]:
        pages = place.client("sqs").get_paginator("list_queues").paginate(QueueNamePrefix=f"{place.stack}-")
        return (url.rpartition("/")[2] for page in pages for url in page.get("QueueUrls", []))

    def prefixes(self, stack: str) -> tuple[str, ...]:
        return generated("AWS::SQS::Queue", stack)

    def tags(self, place: Place, name: str) -> Tags:
        tags: Tags = place.client("sqs").list_queue_tags(QueueUrl=self._url(place, name)).get("Tags", {})
        return tags

    def delete(self, place: Place, name: str) -> None:
        place.client("sqs").delete_queue(QueueUrl=self._url(place, name))

    def _url(self, place: Place, name: str) -> str:
        return str(place.client("sqs").get_queue_url(QueueName=name)["QueueUrl"])


class Tables:
    def names(self, place: Place) -> Iterable[str]:
        pages = place.client("dynamodb").get_paginator("list_tables").paginate()
        return (name for page in pages for name in page["TableNames"])

    def prefixes(self, stack: str) -> tuple[str, ...]:
        return generated("AWS::DynamoDB::Table", stack)

    def tags(self, place: Place, name: str) -> Tags:
        dynamodb = place.client("dynamodb")
        arn = dynamodb.describe_table(TableName=name)["Table"]["TableArn"]
        return _by_key(dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"])

    def delete(self, place: Place, name: str) -> None:
        place.client("dynamodb").delete_table(TableName=name)


class Buckets:
    def names(self, place: Place) -> Iterable[str]:
        return (each["Name"] for each in place.client("s3").list_buckets()["Buckets"])

    def prefixes(self, stack: str) -> tuple[str, ...]:
        return tuple(each.lower() for each in generated("AWS::S3::Bucket", stack))

    def tags(self, place: Place, name: str) -> Tags:
        """A bucket without tags answers NoSuchTagSet.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html
        """
        try:
            return _by_key(place.client("s3").get_bucket_tagging(Bucket=name)["TagSet"])
        except ClientError as error:
            if error_code(error) != "NoSuchTagSet":
                raise
            return {}

    def delete(self, place: Place, name: str) -> None:
        """Empty it first: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html."""
        s3 = place.client("s3")
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            for each in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                s3.delete_object(Bucket=name, Key=each["Key"], VersionId=each["VersionId"])
        s3.delete_bucket(Bucket=name)


class Secrets:
    def names(self, place: Place) -> Iterable[str]:
        """Those that are being deleted are not listed.

        https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html
        """
        beginning = [{"Key": "name", "Values": list(self.prefixes(place.stack))}]
        pages = place.client("secretsmanager").get_paginator("list_secrets").paginate(Filters=beginning)
        return (each["Name"] for page in pages for each in page["SecretList"])

    def prefixes(self, stack: str) -> tuple[str, ...]:
        return (f"flagcast/{stack}/",)

    def tags(self, place: Place, name: str) -> Tags:
        return _by_key(place.client("secretsmanager").describe_secret(SecretId=name).get("Tags", []))

    def delete(self, place: Place, name: str) -> None:
        """By force, or it is in the way of the next run for days.

        https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html
        """
        place.client("secretsmanager").delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


class Parameters:
    def names(self, place: Place) -> Iterable[str]:
        pages = place.client("ssm").get_paginator("get_parameters_by_path")
        found = pages.paginate(Path=f"/flagcast/{place.stack}/", Recursive=True)
        return (each["Name"] for page in found for each in page["Parameters"])

    def prefixes(self, stack: str) -> tuple[str, ...]:
        return (f"/flagcast/{stack}/",)

    def tags(self, place: Place, name: str) -> Tags:
        found = place.client("ssm").list_tags_for_resource(ResourceType="Parameter", ResourceId=name)
        return _by_key(found["TagList"])

    def delete(self, place: Place, name: str) -> None:
        place.client("ssm").delete_parameter(Name=name)


def _by_key(tags: list[dict[str, Any]]) -> Tags:
    return {each["Key"]: each["Value"] for each in tags}


KINDS: dict[str, Kind] = {
    "AWS::SQS::Queue": Queues(),
    "AWS::DynamoDB::Table": Tables(),
    "AWS::S3::Bucket": Buckets(),
    "AWS::SecretsManager::Secret": Secrets(),
    "AWS::SSM::Parameter": Parameters(),
}
