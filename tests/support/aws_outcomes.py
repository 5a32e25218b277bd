"""What AWS answers to calls, and for how many seconds a call is then repeated."""

from __future__ import annotations

from typing import Any

from botocore import exceptions as botocore_errors
from botocore.parsers import ResponseParserError

from tests.support.aws import Refusal
from tests.support.state.cloud import HERE

URL = "https://lambda.us-east-1.amazonaws.com/"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:already-an-alias"

ROLE = BUSY = 300
THROTTLED, CONFLICT, UNSURE, UNREACHED, NEVER = 180, 60, 40, 5, 0

NO_ROLE = "The role defined for the function cannot be assumed by Lambda."
NO_NETWORK = (
    "The provided execution role does not have permissions to call CreateNetworkInterface on EC2"
)
NO_KEY = (
    "Lambda was unable to configure access to your environment variables because the KMS key is "
    "invalid for CreateGrant. KMS Message: ARN does not refer to a valid principal"
)
EC2_BUSY = "Your request has been throttled by EC2, please make sure to retry"
PENDING = "The function is currently in the following state: Pending"
IN_PROGRESS = f"An update is in progress for resource: {ARN}"
CONCURRENT = "Unable to complete operation due to concurrent modification. Please try again later."
DELETING = "Please wait, deletion in progress."

OUTCOMES: dict[str, tuple[str, Any, int]] = {
    "too many": ("PutMethod", Refusal("TooManyRequestsException", "Too Many", 429), THROTTLED),
    "throttling": ("CreateRole", Refusal("Throttling", "Rate exceeded"), THROTTLED),
    "throttled by logs": (
        "CreateLogGroup",
        Refusal("LimitExceededException", "Rate exceeded"),
        THROTTLED,
    ),
    "throttled by EC2": (
        "CreateFunction",
        Refusal("InvalidParameterValueException", EC2_BUSY),
        THROTTLED,
    ),
    "a limit of the account": (
        "CreateRestApi",
        Refusal("LimitExceededException", "Maximum number of APIs reached", 429),
        NEVER,
    ),
    "role not known to Lambda": (
        "CreateFunction",
        Refusal("InvalidParameterValueException", NO_ROLE),
        ROLE,
    ),
    "role not known to EC2": (
        "CreateFunction",
        Refusal("InvalidParameterValueException", NO_NETWORK),
        ROLE,
    ),
    "role not known to KMS": (
        "CreateFunction",
        Refusal("InvalidParameterValueException", NO_KEY),
        ROLE,
    ),
    "a parameter is wrong": (
        "CreateFunction",
        Refusal("InvalidParameterValueException", "'memorySize' failed"),
        NEVER,
    ),
    "concurrency is short": (
        "PutFunctionConcurrency",
        Refusal("InvalidParameterValueException", "decreases UnreservedConcurrentExecution"),
        NEVER,
    ),
    "function pending": ("UpdateAlias", Refusal("ResourceConflictException", PENDING, 409), BUSY),
    "function being updated": (
        "PublishVersion",
        Refusal("ResourceConflictException", IN_PROGRESS, 409),
        BUSY,
    ),
    "function exists": (
        "CreateFunction",
        Refusal("ResourceConflictException", "Function already exist: f", 409),
        NEVER,
    ),
    "alias points to the version": (
        "DeleteFunction",
        Refusal("ResourceConflictException", "version 1 is referenced by an alias", 409),
        NEVER,
    ),
    "permission exists": (
        "AddPermission",
        Refusal("ResourceConflictException", "The statement id already exists", 409),
        NEVER,
    ),
    "URL exists": (
        "CreateFunctionUrlConfig",
        Refusal("ResourceConflictException", "FunctionUrlConfig exists for this Lambda", 409),
        NEVER,
    ),
    "API being changed": ("PutMethod", Refusal("ConflictException", CONCURRENT, 409), CONFLICT),
    "API being changed, in other words": (
        "PutMethod",
        Refusal("BadRequestException", CONCURRENT),
        CONFLICT,
    ),
    "path exists": (
        "CreateResource",
        Refusal("ConflictException", "Another resource with the same parent already exists", 409),
        NEVER,
    ),
    "bad request": ("PutMethod", Refusal("BadRequestException", "Invalid integration"), NEVER),
    "role being changed": (
        "CreateRole",
        Refusal("ConcurrentModification", "Another change is in progress", 409),
        CONFLICT,
    ),
    "log group being changed": (
        "CreateLogGroup",
        Refusal("OperationAbortedException", "Another operation is running"),
        CONFLICT,
    ),
    "role being deleted": ("DeleteRole", Refusal("DeleteConflict", DELETING, 409), CONFLICT),
    "role in use": (
        "DeleteRole",
        Refusal("DeleteConflict", "Cannot delete entity, must delete policies first.", 409),
        NEVER,
    ),
    "service fails": ("PutMethod", Refusal("InternalFailure", "", 500), UNSURE),
    "service unavailable": ("CreateRole", Refusal("ServiceUnavailable", "", 503), UNSURE),
    "load balancer fails": ("PutMethod", Refusal("502", "Bad Gateway", 502), UNSURE),
    "does not exist": ("PutMethod", Refusal("NotFoundException", "Invalid API id", 404), NEVER),
    "denied": ("PutMethod", Refusal("AccessDeniedException", "not authorized", 403), NEVER),
    "expired": ("PutMethod", Refusal("ExpiredTokenException", "expired", 403), NEVER),
    "connection reset": (
        "PutMethod",
        botocore_errors.ConnectionClosedError(endpoint_url=URL),
        UNSURE,
    ),
    "answer times out": ("PutMethod", botocore_errors.ReadTimeoutError(endpoint_url=URL), UNSURE),
    "answer is cut": ("PutMethod", ResponseParserError("no XML"), UNSURE),
    "no connection": (
        "PutMethod",
        botocore_errors.EndpointConnectionError(endpoint_url=URL),
        UNREACHED,
    ),
    "connecting times out": (
        "PutMethod",
        botocore_errors.ConnectTimeoutError(endpoint_url=URL),
        UNREACHED,
    ),
    "proxy does not answer": (
        "PutMethod",
        botocore_errors.ProxyConnectionError(proxy_url=URL),
        UNREACHED,
    ),
}

CALLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "AddPermission": (
        "lambda",
        "add_permission",
        {"FunctionName": "f", "StatementId": "s", "Action": "lambda:*", "Principal": "*"},
    ),
    "CreateFunction": (
        "lambda",
        "create_function",
        {"FunctionName": "f", "Role": HERE.role, "Code": {"ZipFile": b""}},
    ),
    "CreateFunctionUrlConfig": (
        "lambda",
        "create_function_url_config",
        {"FunctionName": "f", "AuthType": "NONE"},
    ),
    "CreateLogGroup": ("logs", "create_log_group", {"logGroupName": "g"}),
    "CreateResource": (
        "apigateway",
        "create_resource",
        {"restApiId": "a", "parentId": "r", "pathPart": "p"},
    ),
    "CreateRestApi": ("apigateway", "create_rest_api", {"name": "gimel"}),
    "CreateRole": ("iam", "create_role", {"RoleName": "r", "AssumeRolePolicyDocument": "{}"}),
    "DeleteFunction": ("lambda", "delete_function", {"FunctionName": "f"}),
    "DeleteRole": ("iam", "delete_role", {"RoleName": "gimel"}),
    "PublishVersion": ("lambda", "publish_version", {"FunctionName": "f"}),
    "PutFunctionConcurrency": (
        "lambda",
        "put_function_concurrency",
        {"FunctionName": "f", "ReservedConcurrentExecutions": 5},
    ),
    "PutMethod": (
        "apigateway",
        "put_method",
        {"restApiId": "a", "resourceId": "r", "httpMethod": "GET", "authorizationType": "NONE"},
    ),
    "UpdateAlias": ("lambda", "update_alias", {"FunctionName": "f", "Name": "live"}),
}
