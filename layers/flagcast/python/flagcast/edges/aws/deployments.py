"""CodeDeploy: it asks before it lets a new version have the traffic, and is answered."""

from typing import Any


class Deployments:
    """The deployments of this stack's functions."""

    def __init__(self, client: Any) -> None:
        """Keep the client."""
        self._client = client

    def report(self, deployment: str, execution: str, *, is_good: bool) -> None:
        """Say what a hook found; a no ends the deployment, and CloudFormation rolls the stack back.

        https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_PutLifecycleEventHookExecutionStatus.html
        """
        self._client.put_lifecycle_event_hook_execution_status(
            deploymentId=deployment,
            lifecycleEventHookExecutionId=execution,
            status="Succeeded" if is_good else "Failed",
        )
