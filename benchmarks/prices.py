"""Public prices, in US dollars, in US East (N. Virginia): the one place where they stand.

Each names where it was read. `free` is what AWS gives every account every month without an end.
"""

from msgspec import Struct

READ = "2026-11-24"
"""When the pages below were looked up; they are stored copies, some of them older."""


class Price(Struct, frozen=True):
    """Dollars for one of `unit`."""

    dollars: float
    unit: str
    source: str
    free: float = 0.0


MILLION = 1e-6

HTTP_API = Price(
    1.00 * MILLION,
    "request of up to 512 KB",
    "https://docs.aws.amazon.com/whitepapers/latest/best-practices-api-gateway-private-apis-integration/cost-optimization.html",
)
LAMBDA_REQUEST = Price(0.20 * MILLION, "invocation", "https://aws.amazon.com/lambda/pricing/", 1e6)
LAMBDA_TIME = Price(0.0000166667, "GB-second, x86_64", "https://cloudchipr.com/blog/aws-lambda-pricing", 400_000)
SQS_FIFO = Price(0.50 * MILLION, "request of up to 64 KB", "https://cloudburn.io/blog/amazon-sqs-pricing", 1e6)
DYNAMODB_READ = Price(
    0.125 * MILLION, "read request unit", "https://airbyte.com/data-engineering-resources/dynamodb-pricing"
)
DYNAMODB_WRITE = Price(
    0.625 * MILLION, "write request unit", "https://airbyte.com/data-engineering-resources/dynamodb-pricing"
)
S3_PUT = Price(0.005 / 1000, "PUT", "from memory: https://aws.amazon.com/s3/pricing/")
S3_GET = Price(0.0004 / 1000, "GET", "from memory: https://aws.amazon.com/s3/pricing/")
LOGS = Price(
    0.50,
    "GB taken in",
    "https://www.factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards/",
    5,
)
LOGS_KEPT = Price(0.03, "GB-month kept, compressed", "from memory: https://aws.amazon.com/cloudwatch/pricing/")
METRIC = Price(
    0.30,
    "custom metric and month",
    "https://www.vantage.sh/blog/cloudwatch-metrics-pricing-explained-in-plain-english",
    10,
)
ALARM = Price(
    0.10, "metric that an alarm watches, a month", "https://c3x.dev/resources/aws/aws_cloudwatch_metric_alarm", 10
)
QUERY_ALARM = Price(
    0.10, "metric that a query of an alarm reads, a month", "from memory: https://aws.amazon.com/cloudwatch/pricing/"
)
DASHBOARD = Price(
    3.00,
    "dashboard and month",
    "https://www.factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards/",
    3,
)
SECRET = Price(
    0.40,
    "secret and month",
    "https://hivebook.wiki/wiki/aws-secrets-manager-rotated-secrets-dynamic-db-credentials-kms",
)
SECRET_CALL = Price(
    0.05 / 10_000, "call", "https://hivebook.wiki/wiki/aws-secrets-manager-rotated-secrets-dynamic-db-credentials-kms"
)

EVENTBRIDGE_EVENT = Price(
    1.00 * MILLION,
    "event put",
    "https://www.factualminds.com/blog/amazon-eventbridge-pricing-events-pipes-schema-archive/",
)
EVENTBRIDGE_DESTINATION = Price(
    0.20 * MILLION,
    "invocation of an API destination",
    "https://www.factualminds.com/blog/amazon-eventbridge-pricing-events-pipes-schema-archive/",
)
SVIX_FREE_MESSAGES = 50_000
SVIX_PAID = Price(
    490.00,
    "month of the first paid plan",
    "https://dev.to/emithq/why-we-built-emithq-the-49-490-webhook-pricing-gap-npd",
)
HOOKDECK_FREE_EVENTS = 10_000
HOOKDECK_PAID = Price(
    39.00,
    "month of the Team plan, at 5 events a second",
    "https://dev.to/emithq/why-we-built-emithq-the-49-490-webhook-pricing-gap-npd",
)
