"""The record of what Gimel made, and the functions' own permissions: one inline policy of the role.

Gimel keeps no state file. It must still know which functions are its own after one has left the
wiring, and for which it reserved concurrency. The policy of the functions' role already names the
log group of each function; that is the record. Here, and nowhere else, the record is written as a
policy and read back. Each region has its own statements, because all regions share the role:

| Sid               | allows                                   | records                           |
| ----------------- | ---------------------------------------- | --------------------------------- |
| `LogsREGION`      | writing to the functions' log groups     | the functions                     |
| `ReservedREGION`  | the same                                 | functions with reserved capacity  |
| `NetworkREGION`   | network interfaces, inside a VPC         |                                   |
| `AlertsREGION`    | publishing to the SNS topic of `alerts`  |                                   |
| `SecretREGION`    | reading the password that AWS keeps      |                                   |
| `DecryptREGION`   | decrypting it with a KMS key             |                                   |
| `StoreREGION`     | logging in to the store on ElastiCache   | that Gimel created the store      |
| `FormerREGION`    | reading the one before, for a rollback   |                                   |
| `FormerKeyREGION` | decrypting that                          |                                   |
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gimel.config.secret import Secret
from gimel.deploy.identity import Identity
from gimel.deploy.policies import VERSION, Policy, Statement, as_list, statements
from gimel.runtime.redis.secrets import service_host

_WRITE_LOGS = ["logs:CreateLogStream", "logs:PutLogEvents"]

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
_USE_NETWORK = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]

# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
_LOG_IN, _LOG_IN_TO = "elasticache:Connect", ("serverlesscache", "user")

_FORMER = {"Secret": "Former", "Decrypt": "FormerKey"}
_SID = re.compile(
    r"(?:Alerts|Decrypt|Former(?:Key)?|Logs|Network|Reserved|Secret|Store)"
    r"((?:[A-Z][a-z]*)+[0-9]+)"
)
_INTERIM_SID = re.compile(r"Before\d+")  # of `merge_policies`
_LOG_GROUP = re.compile(r"arn:[^:]*:logs:([^:]*):[^:]*:log-group:/aws/lambda/([A-Za-z0-9_-]+):\*")


@dataclass(frozen=True)
class Record:
    """The functions that Gimel made in one region, and those that have reserved concurrency.

    `store` says whether it created a store on ElastiCache.
    """

    functions: frozenset[str] = frozenset()
    reserved: frozenset[str] = frozenset()
    store: bool = False

    def __or__(self, other: Record) -> Record:
        return Record(
            self.functions | other.functions,
            self.reserved | other.reserved,
            self.store or other.store,
        )


def read_record(policy: Policy | None, region: str) -> Record:
    """Return what the role's policy records of a region."""
    functions: set[str] = set()
    reserved: set[str] = set()
    store = False
    for statement in statements(policy or {}):
        names = [name for where, name in _functions(statement) if where == region]
        functions.update(names)
        if statement.get("Sid") == f"Reserved{_camel_case(region)}":
            reserved.update(names)
        store = store or _records_store(statement, region)
    return Record(frozenset(functions), frozenset(reserved), store)


def role_policy(
    identity: Identity,
    record: Record,
    *,
    vpc: bool,
    before: Policy | None,
    topic: str | None = None,
    secret: Secret | None = None,
    replaces: bool = False,
) -> Policy:
    """Return the policy that writes a record down and permits its functions what they need.

    `topic` is the ARN of the SNS topic that alerts go to, and `secret` the password that AWS keeps;
    it `replaces` another one where live functions read another one. What the policy `before` says
    of other regions is kept.
    """
    region = _camel_case(identity.region)
    own: list[Statement] = []
    groups = {
        f"Logs{region}": record.functions - record.reserved,
        f"Reserved{region}": record.functions & record.reserved,
    }
    for sid, names in groups.items():
        if names:
            log_groups = [f"{identity.log_group(name)}:*" for name in sorted(names)]
            own.append(_allow(sid, _WRITE_LOGS, log_groups))
    if vpc:
        own.append(_allow(f"Network{region}", _USE_NETWORK, ["*"]))
    read = [] if secret is None else _read_secret(identity, region, secret)
    own += [*read, *_read_former(before, region, read, replaces)]
    if topic is not None:
        own.append(_allow(f"Alerts{region}", ["sns:Publish"], [topic]))
    if record.store:
        of_store = [identity.elasticache(kind, identity.store) for kind in _LOG_IN_TO]
        own.append(_allow(f"Store{region}", [_LOG_IN], of_store))
    elsewhere = statements(other_regions(before, identity.region) or {})
    in_order = sorted((*own, *elsewhere), key=lambda statement: str(statement["Sid"]))
    return {"Version": VERSION, "Statement": in_order}


def other_regions(policy: Policy | None, region: str) -> Policy | None:
    """Return what the role's policy says of other regions, None where it says nothing of them."""
    kept = []
    for statement in statements(policy or {}):
        sid = _SID.fullmatch(str(statement.get("Sid", "")))
        if sid and sid[1] != _camel_case(region):
            kept.append(statement)
    return {"Version": VERSION, "Statement": kept} if kept else None


def recorded_regions(policy: Policy) -> tuple[str, ...]:
    """Return the regions whose functions a policy records, sorted."""
    found = {region for statement in statements(policy) for region, _ in _functions(statement)}
    return tuple(sorted(found))


def _records_store(statement: Statement, region: str) -> bool:
    """Return whether a statement of Gimel's permits to log in to a store of this region."""
    sid = str(statement.get("Sid", ""))
    if sid != f"Store{_camel_case(region)}" and not _INTERIM_SID.fullmatch(sid):
        return False
    resources = as_list(statement.get("Resource", []))
    return any(
        each.split(":")[2:4] == ["elasticache", region] and ":serverlesscache:" in each
        for each in resources
    )


def _functions(statement: Statement) -> list[tuple[str, str]]:
    """Return the region and name of each function whose log group a statement of Gimel's names.

    A policy that somebody else wrote names log groups as well, in statements of other names.
    """
    resources = as_list(statement.get("Resource", []))
    named = [(found[1], found[2]) for each in resources if (found := _LOG_GROUP.fullmatch(each))]
    sid = str(statement.get("Sid", ""))
    if _INTERIM_SID.fullmatch(sid):
        return named
    return [
        (region, name)
        for region, name in named
        if sid in (f"Logs{_camel_case(region)}", f"Reserved{_camel_case(region)}")
    ]


def _camel_case(region: str) -> str:
    """Return a region as a Sid can hold it, which is letters and digits only: UsEast1."""
    return "".join(part.capitalize() for part in region.split("-"))


def _read_secret(identity: Identity, region: str, secret: Secret) -> list[Statement]:
    """Return what allows to read one secret, and to decrypt it with the key that it names.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-access.html
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_examples.html
    """
    action = "ssm:GetParameter" if secret.ssm else "secretsmanager:GetSecretValue"
    read = _allow(f"Secret{region}", [action], [identity.secret(secret.service, secret.name)])
    if secret.kms_key is None:
        return [read]
    decrypt = _allow(f"Decrypt{region}", ["kms:Decrypt"], [secret.kms_key])
    host = service_host(secret.service, secret.region or identity.region)
    return [read, {**decrypt, "Condition": {"StringEquals": {"kms:ViaService": host}}}]


def _read_former(
    before: Policy | None, region: str, read: list[Statement], replaces: bool
) -> list[Statement]:
    """Return what allows to read the secret before this one, without which no rollback works."""
    by_sid = {str(each.get("Sid")): each for each in statements(before or {})}
    replaced = [by_sid[sid] for kind in _FORMER if (sid := f"{kind}{region}") in by_sid]
    if not (replaces and replaced and replaced != read):
        return [by_sid[sid] for kind in _FORMER.values() if (sid := f"{kind}{region}") in by_sid]
    names = {f"{kind}{region}": f"{former}{region}" for kind, former in _FORMER.items()}
    return [{**each, "Sid": names[str(each["Sid"])]} for each in replaced]


def _allow(sid: str, actions: list[str], resources: list[str]) -> Statement:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
