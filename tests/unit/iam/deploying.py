"""What is asked of AWS with the credentials of who deploys: by SAM CLI, CloudFormation, and the page on deleting."""

from collections.abc import Iterator
from typing import Any

from tests.support.iam.decision import Call
from tests.support.template import name_of
from tests.unit.iam.known import asked_by_cloudformation, has_resources, is_known
from tests.unit.iam.stacks import Stack

UPLOADS = "s3:::aws-sam-cli-managed-default-samclisourcebucket-1a2b3c4d5e6f"
MANAGED = "cloudformation:{region}:{account}:stack/aws-sam-cli-managed-default/1b2c"

ONLY_FOR: dict[tuple[str, str], set[str]] = {
    ("AWS::ApiGatewayV2::Api", "BodyS3Location"): {"s3:getObject"},
    ("AWS::DynamoDB::Table", "ContributorInsightsSpecification"): {"dynamodb:UpdateContributorInsights"},
    ("AWS::DynamoDB::Table", "ImportSourceSpecification"): {
        "dynamodb:DescribeImport", "dynamodb:ImportTable", "s3:GetObject", "s3:ListBucket", "logs:CreateLogGroup",
        "logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents",
        "logs:PutRetentionPolicy",
    },
    ("AWS::DynamoDB::Table", "KinesisStreamSpecification"): {
        "dynamodb:EnableKinesisStreamingDestination", "dynamodb:DisableKinesisStreamingDestination",
        "dynamodb:UpdateKinesisStreamingDestination", "kinesis:DescribeStream", "kinesis:PutRecords",
    },
    ("AWS::DynamoDB::Table", "ResourcePolicy"): {"dynamodb:PutResourcePolicy", "dynamodb:DeleteResourcePolicy"},
    ("AWS::DynamoDB::Table", "Replicas"): {
        "dynamodb:CreateTableReplica", "dynamodb:Scan", "dynamodb:Query", "dynamodb:UpdateItem", "dynamodb:PutItem",
        "dynamodb:GetItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem", "dynamodb:AssociateTableReplica",
        "iam:CreateServiceLinkedRole",
    },
    ("AWS::DynamoDB::Table", "KMSMasterKeyId of an alias"): {"kms:ListAliases"},
    ("AWS::IAM::ManagedPolicy", "Groups"): {"iam:AttachGroupPolicy", "iam:DetachGroupPolicy"},
    ("AWS::IAM::ManagedPolicy", "Users"): {"iam:AttachUserPolicy", "iam:DetachUserPolicy"},
    ("AWS::Lambda::EventSourceMapping", "KmsKeyArn"): {"kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt"},
    ("AWS::Lambda::Function", "CapacityProviderConfig"): {
        "lambda:PassCapacityProvider", "lambda:PutFunctionScalingConfig",
    },
    ("AWS::Lambda::Function", "CodeSigningConfigArn"): {
        "lambda:GetCodeSigningConfig", "lambda:PutFunctionCodeSigningConfig", "lambda:DeleteFunctionCodeSigningConfig",
    },
    ("AWS::Lambda::Function", "FileSystemConfigs"): {
        "elasticfilesystem:DescribeMountTargets", "s3files:ListMountTargets",
    },
    ("AWS::Lambda::Function", "PublishToLatestPublished"): {"lambda:PublishVersion"},
    ("AWS::Lambda::Function", "RecursiveLoop"): {"lambda:PutFunctionRecursionConfig"},
    ("AWS::Lambda::Function", "RuntimeManagementConfig"): {
        "lambda:PutRuntimeManagementConfig", "lambda:AssociateRuntimeAlias",
    },
    ("AWS::Logs::LogGroup", "BearerTokenAuthenticationEnabled"): {"logs:PutBearerTokenAuthentication"},
    ("AWS::Logs::LogGroup", "DataProtectionPolicy"): {
        "logs:PutDataProtectionPolicy", "logs:DeleteDataProtectionPolicy", "logs:CreateLogDelivery",
        "firehose:TagDeliveryStream",
    },
    ("AWS::Logs::LogGroup", "DeletionProtectionEnabled"): {"logs:PutLogGroupDeletionProtection"},
    ("AWS::Logs::LogGroup", "FieldIndexPolicies"): {"logs:PutIndexPolicy", "logs:DeleteIndexPolicy"},
    ("AWS::Logs::LogGroup", "ResourcePolicyDocument"): {"logs:PutResourcePolicy", "logs:DeleteResourcePolicy"},
    ("AWS::S3::Bucket", "AbacStatus"): {"s3:PutBucketAbac"},
    ("AWS::S3::Bucket", "AccelerateConfiguration"): {"s3:PutAccelerateConfiguration"},
    ("AWS::S3::Bucket", "AccessControl"): {"s3:PutBucketAcl", "s3:PutObjectAcl"},
    ("AWS::S3::Bucket", "AnalyticsConfigurations"): {"s3:PutAnalyticsConfiguration"},
    ("AWS::S3::Bucket", "CorsConfiguration"): {"s3:PutBucketCORS"},
    ("AWS::S3::Bucket", "IntelligentTieringConfigurations"): {"s3:PutIntelligentTieringConfiguration"},
    ("AWS::S3::Bucket", "InventoryConfigurations"): {"s3:PutInventoryConfiguration"},
    ("AWS::S3::Bucket", "LoggingConfiguration"): {"s3:PutBucketLogging"},
    ("AWS::S3::Bucket", "MetadataTableConfiguration"): {
        "s3:CreateBucketMetadataTableConfiguration", "s3:DeleteBucketMetadataTableConfiguration",
        "s3:UpdateBucketMetadataJournalTableConfiguration", "s3:UpdateBucketMetadataInventoryTableConfiguration",
        "s3:UpdateBucketMetadataAnnotationTableConfiguration", "s3tables:CreateNamespace", "s3tables:CreateTable",
        "s3tables:CreateTableBucket", "s3tables:GetTable", "s3tables:PutTableBucketPolicy",
        "s3tables:PutTableEncryption", "s3tables:PutTablePolicy", "s3tables:GetTableMetadataLocation",
        "s3tables:UpdateTableMetadataLocation",
    },
    ("AWS::S3::Bucket", "MetricsConfigurations"): {"s3:PutMetricsConfiguration"},
    ("AWS::S3::Bucket", "NotificationConfiguration"): {"s3:PutBucketNotification"},
    ("AWS::S3::Bucket", "ReplicationConfiguration"): {
        "s3:PutReplicationConfiguration", "s3:DeleteObject", "iam:PassRole",
    },
    ("AWS::S3::Bucket", "WebsiteConfiguration"): {"s3:PutBucketWebsite", "s3:DeleteBucketWebsite"},
    ("AWS::SecretsManager::Secret", "ReplicaRegions"): {
        "secretsmanager:ReplicateSecretToRegions", "secretsmanager:RemoveRegionsFromReplication",
    },
}  # fmt: skip
"""What CloudFormation asks for a property that our resources have not:
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/ has the properties of each type."""

SAM_OF_THE_STACK = (
    "CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet", "DescribeStacks", "DescribeStackEvents",
    "GetTemplateSummary", "GetTemplate", "DeleteStack", "TagResource",
)  # fmt: skip
"""What `sam deploy` and `sam delete` ask of CloudFormation, the tags of samconfig.toml included:
https://github.com/aws/aws-sam-cli/blob/v1.170.0/samcli/lib/deploy/deployer.py and lib/delete/cfn_utils.py"""

SAM_OF_ITS_OWN = ("CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet", "DescribeStacks")
"""https://github.com/aws/aws-sam-cli/blob/v1.170.0/samcli/lib/utils/managed_cloudformation_stack.py"""

UPLOADS_ARE_KEPT_BY = (
    "CreateBucket", "PutBucketPublicAccessBlock", "PutBucketTagging", "PutBucketVersioning", "PutBucketPolicy",
    "PutEncryptionConfiguration", "GetBucketPolicy", "ListBucket",
)  # fmt: skip
"""SAM's bucket: https://github.com/aws/aws-sam-cli/blob/v1.170.0/samcli/lib/bootstrap/bootstrap.py"""

TRANSFORM = "cloudformation:{region}:aws:transform/Serverless-2016-10-31"
"""https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-permissions-cloudformation.html"""

ACCESS_LOGS = (
    "CreateLogDelivery", "PutResourcePolicy", "UpdateLogDelivery", "DeleteLogDelivery", "DescribeResourcePolicies",
    "GetLogDelivery", "ListLogDeliveries",
)  # fmt: skip
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging.html (permissions)"""


UNLISTED = ("apigateway:TagResource", "apigateway:UntagResource")
"""What API Gateway asks for a stage with tags, and IAM's reference does not list. They were left out for that, so the
first deploy by the deployer's role would have been denied: https://github.com/aws-amplify/amplify-cli/issues/12316"""


def by_sam(of: Stack) -> Iterator[Call]:
    """Yield what SAM CLI asks for."""
    arn = of.place.arn
    stack = arn(f"cloudformation:{{region}}:{{account}}:stack/{of.place.stack}/1b2c")
    yield from (Call(f"cloudformation:{each}", stack) for each in SAM_OF_THE_STACK)
    yield from (Call(f"cloudformation:{each}", arn(MANAGED)) for each in SAM_OF_ITS_OWN)
    yield Call("cloudformation:CreateChangeSet", arn(TRANSFORM))
    yield from (Call(f"s3:{each}", arn(UPLOADS)) for each in UPLOADS_ARE_KEPT_BY)
    yield from (
        Call(f"s3:{each}", arn(f"{UPLOADS}/flagcast/1a2b")) for each in ("GetObject", "PutObject", "DeleteObject")
    )


def by_hand(of: Stack) -> Iterator[Call]:
    """Yield what the commands ask for that remove what `sam delete` leaves (docs/operations.md#deleting).

    `aws s3 rb --force` deletes every object: https://docs.aws.amazon.com/cli/latest/reference/s3/rb.html
    """
    yield Call("cloudformation:ListStacks", "*")
    yield Call(
        "cloudformation:ListStackResources",
        of.place.arn(f"cloudformation:{{region}}:{{account}}:stack/{of.place.stack}/1b2c"),
    )
    yield from (Call("sqs:DeleteQueue", of.arns[each]) for each in ("TaskQueue", "DeadLetterQueue"))
    yield from (Call(f"s3:{each}", of.arns["BodiesBucket"]) for each in ("ListBucket", "DeleteBucket"))
    yield Call("s3:DeleteBucket", of.arns["ArchiveBucket"])
    yield Call("s3:DeleteObject", f"{of.arns['BodiesBucket']}/bodies/KEY")
    yield Call("dynamodb:DeleteTable", of.arns["StateTable"])


def by_cloudformation(of: Stack) -> Iterator[Call]:
    """Yield what CloudFormation asks for, for every resource of the stack."""
    for name, resource in of.resources.items():
        for handler, actions in asked_by_cloudformation(resource["Type"]).items():
            for action in sorted(actions - left_out(resource["Type"])):
                if is_known(action) or action in UNLISTED:  # others that the schemas name are none of IAM's
                    yield from (Call(action, each) for each in _resources(of, name, handler, action))
    yield from (Call(f"logs:{each}", "*") for each in ACCESS_LOGS)


def left_out(kind: str) -> set[str]:
    """Return what CloudFormation asks only for properties that we do not use."""
    return {action for (of, _), actions in ONLY_FOR.items() if of == kind for action in actions}


def _resources(of: Stack, name: str, handler: str, action: str) -> list[str]:
    """Return the ARNs that an action is asked for, on behalf of a resource."""
    kind, properties = of.resources[name]["Type"], of.resources[name].get("Properties", {})
    service = action.partition(":")[0]
    if service == "apigateway":
        return _of_the_api(of, kind, handler, action)
    if not has_resources(action) or action == "cloudwatch:DescribeAlarms":
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
        return ["*"]
    if service == "kms":
        key = of.parameters["KmsKeyArn"]
        return [key] if key else []
    if action in {"s3:GetObject", "s3:GetObjectVersion"}:
        return [of.place.arn(f"{UPLOADS}/flagcast/1a2b")]
    if action == "iam:PassRole":
        return [properties["Role"]]
    if action in {"iam:AttachRolePolicy", "iam:DetachRolePolicy"}:
        return [of.arns[each] for each in ("IngestRole", "DeliverRole")]
    if action == "lambda:GetLayerVersion" and kind == "AWS::Lambda::Function":
        return list(properties["Layers"])
    if action == "lambda:PublishLayerVersion":
        return [of.arns[name].rpartition(":")[0]]
    if kind == "AWS::Lambda::Permission":
        return [of.arns[_refers(of, name, "FunctionName")]]
    if kind == "AWS::SQS::QueuePolicy":
        return [of.arns[name_of(each)] for each in of.template["Resources"][name]["Properties"]["Queues"]]
    if kind == "AWS::S3::BucketPolicy":
        return [of.arns[_refers(of, name, "Bucket")]]
    if kind == "AWS::Logs::MetricFilter":
        return [of.arns[_refers(of, name, "LogGroupName")]]
    return [of.arns[name]]


def _refers(of: Stack, name: str, key: str) -> str:
    properties: dict[str, Any] = of.template["Resources"][name]["Properties"]
    return name_of(properties[key])


def _of_the_api(of: Stack, kind: str, handler: str, action: str) -> list[str]:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-iam.html."""
    api = of.arns["HttpApi"]
    whole = api.rpartition("/")[0]
    if kind == "AWS::ApiGatewayV2::Stage":
        is_of_all = action.endswith("POST") or (handler == "create" and action in UNLISTED)
        return [f"{api}/stages" if is_of_all else f"{api}/stages/$default"]
    tags = [] if action.endswith(("PATCH", "POST")) else [whole.replace("/apis", "/tags/arn")]
    return [whole if handler == "create" else api, *tags]
