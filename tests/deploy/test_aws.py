"""The one module that calls AWS: what is repeated, for how long, and what an error says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore import exceptions as botocore_errors

from gimel.deploy.aws_errors import Refused
from gimel.errors import GimelError
from tests.support.aws import Refusal, Script, role_answer, scripted
from tests.support.aws_outcomes import CALLS, NEVER, OUTCOMES, URL
from tests.support.state.cloud import TRACK

BUSY = 300
RESET = botocore_errors.ConnectionClosedError(endpoint_url=URL)


@pytest.fixture
def script() -> Iterator[Script]:
    with scripted() as script:
        yield script


def call(script: Script, operation: str) -> Any:
    """Make a call of this operation."""
    service, method, given = CALLS[operation]
    return script.aws().call(service, method, **given)


def create(script: Script, operation: str, found: dict[str, str] | None) -> Any:
    """Make a call that must not be done twice; `found` is what it is found to have created."""
    service, method, given = CALLS[operation]
    return script.aws().create(service, method, lambda: found, **given)


@pytest.mark.parametrize(
    ("operation", "outcome", "patience"), OUTCOMES.values(), ids=list(OUTCOMES)
)
def test_what_passes_is_repeated_and_what_does_not_is_refused(
    script: Script, operation: str, outcome: Any, patience: int
) -> None:
    """At once, or after as many seconds as the reason deserves."""
    script.always = outcome

    with pytest.raises(GimelError) as failure:
        call(script, operation)

    assert isinstance(failure.value, Refused) == (patience == NEVER)
    assert patience * 0.7 <= script.now <= patience
    assert len(script.made) == len(script.waits) + 1
    assert failure.value.hint or isinstance(failure.value, Refused)


PASSING = {name: each for name, each in OUTCOMES.items() if each[2] != NEVER}


@pytest.mark.parametrize(("operation", "outcome", "_"), PASSING.values(), ids=list(PASSING))
def test_what_passed_is_answered(script: Script, operation: str, outcome: Any, _: int) -> None:
    """After one wait of half a second, which `on_wait` reports."""
    answer = role_answer() if operation == "CreateRole" else {}
    script.expect_any(operation, outcome).expect_any(operation, answer)

    assert call(script, operation) == answer
    assert script.waits == [0.5]
    assert len(script.reasons) == 1


def test_waits_double_up_to_ten_seconds(script: Script) -> None:
    """As AWS asks clients to do. In the end, the error names the call."""
    script.always = Refusal("TooManyRequestsException")

    with pytest.raises(GimelError, match="apigateway:PutMethod"):
        call(script, "PutMethod")

    assert script.waits[:8] == [0.5, 1, 2, 4, 8, 10, 10, 10]
    assert set(script.waits[8:]) == {10}


@pytest.mark.parametrize("lost", [RESET, Refusal("InternalFailure", "", 500)])
@pytest.mark.parametrize(
    ("operation", "then"),
    [
        ("DeleteRole", Refusal("NoSuchEntity", "", 404)),
        ("DeleteFunction", Refusal("ResourceNotFoundException", "", 404)),
        ("CreateLogGroup", Refusal("ResourceAlreadyExistsException", "it already exists")),
        ("AddPermission", Refusal("ResourceConflictException", "The id already exists", 409)),
        ("CreateResource", Refusal("ConflictException", "It already exists", 409)),
    ],
    ids=["role deleted", "function deleted", "log group made", "permission made", "path made"],
)
def test_a_call_that_was_done_though_its_answer_was_lost(
    script: Script, lost: Any, operation: str, then: Refusal
) -> None:
    """Repeated, it is refused because it was done: that is success."""
    script.expect_any(operation, lost).expect_any(operation, then)

    assert call(script, operation) == {}


@pytest.mark.parametrize(
    ("operation", "refusal"),
    [
        ("DeleteRole", Refusal("NoSuchEntity", "", 404)),
        ("CreateLogGroup", Refusal("ResourceAlreadyExistsException", "it already exists")),
    ],
)
def test_the_same_refusal_of_a_first_attempt_is_an_error(
    script: Script, operation: str, refusal: Refusal
) -> None:
    """Nothing was lost: somebody else created or deleted it."""
    script.expect_any(operation, refusal)

    with pytest.raises(Refused) as failure:
        call(script, operation)

    assert failure.value.code == refusal.code


def test_what_a_lost_call_made_is_looked_up(script: Script) -> None:
    """It is not made twice: two REST APIs of one name could not be told apart."""
    script.expect_any("CreateRestApi", RESET)

    assert create(script, "CreateRestApi", {"id": "a"}) == {"id": "a"}
    assert script.made == ["CreateRestApi"]


def test_a_lost_call_that_made_nothing_is_repeated(script: Script) -> None:
    """The lookup finds nothing."""
    script.expect_any("CreateRestApi", RESET).expect_any("CreateRestApi", {"id": "b"})

    assert create(script, "CreateRestApi", None) == {"id": "b"}


def test_a_call_is_looked_up_only_after_it_may_have_been_done(script: Script) -> None:
    """A refusal says that nothing was made."""
    script.expect_any("CreateRestApi", Refusal("TooManyRequestsException"))
    script.expect_any("CreateRestApi", {"id": "b"})

    assert create(script, "CreateRestApi", {"id": "a"}) == {"id": "b"}


@pytest.mark.parametrize(
    ("refusal", "says", "hint"),
    [
        (Refusal("ExpiredToken", "The token is expired", 403), "expired", "Log in"),
        (Refusal("ExpiredTokenException", "The token is expired"), "expired", "Log in"),
        (
            Refusal("InvalidClientTokenId", "The security token is invalid.", 403),
            "security token is invalid",
            "Log in",
        ),
        (Refusal("SignatureDoesNotMatch", "Check your secret", 403), "Check your secret", "Log in"),
        (Refusal("AccessDenied", "The security token included is bad"), "token", "Log in"),
        (
            Refusal("AccessDenied", "User: u is not authorized to perform: iam:PassRole on r"),
            "iam:PassRole",
            "gimel iam-policy",
        ),
        (Refusal("AccessDeniedException", "", 403), "lambda:CreateFunction", "gimel iam-policy"),
        (
            Refusal("AccessDeniedException", "denied by EC2: no permission to DescribeVpcs", 403),
            "ec2:DescribeVpcs",
            "gimel iam-policy",
        ),
        (
            Refusal("CodeStorageExceededException", "Code storage limit exceeded"),
            "AWS refused lambda:CreateFunction: Code storage limit exceeded",
            "",
        ),
    ],
    ids=[
        "expired",
        "expired, in other words",
        "invalid",
        "wrong secret",
        "denied for the token",
        "denied",
        "denied without a word",
        "denied by EC2",
        "anything else",
    ],
)
def test_a_refusal_says_what_to_do(script: Script, refusal: Refusal, says: str, hint: str) -> None:
    """Log in again, or get the permission that is named; AWS's own words are kept."""
    script.expect_any("CreateFunction", refusal)

    with pytest.raises(Refused, match=re.escape(says)) as failure:
        call(script, "CreateFunction")

    assert hint in failure.value.hint
    assert failure.value.code == refusal.code


@pytest.mark.parametrize(
    "code",
    ["NoSuchEntity", "NoSuchHostedZone", "NotFoundException", "ResourceNotFoundException"],
)
def test_what_does_not_exist_is_none(script: Script, code: str) -> None:
    """Each service has its own code for it."""
    script.expect("GetRole", Refusal(code, "", 404), RoleName="gimel")

    assert script.aws().find("iam", "get_role", RoleName="gimel") is None


def test_what_exists_is_returned_without_metadata(script: Script) -> None:
    """The answer is AWS's, as botocore parsed it."""
    script.expect("GetRole", role_answer(), RoleName="gimel")

    assert script.aws().find("iam", "get_role", RoleName="gimel") == role_answer()


def test_a_read_that_is_denied_is_an_error(script: Script) -> None:
    """Not the same as something that does not exist."""
    script.expect("GetRole", Refusal("AccessDenied", "", 403), RoleName="gimel")

    with pytest.raises(Refused):
        script.aws().find("iam", "get_role", RoleName="gimel")


PAGES: list[tuple[str, str, str, str, list[dict[str, Any]], str, str]] = [
    (
        "lambda",
        "list_functions",
        "ListFunctions",
        "Functions",
        [{"FunctionName": "a"}, {"FunctionName": "b"}],
        "Marker",
        "NextMarker",
    ),
    (
        "logs",
        "describe_log_groups",
        "DescribeLogGroups",
        "logGroups",
        [{"logGroupName": "a"}, {"logGroupName": "b"}],
        "nextToken",
        "nextToken",
    ),
    (
        "apigateway",
        "get_rest_apis",
        "GetRestApis",
        "items",
        [{"id": "a"}, {"id": "b"}],
        "position",
        "position",
    ),
]


@pytest.mark.parametrize(
    ("service", "method", "operation", "key", "items", "cursor", "token"),
    PAGES,
    ids=[each[0] for each in PAGES],
)
def test_all_pages_are_read(
    script: Script,
    service: str,
    method: str,
    operation: str,
    key: str,
    items: list[dict[str, Any]],
    cursor: str,
    token: str,
) -> None:
    """The request for the next page repeats the cursor of the last one."""
    script.expect(operation, {key: items[:1], token: "more"})
    script.expect(operation, {key: items[1:]}, **{cursor: "more"})

    assert script.aws().pages(service, method) == items


@pytest.mark.parametrize("version", [None, "2"])
def test_a_function_is_waited_for_until_it_is_ready(script: Script, version: str | None) -> None:
    """While AWS creates it, or updates it."""
    which = {"FunctionName": TRACK, **({"Qualifier": version} if version else {})}
    script.expect("GetFunctionConfiguration", {"State": "Pending"}, **which)
    script.expect("GetFunctionConfiguration", {"LastUpdateStatus": "InProgress"}, **which)
    script.expect("GetFunctionConfiguration", {"State": "Active"}, **which)

    script.aws().wait_for_function(TRACK, version)

    assert script.waits == [0.5, 1]
    assert len(script.reasons) == 2


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"State": "Failed", "StateReason": "The subnet is gone"}, "The subnet is gone"),
        ({"LastUpdateStatus": "Failed", "LastUpdateStatusReason": "No role"}, "No role"),
        ({"State": "Failed"}, TRACK),
    ],
    ids=["created", "updated", "without a reason"],
)
def test_a_function_that_fails_is_an_error(
    script: Script, answer: dict[str, str], says: str
) -> None:
    """With AWS's reason, and no more waiting."""
    script.expect("GetFunctionConfiguration", answer, FunctionName=TRACK)

    with pytest.raises(GimelError, match=says):
        script.aws().wait_for_function(TRACK)

    assert script.waits == []


def test_a_function_is_not_waited_for_forever(script: Script) -> None:
    """Five minutes, which a function in a VPC may take."""
    script.always = {"State": "Pending"}

    with pytest.raises(GimelError, match=TRACK):
        script.aws().wait_for_function(TRACK)

    assert BUSY - 10 <= script.now <= BUSY
