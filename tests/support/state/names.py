"""Deploy's models and steps under one address: when they move, only this file changes."""

# ruff: noqa: I001 - it would split each alias into an import of its own

from __future__ import annotations

from gimel.deploy.models import (
    Configuration as Configuration,
    Deployed as Deployed,
    Desired as Desired,
    Identity as Identity,
    Observed as Observed,
    Policy as Policy,
)
from gimel.deploy.steps import (
    AddKeyToPlan as AddKeyToPlan,
    AddStageToPlan as AddStageToPlan,
    AllowApi as AllowApi,
    AllowUrl as AllowUrl,
    CreateAlias as CreateAlias,
    CreateApi as CreateApi,
    CreateFunction as CreateFunction,
    CreateKey as CreateKey,
    CreateLogGroup as CreateLogGroup,
    CreateResource as CreateResource,
    CreateRole as CreateRole,
    CreateUrl as CreateUrl,
    CreateUsagePlan as CreateUsagePlan,
    DeleteApi as DeleteApi,
    DeleteFunction as DeleteFunction,
    DeleteKey as DeleteKey,
    DeleteLogGroup as DeleteLogGroup,
    DeleteMethod as DeleteMethod,
    DeleteResource as DeleteResource,
    DeleteRole as DeleteRole,
    DeleteUrl as DeleteUrl,
    DeleteUsagePlan as DeleteUsagePlan,
    DeleteVersion as DeleteVersion,
    DeployApi as DeployApi,
    EnableKey as EnableKey,
    LeaveRole as LeaveRole,
    MoveAlias as MoveAlias,
    PublishVersion as PublishVersion,
    PutGatewayResponse as PutGatewayResponse,
    PutMethod as PutMethod,
    PutPreflight,
    PutRolePolicy as PutRolePolicy,
    RemoveStagesFromPlan as RemoveStagesFromPlan,
    ReserveConcurrency as ReserveConcurrency,
    SetLogRetention as SetLogRetention,
    SetThrottle as SetThrottle,
    Step as Step,
    TagApi as TagApi,
    TagFunction as TagFunction,
    TagLogGroup as TagLogGroup,
    TagRole as TagRole,
    TrustLambda as TrustLambda,
    UpdateFunctionCode as UpdateFunctionCode,
    UpdateFunctionConfiguration as UpdateFunctionConfiguration,
    as_json as as_json,
)

PutCorsPreflight = PutPreflight
