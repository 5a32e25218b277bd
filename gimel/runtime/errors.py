"""What can go wrong between an event and Redis, as types.

A message may be logged. It never holds a password or a uuid; the answer to the public is chosen in `http`, not here.
"""


class BadRequest(Exception):
    """The caller's input is malformed. The message names the field; it and `details` are shown to the caller."""

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.details = details


class RedisError(Exception):
    """Redis did not do what was asked: nothing may be assumed to have been counted."""


class SettingsError(RedisError):
    """GIMEL_SETTINGS is missing or holds something that cannot be used."""


class ConnectionFailed(RedisError):
    """No connection could be made, or it was lost."""


class AnswerTimeout(ConnectionFailed):
    """Redis accepted the connection and did not answer in time."""


class ProtocolError(ConnectionFailed):
    """What came back is not RESP2: not a Redis server, or a connection out of step."""


class ServerError(RedisError):
    """Redis answered with an error. `code` is its first word, such as `OOM`."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code = message.split(" ", 1)[0]


class AuthenticationError(ServerError):
    """User name or password are missing or wrong, or the user may not run the command."""


class ReadOnlyError(ServerError):
    """The server is a replica, as after a failover: a new connection may find the primary."""


class OutOfMemoryError(ServerError):
    """`maxmemory` is reached and nothing may be evicted."""


class NotReadyError(ServerError):
    """The server is loading, has lost its primary or its cluster, cannot persist, or is busy: trying later may help."""


class WrongTypeError(ServerError):
    """The key holds another kind of value than the command works on, or a HyperLogLog that is damaged."""


class Redirected(ServerError):
    """Redis Cluster: another node serves this slot. `asking` marks a redirection for one command only."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.asking = self.code == "ASK"
        try:
            _, slot, address = message.split(" ")[:3]
            host, _, port = address.rpartition(":")
            self.slot, self.host, self.port = int(slot), host, int(port)
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

    Where a server does not know a command it quotes the arguments, a password or a uuid among them: those are left out.
    """
    message = message.partition(", with args beginning with")[0]
    return _TYPE_OF_CODE.get(message.split(" ", 1)[0], ServerError)(message)
