"""Public prices, in US dollars, in US East (N. Virginia): the only place that has them.

Most of AWS's price pages fill in their figures by a script, and the stored copies of them that could be read have none:
each price says where its figure was read. `free` is what AWS gives every account every month, without an end.
"""

from msgspec import Struct

READ = "2026-11-26"
"""When the pages below were looked up; they are stored copies, each with a date of its own."""

MILLION = 1e-6


class Price(Struct, frozen=True):
    """Dollars for one of `unit`; `page` is the seller's own, `read` where the figure was read."""

    dollars: float
    unit: str
    page: str
    read: str
    free: float = 0.0


FROM_MEMORY = "from memory"


def quoted(address: str, date: str) -> str:
    """Name who quotes the seller's figure, and when it was read there or by them."""
    return f"as quoted by <{address}> ({date})"


def listed(usage_type: str) -> str:
    """Name the usage type of AWS's price list whose price is quoted in public source code."""
    return f"usage type {usage_type}, as quoted in public source code"


_API_EVANGELIST = "https://raw.githubusercontent.com/api-evangelist"
_FACTUALMINDS = "https://www.factualminds.com/blog"
_PRICE_LIST = "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws"
_LAMBDA = "https://aws.amazon.com/lambda/pricing/"
_LAMBDA_QUOTED = quoted("https://cloudchipr.com/blog/aws-lambda-pricing", "2026-11-24")
_CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"
_CLOUDWATCH_LIST = f"{_PRICE_LIST}/AmazonCloudWatch/current/us-east-1/index.json"
_DYNAMODB = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
_AIRBYTE = quoted("https://airbyte.com/data-engineering-resources/dynamodb-pricing", "2026-11-24")
_S3_LIST = f"{_PRICE_LIST}/AmazonS3/current/us-east-1/index.json"
_SECRETS = "https://aws.amazon.com/secrets-manager/pricing/"
_SECRETS_QUOTED = quoted(
    f"{_API_EVANGELIST}/amazon-secrets-manager/refs/heads/main/plans/amazon-secrets-manager-plans-pricing.yml",
    "2026-09-20",
)
_MONITORING = quoted(f"{_FACTUALMINDS}/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards/", "2026-11-24")
_EVENTBRIDGE = "https://aws.amazon.com/eventbridge/pricing/"
_EVENTBRIDGE_QUOTED = quoted(f"{_FACTUALMINDS}/amazon-eventbridge-pricing-events-pipes-schema-archive/", "2026-11-24")

HTTP_API = Price(
    1.00 * MILLION,
    "request of up to 512 KB",
    "https://aws.amazon.com/api-gateway/pricing/",
    quoted(
        f"{_API_EVANGELIST}/amazon-web-services/refs/heads/main/plans/amazon-web-services-plans-pricing.yml",
        "2026-09-20",
    ),
)
LAMBDA_REQUEST = Price(0.20 * MILLION, "invocation", _LAMBDA, _LAMBDA_QUOTED, 1e6)
LAMBDA_TIME = Price(0.0000166667, "GB-second, x86_64", _LAMBDA, _LAMBDA_QUOTED, 400_000)
SQS_FIFO = Price(
    0.50 * MILLION,
    "request of up to 64 KB",
    "https://aws.amazon.com/sqs/pricing/",
    quoted(f"{_FACTUALMINDS}/amazon-sqs-pricing-64kb-rule-fifo-vs-standard/", "2026-06-13"),
    1e6,
)
SQS_STANDARD = Price(
    0.40 * MILLION,
    "message of up to 64 KB sent to a standard queue",
    "https://aws.amazon.com/sqs/pricing/",
    quoted(f"{_FACTUALMINDS}/amazon-sqs-pricing-64kb-rule-fifo-vs-standard/", "2026-06-13"),
)
SNS = Price(
    0.50 * MILLION,
    "message of up to 64 KB published to a standard topic",
    "https://aws.amazon.com/sns/pricing/",
    quoted(f"{_FACTUALMINDS}/amazon-sns-pricing-publishes-fanout-protocols/", "2026-06-13"),
)
SNS_FIFO = Price(
    0.30 * MILLION,
    "message published to a FIFO topic",
    "https://aws.amazon.com/sns/pricing/",
    quoted(f"{_FACTUALMINDS}/amazon-sns-pricing-publishes-fanout-protocols/", "2026-06-13"),
)
DYNAMODB_READ = Price(0.125 * MILLION, "read request unit", _DYNAMODB, _AIRBYTE)
DYNAMODB_WRITE = Price(0.625 * MILLION, "write request unit", _DYNAMODB, _AIRBYTE)
DYNAMODB_KEPT = Price(0.25, "GB-month in the table", _DYNAMODB, FROM_MEMORY, 25)
DYNAMODB_BACKUP = Price(
    0.20,
    "GB-month of point-in-time recovery",
    f"{_PRICE_LIST}/AmazonDynamoDB/current/us-east-1/index.json",
    listed("TimedPITRStorage-ByteHrs"),
)
S3_PUT = Price(0.005 / 1000, "PUT", _S3_LIST, listed("Requests-Tier1"))
S3_KEPT = Price(0.023, "GB-month in S3 Standard", _S3_LIST, FROM_MEMORY)
ATHENA = Price(
    5.00 / 1e12,
    "byte that a query reads, 10 MB at least",
    "https://aws.amazon.com/athena/pricing/",
    quoted("https://the.athena.guide/articles/athena-basics-pricing-model/", "2020-10-15"),
)
S3_GET = Price(0.0004 / 1000, "GET", _S3_LIST, listed("Requests-Tier2"))
LOGS = Price(0.50, "GB ingested", _CLOUDWATCH_LIST, listed("DataProcessing-Bytes, VendedLog-Bytes"), 5)
LOGS_KEPT = Price(0.03, "GB-month kept, compressed", _CLOUDWATCH_LIST, listed("TimedStorage-ByteHrs"))
METRIC = Price(0.30, "custom metric and month", _CLOUDWATCH_LIST, listed("CW:MetricMonitorUsage"), 10)
ALARM = Price(
    0.10,
    "metric that an alarm lists, a month",
    _CLOUDWATCH,
    quoted("https://c3x.dev/resources/aws/aws_cloudwatch_metric_alarm", "2026-11-26"),
    10,
)
QUERY_ALARM = Price(
    0.10, "metric that an alarm's query analyzes, a month", _CLOUDWATCH_LIST, listed("CW:MetricInsightAlarmUsage")
)
DASHBOARD = Price(3.00, "dashboard and month", _CLOUDWATCH, _MONITORING, 3)
SECRET = Price(0.40, "secret and month", _SECRETS, _SECRETS_QUOTED)
SECRET_CALL = Price(0.05 / 10_000, "call", _SECRETS, _SECRETS_QUOTED)
KEY = Price(1.00, "customer managed key and month", "https://aws.amazon.com/kms/pricing/", FROM_MEMORY)

EVENTBRIDGE_EVENT = Price(1.00 * MILLION, "event put", _EVENTBRIDGE, _EVENTBRIDGE_QUOTED)
EVENTBRIDGE_DESTINATION = Price(0.20 * MILLION, "invocation of an API destination", _EVENTBRIDGE, _EVENTBRIDGE_QUOTED)
SVIX_MESSAGE = Price(
    0.0001,
    "message of Svix over those that are free",
    "https://www.svix.com/pricing/",
    quoted(f"{_API_EVANGELIST}/svix/refs/heads/main/plans/svix-plans-pricing.yml", "2026-09-20"),
    50_000,
)
HOOKDECK_FREE_EVENTS = 10_000
HOOKDECK_PAID = Price(
    39.00,
    "month of Hookdeck's Team plan, with 10,000 events",
    "https://hookdeck.com/pricing",
    quoted(f"{_API_EVANGELIST}/hookdeck/refs/heads/main/plans/hookdeck-plans-pricing.yml", "2026-09-20"),
)
