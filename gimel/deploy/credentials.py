"""What to say where AWS credentials cannot be loaded, for every provider of botocore's chain.

Providers raise botocore's own exceptions, and let plain ones through: a program that does not
exist, a file that is not JSON. Exceptions are known by the names of their classes, because the
oldest botocore that Gimel supports lacks some. Nothing here needs botocore.
"""

from __future__ import annotations

import contextlib
import json
import traceback
from collections.abc import Collection, Iterator

from gimel.deploy.aws_errors import AwsError, Refused, is_about_login, refusal
from gimel.errors import GimelError

_LONGEST_REASON = 300  # characters: a program's stderr can be of any length
_FILES = "Check the profile in ~/.aws/config and ~/.aws/credentials."
_CRT = "Install it beside Gimel: `pip install 'botocore[crt]'`."

_SSO = ("SSOError", "TokenRetrievalError", "NoAuthTokenError", "UnknownTokenProviderError")
_FILE = (
    "ConfigNotFound",
    "ConfigParseError",
    "InvalidConfigError",
    "UnknownCredentialError",
)

_HINTS = {
    "assume-role": "Check `role_arn`, `source_profile` and `credential_source` of the profile in"
    " ~/.aws/config.",
    "assume-role-with-web-identity": "Check `web_identity_token_file` and `role_arn` of the profile"
    " in ~/.aws/config, or $AWS_WEB_IDENTITY_TOKEN_FILE and $AWS_ROLE_ARN.",
    "container-role": "Check the variables $AWS_CONTAINER_CREDENTIALS_FULL_URI,"
    " $AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and $AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE.",
    "custom-process": "Check `credential_process` of the profile in ~/.aws/config: run its command"
    " in a terminal.",
    "env": "Set both $AWS_ACCESS_KEY_ID and $AWS_SECRET_ACCESS_KEY, or run `aws configure`.",
    "iam-role": "Check the role of this EC2 instance, and $AWS_EC2_METADATA_SERVICE_ENDPOINT.",
}
"""What to check, by botocore's name of the provider."""


@contextlib.contextmanager
def explained(profile: str | None, passed_on: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Turn whatever is raised while credentials and settings are loaded into GimelError.

    Exceptions in `passed_on` are about something else, and are raised as they are.
    """
    try:
        yield
    except passed_on:
        raise
    except GimelError:
        raise
    except Exception as error:  # providers let plain exceptions through
        raise explain(error, profile) from None


def explain(error: Exception, profile: str | None) -> GimelError:
    """Return what to say about an exception that a provider raised for a profile, if any."""
    names = {each.__name__ for each in type(error).__mro__}
    option = f" --profile {profile}" if profile else ""
    sso_login = f"Log in again: `aws sso login{option}` or `aws configure{option}`."
    hints = {**_HINTS, "sso": sso_login, "login": f"Log in again: `aws login{option}`."}
    hint = hints.get(_provider(error, hints), "")
    if "NoCredentialsError" in names:
        return GimelError(
            "No AWS credentials were found.", "Run `aws configure`, or pass --profile."
        )
    if "ProfileNotFound" in names:
        return GimelError(
            f"{_reason(error)}.", "`aws configure list-profiles` lists those that exist."
        )
    if "MissingDependencyException" in names:
        return GimelError(
            "The package botocore[crt] is missing, which profiles of `aws login` need.", _CRT
        )
    if "PartialCredentialsError" in names:
        return GimelError(
            f"The AWS credentials are incomplete: {_reason(error)}.",
            hint or f"Run `aws configure{option}`.",
        )
    if "LoginError" in names:
        return _unusable(error, hints["login"])
    if names.intersection(_SSO):
        return _unusable(error, sso_login)
    if "EOFError" in names or "RefreshWithMFAUnsupportedError" in names:
        return GimelError(
            "The AWS profile requires an MFA code, and there is no terminal to ask for it.",
            "Set the variables that `aws configure export-credentials --format env` prints.",
        )
    if "NoRegionError" in names:
        return no_region()
    if names.intersection(_FILE):
        return _unusable(error, _FILES)
    if hint or "CredentialRetrievalError" in names:
        return _unusable(error, hint or sso_login)
    return GimelError(
        f"The AWS settings cannot be used: {_reason(error)}.",
        "Check --region, the variables that begin with AWS_, and the files in ~/.aws.",
    )


def no_region() -> GimelError:
    """Return what to say where no region is set."""
    return GimelError(
        "No AWS region is set.", "Pass --region, set $AWS_REGION, or run `aws configure`."
    )


def refused(operation: str, error: AwsError) -> Refused:
    """Return what to say about an error of the call that should have returned credentials.

    `operation` is botocore's name, such as "AssumeRole".
    """
    if is_about_login(error):
        return refusal(operation, error)
    hint = (
        "Check `sso_account_id` and `sso_role_name` of the profile in ~/.aws/config."
        if operation == "GetRoleCredentials"
        else "Check `role_arn` of the profile in ~/.aws/config, and the trust policy of that role."
    )
    return Refused(
        error.code, f"AWS did not provide credentials ({operation}): {error.message}", hint
    )


def _unusable(error: Exception, hint: str) -> GimelError:
    return GimelError(f"The AWS credentials cannot be used: {_reason(error)}.", hint)


def _reason(error: Exception) -> str:
    """Return an exception's text as part of a sentence."""
    if isinstance(error, json.JSONDecodeError):
        text = "the answer is not JSON"
    elif isinstance(error, UnicodeError):
        text = "the answer is not UTF-8"
    elif isinstance(error, OSError) and error.filename:
        text = f"{error.filename}: {error.strerror}"
    elif isinstance(error, KeyError):
        text = f"the answer lacks {error}"
    elif isinstance(error, AttributeError | IndexError | TypeError):
        text = "the answer or the setting is malformed"
    else:
        text = " ".join(str(error).split())
    if len(text) > _LONGEST_REASON:
        text = f"{text[:_LONGEST_REASON].rstrip()} …"
    return text.rstrip(".") or type(error).__name__


def _provider(error: Exception, known: Collection[str]) -> str:
    """Return botocore's name of the provider that raised an exception, "" if it is not known."""
    named = getattr(error, "kwargs", {}).get("provider")
    if named in known:
        return str(named)
    found = ""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        running = frame.f_locals.get("self")
        name = getattr(running, "METHOD", None) or getattr(running, "method", None)
        found = str(name) if name in known else found
    return found
