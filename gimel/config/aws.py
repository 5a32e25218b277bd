"""The `aws` section of config.json."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from gimel.config.domain import Domain
from gimel.config.kinds import (
    MAX_INT32,
    Memory,
    NotAllowedError,
    Section,
    SecurityGroupId,
    SubnetId,
    Tags,
    Timeout,
    matching,
    one_of,
)
from gimel.wiring import DEFAULT_NAME, GATEWAY_SECONDS

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)

# The names of the functions, NAME-delete-experiment at most, may have 64 characters.
DeploymentName = Annotated[
    str,
    matching(
        r"[A-Za-z][A-Za-z0-9_-]{0,39}",
        "must be 1 to 40 letters, digits, - and _, and begin with a letter",
    ),
]

# A path of up to 512 characters may precede the name:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
_PATH_AND_NAME = r"([!-.0-~]{1,510}/)*[A-Za-z0-9+=,.@_-]"
RoleArn = Annotated[
    str,
    matching(
        rf"arn:aws[a-z-]*:iam::[0-9]{{12}}:role/{_PATH_AND_NAME}{{1,64}}",
        'must be the ARN of a role, like "arn:aws:iam::123456789012:role/NAME"',
    ),
]
PolicyArn = Annotated[
    str,
    matching(
        rf"arn:aws[a-z-]*:iam::([0-9]{{12}}|aws):policy/{_PATH_AND_NAME}{{1,128}}",
        'must be the ARN of a policy, like "arn:aws:iam::123456789012:policy/NAME"',
    ),
]


class FunctionOptions(Section):
    """Options of a Lambda function, beyond the wiring."""

    memory: Memory | None = Field(None, description="Memory in MB, overriding MemorySize")
    timeout: Timeout | None = Field(
        None,
        description="Timeout in seconds, overriding Timeout; API Gateway waits for at most "
        f"{GATEWAY_SECONDS}",
    )
    reserved_concurrency: Annotated[int, Field(ge=0)] | None = Field(
        None, description="Reserved concurrency, taken from the account's limit"
    )


class Vpc(Section):
    """The network in which the functions run, if Redis can only be reached from inside it."""

    subnets: Annotated[list[SubnetId], Field(min_length=1, max_length=16)] = Field(
        description="Subnet IDs"
    )
    security_groups: Annotated[list[SecurityGroupId], Field(min_length=1, max_length=5)] = Field(
        description="Security group IDs"
    )


class Throttle(Section):
    """The API's request limits; beyond them it answers 429, and clients retry."""

    # With it, a month in which every method is flooded costs at most $300, whatever the memory.
    rate: Annotated[float, Field(gt=0, le=MAX_INT32)] = Field(
        3, description="Maximum requests per second to each method: see costs.md before raising it"
    )
    burst: Annotated[int, Field(ge=1, le=MAX_INT32)] = Field(
        2000, description="Maximum burst of requests to each method"
    )


class Aws(Section):
    """How `gimel deploy` sets up its AWS resources."""

    name: DeploymentName = Field(
        DEFAULT_NAME,
        description="Name of the REST API, the role, the API key and the usage plan, and prefix of "
        "the functions. Deployments with different names can share an account and region",
    )
    role: RoleArn | None = Field(
        None,
        description="ARN of an existing role for the functions; Gimel then creates no role",
    )
    permissions_boundary: PolicyArn | None = Field(
        None,
        description="ARN of a policy: the permissions boundary of the role that Gimel creates",
    )
    runtime: Literal["python3.10", "python3.11", "python3.12", "python3.13", "python3.14"] = Field(
        "python3.13", description="Lambda runtime"
    )
    architecture: Literal["arm64", "x86_64"] = Field(
        "arm64", description="Processor architecture; arm64 costs 20% less"
    )
    functions: dict[str, FunctionOptions] = Field(
        {}, description="Memory, timeout and reserved concurrency per FunctionName"
    )
    vpc: Vpc | None = Field(
        None, description="Subnets and security groups, if Redis is inside a VPC"
    )
    tags: Tags = Field(
        {}, description="Tags for the role, the functions, the log groups, the API and the rule"
    )
    log_retention_days: Annotated[int, one_of(_RETENTION_DAYS)] = Field(
        30, description="Days to keep the functions' logs"
    )
    throttle: Throttle = Field(Throttle(), description="The API's request limits")
    domain: Domain | None = Field(
        None, description="Your own domain name for the API: see docs/domain.md"
    )

    @model_validator(mode="after")
    def _check_role(self) -> Self:
        if self.role is not None and self.permissions_boundary is not None:
            raise NotAllowedError(
                "must not have both role and permissions_boundary: the boundary is for a role that"
                " Gimel creates",
                "Remove one of them.",
            )
        return self
