"""Failures, as the product's own errors.

Each carries a stable code word (`code`) for programs and a sentence for people. None knows of HTTP or of exit statuses:
the outermost layer maps the code.
"""

from __future__ import annotations


class DialerError(Exception):
    """The root of every error that is raised on purpose."""

    code = "error"


class BadValue(DialerError, ValueError):
    """A value that a user or a peer gave is not acceptable. `field` names it; the text says what was expected."""

    code = "bad-value"

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class Duplicate(BadValue):
    """A value that must be unique exists already."""

    code = "duplicate"


class AlreadyExists(Duplicate):
    """An object of that name exists already. `kind` is the vocabulary's word for it."""

    code = "already-exists"

    def __init__(self, kind: str, field: str, name: object) -> None:
        super().__init__(field, f"{name} exists already")
        self.kind = kind
        self.name = name


class LimitExceeded(DialerError):
    """More than a user is allowed. `limit` says of what, `maximum` how much is allowed."""

    code = "limit"

    def __init__(self, limit: str, maximum: int) -> None:
        super().__init__(f"the maximum {limit} of {maximum} is exceeded")
        self.limit = limit
        self.maximum = maximum


class NotFound(DialerError):
    """The named thing does not exist, or belongs to somebody else. `kind` is the vocabulary's word for it."""

    code = "not-found"

    def __init__(self, kind: str, name: object) -> None:
        super().__init__(f"there is no {kind} {name}")
        self.kind = kind
        self.name = name


class Forbidden(DialerError):
    """Who asks is known, and may not do this: a login without the scope, or no superuser. The text says what is needed."""

    code = "forbidden"


class WrongState(DialerError):
    """Something is not in the state for what is wanted. The text says which states are."""

    code = "wrong-state"


class NotSetUp(DialerError):
    """The installation is not set up for what is wanted. `setting` is what it needs."""

    code = "not-set-up"

    def __init__(self, setting: str, problem: str) -> None:
        super().__init__(f"{setting}: {problem}")
        self.setting = setting


class ProtocolError(DialerError):
    """The peer on an Event Socket connection broke the protocol; the connection is of no more use."""

    code = "protocol"


class UnreadableEvent(DialerError):
    """An event came whole and tells nothing: its content is damaged, or lacks a header that it needs. The connection is as
    good as before."""

    code = "unreadable-event"


class AuthenticationFailed(DialerError):
    """The switch refused the password."""

    code = "authentication"


class AddressRefused(AuthenticationFailed):
    """The switch accepts no connection from the address that we come from."""

    code = "address-refused"


class CommandFailed(DialerError):
    """The switch answered a command with `-ERR`. `command` names it (never with its secrets), `reply` is what came back."""

    code = "command-failed"

    def __init__(self, command: str, reply: str) -> None:
        super().__init__(f"{command}: {reply}")
        self.command = command
        self.reply = reply


class SwitchUnavailable(DialerError):
    """No connection to the switch, or it was lost before the reply came.

    `sent` is the fact that decides what may be done next: False means that not one byte of the command was written, so the
    switch cannot have seen it; True means that it may have.
    """

    code = "switch-unavailable"

    def __init__(self, command: str, reason: str, *, sent: bool) -> None:
        fate = "may have reached the switch" if sent else "was not sent"
        super().__init__(f"{command} {fate}: {reason}")
        self.command = command
        self.reason = reason
        self.sent = sent


class SessionGone(DialerError):
    """The outbound session of an answered call is over: the callee hung up, or the connection was lost."""

    code = "session-gone"


class StoreError(DialerError):
    """The database cannot serve: locked, full, damaged, unreachable, or of another schema. The text says
    which, and what to do."""

    code = "store"


class Busy(DialerError):
    """Too much is asked for at the moment; the same may be asked again after `seconds`."""

    code = "busy"

    def __init__(self, reason: str, seconds: float = 1.0) -> None:
        super().__init__(f"{reason}; try again later")
        self.seconds = seconds


class InUse(DialerError):
    """Something cannot be removed, because other things refer to it. The text counts them."""

    code = "in-use"

    def __init__(self, kind: str, name: object, users: str) -> None:
        super().__init__(f"{kind} {name} cannot be removed: {users}")
        self.kind = kind
        self.name = name


class Over(DialerError):
    """Something is done for good, and cannot be changed any more. `kind` is the vocabulary's word for it."""

    code = "over"

    def __init__(self, kind: str, name: object, state: str) -> None:
        super().__init__(f"{kind} {name} is over: it is {state}")
        self.kind = kind
        self.name = name


class CannotListen(DialerError):
    """An address to listen on cannot be had: in use, not ours, not allowed. `setting` names where it is configured."""

    code = "cannot-listen"

    def __init__(self, setting: str, address: str, reason: str) -> None:
        super().__init__(f"{setting}: cannot listen on {address}: {reason}")
        self.setting = setting


class HookFailed(DialerError):
    """The receiver of an outcome could not be told; it is tried again."""

    code = "hook-failed"
