"""Deploy's values and steps under one address: when they move, only this file changes."""

from __future__ import annotations

from gimel.cli.terminal import steps_as_json as as_json
from gimel.deploy.deployed import Deployed
from gimel.deploy.desired import Desired
from gimel.deploy.desired import FunctionConfiguration as Configuration
from gimel.deploy.identity import Identity
from gimel.deploy.policies import Policy
from gimel.deploy.resources.aliases import (
    CreateAlias,
    MoveAlias,
)
from gimel.deploy.resources.api_key import (
    CreateKey,
    DeleteKey,
    EnableKey,
)
from gimel.deploy.resources.base import Observed, Step
from gimel.deploy.resources.concurrency import (
    ReserveConcurrency,
)
from gimel.deploy.resources.cors_preflights import (
    PutCorsPreflight,
)
from gimel.deploy.resources.function_urls import (
    CreateUrl,
    DeleteUrl,
)
from gimel.deploy.resources.functions import (
    CreateFunction,
    DeleteFunction,
    UpdateFunctionCode,
    UpdateFunctionConfiguration,
)
from gimel.deploy.resources.gateway_responses import (
    PutGatewayResponse,
)
from gimel.deploy.resources.log_groups import (
    CreateLogGroup,
    DeleteLogGroup,
    SetLogRetention,
)
from gimel.deploy.resources.methods import (
    CreateResource,
    DeleteMethod,
    DeleteResource,
    PutMethod,
)
from gimel.deploy.resources.permissions import (
    AllowApi,
    AllowUrl,
    DisallowApi,
    DisallowUrl,
)
from gimel.deploy.resources.rest_api import (
    CreateApi,
    DeleteApi,
)
from gimel.deploy.resources.role import (
    CreateRole,
    DeleteRole,
    TrustLambda,
)
from gimel.deploy.resources.role_policy import (
    DeleteRolePolicy,
    LeaveRole,
    PutRolePolicy,
)
from gimel.deploy.resources.stage import (
    DeployApi,
    SetThrottle,
)
from gimel.deploy.resources.tags import (
    Tag,
)
from gimel.deploy.resources.usage_plan import (
    AddKeyToPlan,
    AddStageToPlan,
    CreateUsagePlan,
    DeleteUsagePlan,
    RemoveStagesFromPlan,
)
from gimel.deploy.resources.versions import (
    DeleteVersion,
    PublishVersion,
)

__all__ = [
    "STEPS",
    "AddKeyToPlan",
    "AddStageToPlan",
    "AllowApi",
    "AllowUrl",
    "Configuration",
    "CreateAlias",
    "CreateApi",
    "CreateFunction",
    "CreateKey",
    "CreateLogGroup",
    "CreateResource",
    "CreateRole",
    "CreateUrl",
    "CreateUsagePlan",
    "DeleteApi",
    "DeleteFunction",
    "DeleteKey",
    "DeleteLogGroup",
    "DeleteMethod",
    "DeleteResource",
    "DeleteRole",
    "DeleteRolePolicy",
    "DeleteUrl",
    "DeleteUsagePlan",
    "DeleteVersion",
    "DeployApi",
    "Deployed",
    "Desired",
    "DisallowApi",
    "DisallowUrl",
    "EnableKey",
    "Identity",
    "LeaveRole",
    "MoveAlias",
    "Observed",
    "Policy",
    "PublishVersion",
    "PutCorsPreflight",
    "PutGatewayResponse",
    "PutMethod",
    "PutRolePolicy",
    "RemoveStagesFromPlan",
    "ReserveConcurrency",
    "SetLogRetention",
    "SetThrottle",
    "Step",
    "Tag",
    "TrustLambda",
    "UpdateFunctionCode",
    "UpdateFunctionConfiguration",
    "as_json",
]

STEPS: tuple[type[Step], ...] = (
    AddKeyToPlan,
    AddStageToPlan,
    AllowApi,
    AllowUrl,
    CreateAlias,
    CreateApi,
    CreateFunction,
    CreateKey,
    CreateLogGroup,
    CreateResource,
    CreateRole,
    CreateUrl,
    CreateUsagePlan,
    DeleteApi,
    DeleteFunction,
    DeleteKey,
    DeleteLogGroup,
    DeleteMethod,
    DeleteResource,
    DeleteRole,
    DeleteRolePolicy,
    DeleteUrl,
    DeleteUsagePlan,
    DeleteVersion,
    DeployApi,
    DisallowApi,
    DisallowUrl,
    EnableKey,
    LeaveRole,
    MoveAlias,
    PublishVersion,
    PutCorsPreflight,
    PutGatewayResponse,
    PutMethod,
    PutRolePolicy,
    RemoveStagesFromPlan,
    ReserveConcurrency,
    SetLogRetention,
    SetThrottle,
    Tag,
    TrustLambda,
    UpdateFunctionCode,
    UpdateFunctionConfiguration,
)
"""Every kind of step."""
