"""What can go wrong between an event and Redis, as types.

A message may be logged. It never contains a password or a uuid. What the public is told is decided
in `http`, not here.
"""


class BadRequest(Exception):
    """The caller's input is malformed. The message names the field.

    The caller sees the message and the `details`.
    """

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.details = details


class RedisError(Exception):
    """Redis did not do what it was asked to: assume that nothing was counted."""


class SettingsError(RedisError):
    """GIMEL_SETTINGS is missing or contains something unusable."""


class SecretError(RedisError):
    """AWS did not return the secret that holds the password."""


class ConnectionFailed(RedisError):
    """The connection could not be made, or it was lost."""


class AnswerTimeout(ConnectionFailed):
    """Redis accepted the connection and did not answer in time."""


class ProtocolError(ConnectionFailed):
    """The answer is not RESP2: the server is not Redis, or the connection is out of step."""


class ServerError(RedisError):
    """Redis answered with an error. `code` is its first word, such as `OOM`.

    `command` is the command and its key, where they are known.
    """

    command = ""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code = message.split(" ", 1)[0]

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message} ({self.command})" if self.command else message


class AuthenticationError(ServerError):
    """The user name or password is missing or wrong, or the user may not run the command."""


class ReadOnlyError(ServerError):
    """The server is a replica, as after a failover. A new connection may reach the primary."""


class OutOfMemoryError(ServerError):
    """`maxmemory` is reached, and nothing may be evicted."""


class NotReadyError(ServerError):
    """The server cannot answer at the moment; trying again later may help.

    It is loading, busy, cannot persist, or has lost its primary or its cluster.
    """


class WrongTypeError(ServerError):
    """The key holds another type of value than the command needs, or a damaged HyperLogLog."""


class Redirected(ServerError):
    """Redis Cluster: another node serves this slot.

    `host` is empty where the server did not name one, which means the host that answered (the
    client fills it in). `asking` marks a redirection for this one command only.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.asking = self.code == "ASK"
        try:
            _, slot, address = message.split(" ")[:3]
            host, _, port = address.rpartition(":")
            self.slot, self.host, self.port = int(slot), host.strip("?"), int(port)
        except ValueError:
            raise ProtocolError(f"a redirection without slot and address: {message!r}") from None


_TYPE_OF_CODE = {
    "NOAUTH": AuthenticationError,
    "WRONGPASS": AuthenticationError,
    "NOPERM": AuthenticationError,
    "DENIED": AuthenticationError,
    "READONLY": ReadOnlyError,
    "OOM": OutOfMemoryError,
    "LOADING": NotReadyError,
    "MASTERDOWN": NotReadyError,
    "CLUSTERDOWN": NotReadyError,
    "TRYAGAIN": NotReadyError,
    "MISCONF": NotReadyError,
    "NOREPLICAS": NotReadyError,
    "BUSY": NotReadyError,
    "WRONGTYPE": WrongTypeError,
    "INVALIDOBJ": WrongTypeError,
    "MOVED": Redirected,
    "ASK": Redirected,
}


def server_error(message: str) -> ServerError:
    """Return the typed error for the text of a RESP error reply, `CODE what happened`.

    A server that does not know a command quotes its arguments, which may be a password or a uuid.
    They are removed.
    """
    message = message.partition(", with args beginning with")[0]
    return _TYPE_OF_CODE.get(message.split(" ", 1)[0], ServerError)(message)
