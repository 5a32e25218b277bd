"""Deploy's values and steps under one address: when they move, only this file changes."""

from __future__ import annotations

from gimel.cli.terminal import steps_as_json as as_json
from gimel.deploy.deployed import Deployed
from gimel.deploy.desired import Desired
from gimel.deploy.desired import FunctionConfiguration as Configuration
from gimel.deploy.history import Deploy, Publication
from gimel.deploy.identity import Deployment, Identity
from gimel.deploy.policies import Policy
from gimel.deploy.resources.aliases import (
    CreateAlias,
    MoveAlias,
    MoveBack,
)
from gimel.deploy.resources.api_key import (
    CreateKey,
    DeleteKey,
    EnableKey,
    MarkKey,
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
    AllowRule,
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
    SetBoundary,
    TrustLambda,
)
from gimel.deploy.resources.role_policy import (
    DeleteRolePolicy,
    LeaveRole,
    PutRolePolicy,
)
from gimel.deploy.resources.rule_targets import (
    PutTarget,
)
from gimel.deploy.resources.rules import (
    CreateRule,
    DeleteRule,
    UpdateRule,
)
from gimel.deploy.resources.stage import (
    DeployApi,
    SetThrottle,
)
from gimel.deploy.resources.tags import (
    MARK,
    RECORD,
    Tag,
    as_pairs,
    marked,
    record_of,
)
from gimel.deploy.resources.trials import (
    TryVersions,
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
    "MARK",
    "RECORD",
    "STEPS",
    "AddKeyToPlan",
    "AddStageToPlan",
    "AllowApi",
    "AllowRule",
    "AllowUrl",
    "Configuration",
    "CreateAlias",
    "CreateApi",
    "CreateFunction",
    "CreateKey",
    "CreateLogGroup",
    "CreateResource",
    "CreateRole",
    "CreateRule",
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
    "DeleteRule",
    "DeleteUrl",
    "DeleteUsagePlan",
    "DeleteVersion",
    "Deploy",
    "DeployApi",
    "Deployed",
    "Deployment",
    "Desired",
    "DisallowApi",
    "DisallowUrl",
    "EnableKey",
    "Identity",
    "LeaveRole",
    "MarkKey",
    "MoveAlias",
    "MoveBack",
    "Observed",
    "Policy",
    "Publication",
    "PublishVersion",
    "PutCorsPreflight",
    "PutGatewayResponse",
    "PutMethod",
    "PutRolePolicy",
    "PutTarget",
    "RemoveStagesFromPlan",
    "ReserveConcurrency",
    "SetBoundary",
    "SetLogRetention",
    "SetThrottle",
    "Step",
    "Tag",
    "TrustLambda",
    "TryVersions",
    "UpdateFunctionCode",
    "UpdateFunctionConfiguration",
    "UpdateRule",
    "as_json",
    "as_pairs",
    "marked",
    "record_of",
]

STEPS: tuple[type[Step], ...] = (
    AddKeyToPlan,
    AddStageToPlan,
    AllowApi,
    AllowRule,
    AllowUrl,
    CreateAlias,
    CreateApi,
    CreateFunction,
    CreateKey,
    CreateLogGroup,
    CreateResource,
    CreateRole,
    CreateRule,
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
    DeleteRule,
    DeleteUrl,
    DeleteUsagePlan,
    DeleteVersion,
    DeployApi,
    DisallowApi,
    DisallowUrl,
    EnableKey,
    LeaveRole,
    MarkKey,
    MoveAlias,
    MoveBack,
    PublishVersion,
    PutCorsPreflight,
    PutGatewayResponse,
    PutMethod,
    PutRolePolicy,
    PutTarget,
    RemoveStagesFromPlan,
    ReserveConcurrency,
    SetBoundary,
    SetLogRetention,
    SetThrottle,
    Tag,
    TrustLambda,
    TryVersions,
    UpdateFunctionCode,
    UpdateFunctionConfiguration,
    UpdateRule,
)
"""Every kind of step."""
