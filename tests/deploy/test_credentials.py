"""Every way in which ~/.aws can fail to provide credentials ends in an error with a next step.

The files, programs and variables are real. Nothing leaves this machine.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import botocore.credentials
import botocore.tokens
import pytest

from gimel.deploy.aws_errors import Refused
from gimel.deploy.credentials import explain
from tests.support.aws import service_models_are_read_once as service_models_are_read_once
from tests.support.aws_profiles import configure, failure
from tests.support.aws_profiles import home as home
from tests.support.stubs import answering

ROLE = "arn:aws:iam::123456789012:role/r"
KEYS = "aws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = hunter2"
START = "https://example.awsapps.com/start"
SSO = f"""sso_session = s
sso_account_id = 123456789012
sso_role_name = Admin
[sso-session s]
sso_region = eu-west-1
sso_start_url = {START}"""
OLD_SSO = f"""sso_region = eu-west-1
sso_start_url = {START}
sso_account_id = 123456789012
sso_role_name = Admin"""
PROGRAM = f'credential_process = "{sys.executable}" program.py'
ASSUMED = f"role_arn = {ROLE}\nsource_profile = base\n[profile base]\n{KEYS}"


PROFILES = {
    "program that does not exist": (
        "credential_process = /does/not/exist",
        "/does/not/exist: No such file",
        "run its command",
    ),
    "program that may not run": ("credential_process = ./.aws", "Permission denied", "run its"),
    "program that is empty": ('credential_process = ""', "", "credential_process"),
    "program with an open quote": ('credential_process = "a', "No closing quotation", "run its"),
    "token file that does not exist": (
        f"role_arn = {ROLE}\nweb_identity_token_file = /does/not/exist",
        "/does/not/exist: No such file",
        "web_identity_token_file",
    ),
    "token file that is a directory": (
        f"role_arn = {ROLE}\nweb_identity_token_file = .aws",
        ".aws: ",
        "web_identity_token_file",
    ),
    "token file without a role": ("web_identity_token_file = token", "role_arn", "~/.aws/config"),
    "no SSO token": (SSO, "Token for s does not exist", "`aws sso login --profile p`"),
    "no SSO token, as before sessions": (OLD_SSO, "does not exist", "`aws sso login --profile p`"),
    "SSO without a region": (
        f"sso_session = s\nsso_account_id = 1\nsso_role_name = a\n[sso-session s]\n"
        f"sso_start_url = {START}",
        "sso_region",
        "~/.aws/config",
    ),
    "SSO session that does not exist": (
        "sso_session = other\nsso_account_id = 1\nsso_role_name = a",
        "other",
        "~/.aws/config",
    ),
    "SSO without a role": (
        f"sso_region = eu-west-1\nsso_start_url = {START}\nsso_account_id = 1",
        "sso_role_name",
        "~/.aws/config",
    ),
    "source profile that does not exist": (
        f"role_arn = {ROLE}\nsource_profile = other",
        '"other"',
        "~/.aws/config",
    ),
    "source profile without credentials": (
        f"role_arn = {ROLE}\nsource_profile = empty\n[profile empty]\nregion = eu-west-1",
        "",
        "~/.aws",
    ),
    "source profiles in a circle": (
        f"role_arn = {ROLE}\nsource_profile = q\n[profile q]\nrole_arn = {ROLE}\n"
        "source_profile = p",
        "Infinite loop",
        "~/.aws/config",
    ),
    "role without a source": (f"role_arn = {ROLE}", "source_profile", "source_profile"),
    "role with two sources": (
        f"role_arn = {ROLE}\nsource_profile = p\ncredential_source = Environment",
        "credential_source",
        "~/.aws/config",
    ),
    "unknown credential source": (
        f"role_arn = {ROLE}\ncredential_source = Nowhere",
        "Nowhere",
        "~/.aws/config",
    ),
    "credential source without credentials": (
        f"role_arn = {ROLE}\ncredential_source = Environment",
        "",
        "~/.aws/config",
    ),
    "role that is not an ARN": (
        f"role_arn = r\nsource_profile = base\n[profile base]\n{KEYS}",
        "RoleArn",
        "role_arn",
    ),
    "half of a key": ("aws_access_key_id = AKIAEXAMPLE", "aws_secret_access_key", "aws configure"),
    "retry mode": (f"{KEYS}\nretry_mode = often", "often", "~/.aws"),
    "defaults mode": (f"{KEYS}\ndefaults_mode = often", "often", "~/.aws"),
    "nothing": ("output = json", "No AWS credentials were found", "aws configure"),
}


@pytest.mark.parametrize(("profile", "says", "hint"), PROFILES.values(), ids=list(PROFILES))
def test_a_profile_that_does_not_work(home: Path, profile: str, says: str, hint: str) -> None:
    """It is an expected error that says what to check."""
    configure(home, profile)

    found = failure()

    assert says in found.message
    assert hint in found.hint


PRINTED = {
    "a failure": ("import sys; sys.exit('not logged in\\n  at corp')", "not logged in at corp"),
    "no JSON": ("print('hello')", "not JSON"),
    "nothing": ("", "not JSON"),
    "a list": ("print('[]')", "malformed"),
    "no text": (r"import sys; sys.stdout.buffer.write(b'\xff')", "not UTF-8"),
    "an unknown version": ("print('{\"Version\": 2}')", "Unsupported version '2'"),
    "no version": ("print('{}')", "Unsupported version"),
    "no key": ("print('{\"Version\": 1}')", "AccessKeyId"),
    "no time": (
        'print(\'{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "hunter2",'
        ' "Expiration": "soon"}\')',
        "soon",
    ),
    "a long text": ("import sys; sys.exit('word ' * 1000)", "word …"),
}


@pytest.mark.parametrize(("program", "says"), PRINTED.values(), ids=list(PRINTED))
def test_a_program_that_prints_no_credentials(home: Path, program: str, says: str) -> None:
    """Its own words are shown, and where it is configured."""
    (home / "program.py").write_text(program)
    configure(home, PROGRAM)

    found = failure()

    assert says in found.message
    assert len(found.message) < 400
    assert "`credential_process`" in found.hint


@pytest.mark.parametrize(
    "token",
    [
        {},
        {"accessToken": "t"},
        {"accessToken": "t", "expiresAt": "2020-01-01T00:00:00Z"},
        {"accessToken": "t", "expiresAt": "soon"},
        "no JSON",
    ],
    ids=["empty", "without time", "expired", "with no time", "broken"],
)
@pytest.mark.parametrize(("profile", "session"), [(SSO, "s"), (OLD_SSO, START)])
def test_an_sso_token_that_cannot_be_used(
    home: Path, profile: str, session: str, token: object
) -> None:
    """Whatever is wrong with it, logging in again helps."""
    configure(home, profile)
    name = hashlib.sha1(session.encode()).hexdigest()
    content = token if isinstance(token, str) else json.dumps(token)
    (home / f".aws/sso/cache/{name}.json").write_text(content)

    assert "aws sso login" in failure().hint


if hasattr(botocore.credentials, "LoginProvider"):  # the oldest botocore has none
    SESSION = "arn:aws:iam::123456789012:user/me"

    def test_a_login_session_without_awscrt(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """`aws login` makes such profiles, and boto3 alone cannot read them."""
        monkeypatch.setattr(botocore.credentials, "EC", None)
        configure(home, f"login_session = {SESSION}")

        found = failure()

        assert "botocore[crt] is missing" in found.message
        assert "pip install 'botocore[crt]'" in found.hint

    @pytest.mark.parametrize("token", [None, {"accessToken": {}}])
    def test_a_login_session_without_a_token(
        home: Path, monkeypatch: pytest.MonkeyPatch, token: object
    ) -> None:
        """With awscrt installed, which any object imitates here."""
        monkeypatch.setattr(botocore.credentials, "EC", object())
        monkeypatch.setenv("AWS_LOGIN_CACHE_DIRECTORY", str(home))
        configure(home, f"login_session = {SESSION}")
        if token:
            name = hashlib.sha256(SESSION.encode()).hexdigest()
            (home / f"{name}.json").write_text(json.dumps(token))

        found = failure()

        assert "Error loading login session token" in found.message
        assert "`aws login --profile p`" in found.hint


@pytest.mark.parametrize(
    ("variables", "says", "hint"),
    [
        ({"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE"}, "AWS_SECRET_ACCESS_KEY", "$AWS_SECRET_ACCESS_KEY"),
        ({"AWS_PROFILE": "other"}, "other", "list-profiles"),
        (
            {"AWS_WEB_IDENTITY_TOKEN_FILE": "/does/not/exist", "AWS_ROLE_ARN": ROLE},
            "/does/not/exist",
            "$AWS_WEB_IDENTITY_TOKEN_FILE",
        ),
        (
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/"},
            "example.com",
            "$AWS_CONTAINER_CREDENTIALS_FULL_URI",
        ),
        (
            {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/does/not/exist",
            },
            "/does/not/exist",
            "$AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        ),
        (
            {
                "AWS_EC2_METADATA_DISABLED": "false",
                "AWS_EC2_METADATA_SERVICE_ENDPOINT": "nowhere",
            },
            "nowhere",
            "AWS_",
        ),
        (
            {
                "AWS_EC2_METADATA_DISABLED": "false",
                "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "ipv5",
            },
            "ipv5",
            "AWS_",
        ),
        (
            {"AWS_ENDPOINT_URL": "nowhere", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"},
            "nowhere",
            "AWS_",
        ),
        ({"AWS_REGION": "!"}, "!", "--region"),
    ],
    ids=[
        "half of a key",
        "profile",
        "token file",
        "container's host",
        "container's token",
        "metadata's endpoint",
        "metadata's mode",
        "endpoint",
        "region",
    ],
)
def test_variables_that_do_not_work(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], says: str, hint: str
) -> None:
    """They are named."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    found = failure(None)

    assert says in found.message
    assert hint in found.hint


@pytest.mark.parametrize("body", ["no JSON", "{}", "[]"])
def test_a_container_that_answers_something_else(
    monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    """As a wrong address does."""
    with answering(body=body) as stub:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", stub.url)
        assert "$AWS_CONTAINER_CREDENTIALS_FULL_URI" in failure(None).hint


@pytest.mark.parametrize("name", ["config", "credentials"])
def test_a_file_that_cannot_be_parsed(home: Path, name: str) -> None:
    """Its path is named, and its content is not."""
    (home / f".aws/{name}").write_text("hunter2\n")

    found = failure(None)

    assert f".aws/{name}" in found.message
    assert "~/.aws" in found.hint


def test_an_mfa_code_without_a_terminal() -> None:
    """It cannot be asked for: getpass raises this."""
    found = explain(EOFError(), "p")

    assert "MFA" in found.message
    assert "export-credentials" in found.hint


def error(code: str, message: str) -> str:
    inside = f"<Code>{code}</Code><Message>{message}</Message>"
    return f"<ErrorResponse><Error><Type>Sender</Type>{inside}</Error></ErrorResponse>"


def test_a_role_that_may_not_be_assumed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal is not taken for that of the call which needed the role."""
    configure(home, ASSUMED)
    body = error("AccessDenied", "User: me is not authorized to perform: sts:AssumeRole")
    with answering(403, body) as stub:
        monkeypatch.setenv("AWS_ENDPOINT_URL", stub.url)
        found = failure()

    assert isinstance(found, Refused)
    assert "AssumeRole" in found.message
    assert "trust policy" in found.hint
    assert len(stub.asked) == 1


def test_the_keys_behind_a_role_have_expired(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of any other call."""
    configure(home, ASSUMED)
    with answering(403, error("ExpiredToken", "The security token is expired")) as stub:
        monkeypatch.setenv("AWS_ENDPOINT_URL", stub.url)
        assert failure().message == "The AWS credentials have expired."
