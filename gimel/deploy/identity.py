"""The names that Gimel uses on AWS, and the ARNs that follow from them in one account and region.

By default the names are those of Gimel 1.5.0, so that its deployments can be upgraded in place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gimel.wiring import store_name

NAME = "gimel"
"""The name of a deployment, unless the configuration gives another."""

ALIAS = "live"
STAGE = "prod"


@dataclass(frozen=True)
class Deployment:
    """Which of the deployments in an account and region.

    `name` is that of the REST API, the role, its policy, the API key and the usage plan. `role` is
    the ARN of an existing role that the functions run as, None for one that Gimel makes.
    """

    name: str = NAME
    role: str | None = None

    @property
    def is_default(self) -> bool:
        """Whether it has the names of Gimel 1.5.0."""
        return self.name == NAME

    def describe_absence(self, region: str) -> str:
        """Return the sentence that it does not exist in a region. A name may be misspelled."""
        named = "" if self.is_default else f" {self.name}"
        return f"No Gimel deployment{named} found in {region}."

    def owns_role(self, arn: str) -> bool:
        """Return whether an ARN is that of the role that Gimel makes.

        Role names are unique per account. An account's rules may have given the role a path.
        """
        return re.fullmatch(rf"arn:[^:]*:iam::\d*:role/(.*/)?{self.name}", arn) is not None


DEFAULT = Deployment()


@dataclass(frozen=True)
class Identity:
    """A deployment's account and region. `arn` is the caller's; `partition` is mostly "aws"."""

    account: str
    region: str
    arn: str
    partition: str = "aws"
    deployment: Deployment = DEFAULT

    @property
    def name(self) -> str:
        """The name of the deployment."""
        return self.deployment.name

    @property
    def store(self) -> str:
        """The name of the store that Gimel creates on ElastiCache, and of the store's user."""
        return store_name(self.name)

    @property
    def role(self) -> str:
        """The ARN of the role that the functions run as."""
        own = f"arn:{self.partition}:iam::{self.account}:role/{self.name}"
        return self.deployment.role or own

    def function(self, name: str) -> str:
        """Return the ARN of a function."""
        return f"arn:{self.partition}:lambda:{self.region}:{self.account}:function:{name}"

    def alias(self, function: str) -> str:
        """Return the ARN of a function's live version."""
        return f"{self.function(function)}:{ALIAS}"

    def integration_uri(self, function: str) -> str:
        """Return the URI by which API Gateway invokes a function's live version."""
        path = f"path/2015-03-31/functions/{self.alias(function)}/invocations"
        return f"arn:{self.partition}:apigateway:{self.region}:lambda:{path}"

    def log_group(self, function: str) -> str:
        """Return the ARN of a function's log group."""
        group = log_group(function)
        return f"arn:{self.partition}:logs:{self.region}:{self.account}:log-group:{group}"

    def secret(self, service: str, name: str) -> str:
        """Return the ARN of a parameter (ssm) or a secret (secretsmanager), given its name or ARN.

        Secrets Manager ends the ARN of a secret with a hyphen and six characters.
        """
        if name.startswith("arn:"):
            return name
        path = f"parameter/{name.lstrip('/')}" if service == "ssm" else f"secret:{name}-??????"
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{path}"

    def rest_api(self, api: str) -> str:
        """Return the ARN by which a REST API is tagged."""
        return f"arn:{self.partition}:apigateway:{self.region}::/restapis/{api}"

    def rule(self, name: str) -> str:
        """Return the ARN of an EventBridge rule."""
        return f"arn:{self.partition}:events:{self.region}:{self.account}:rule/{name}"

    def elasticache(self, kind: str, name: str) -> str:
        """Return the ARN of something of ElastiCache, such as a "serverlesscache"."""
        return f"arn:{self.partition}:elasticache:{self.region}:{self.account}:{kind}:{name}"

    def security_group(self, group: str) -> str:
        """Return the ARN of a security group, by its id."""
        return f"arn:{self.partition}:ec2:{self.region}:{self.account}:security-group/{group}"

    def topic(self, name: str) -> str:
        """Return the ARN of an SNS topic."""
        return f"arn:{self.partition}:sns:{self.region}:{self.account}:{name}"

    def alarm(self, name: str) -> str:
        """Return the ARN of a CloudWatch alarm."""
        return f"arn:{self.partition}:cloudwatch:{self.region}:{self.account}:alarm:{name}"

    def api_callers(self, api: str) -> str:
        """Return the ARN pattern of everything in a REST API that may invoke a function."""
        return f"arn:{self.partition}:execute-api:{self.region}:{self.account}:{api}/*"


def log_group(function: str) -> str:
    """Return the name of the log group that Lambda writes a function's log to."""
    return f"/aws/lambda/{function}"
