"""S3: a bucket gets an object."""

from typing import Any

from flagcast.exchange.aws_request import AwsRequest

_CONTENT_TYPE = "Content-Type"


def send(client: Any, request: AwsRequest) -> dict[str, Any]:
    """Put one object: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html.

    botocore sends a checksum of the body, which the same page asks for where Object Lock has a default retention.
    A bucket in another region than the client's is found by the answer's header: botocore then asks there.
    """
    condition = {"IfNoneMatch": "*"} if request.is_new_only else {}
    answer: dict[str, Any] = client.put_object(
        Bucket=request.target.name,
        Key=request.key,
        Body=request.body,
        ContentType=request.attributes.get(_CONTENT_TYPE, "application/octet-stream"),
        Metadata={name: value for name, value in request.attributes.items() if name != _CONTENT_TYPE},
        **condition,
    )
    return answer
