"""`callrequest/`: one call without a campaign, in the words of 2011."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Final

from attrs import define, frozen
from twisted.internet.defer import Deferred

from api.errors import Refusal
from api.newfies.answers import Date, NewfiesAnswer, date
from api.newfies.campaigns import ON_VALUES
from api.routes import CDR_PREFIX, Attributes, route
from dialer import kinds
from dialer.errors import AlreadyExists, BadValue, LimitExceeded, NotFound, Over
from dialer.kinds import LARGEST_ID, Kind, Text, Whole
from dialer.management import Management, calls
from dialer.model import Account
from dialer.model.single_call import SingleCall, SingleCallState
from dialer.time_kinds import Epoch, Moment

ABORT: Final = 5
LONGEST_LIST: Final = 1000
MILLISECONDS_FROM: Final = 3600
"""No call rings for longer than an hour: a longer `timeout` is in milliseconds, as in the document's example."""

NAMES: Final = {
    "number": "phone_number",
    "starting_at": "call_time",
    "call_timeout": "timeout",
    "call_max_duration": "timelimit",
    "caller_id": "callerid",
    "voip_app_id": "voipapp",
    "voip_app_data": "extra_data",
    "gateway_id": "aleg_gateway",
    "reference": "request_uuid",
}
"""By our names."""

NOT_FOUND = Refusal(NotFound, "call", 404, "Callrequest not found")
DUPLICATE = Refusal(AlreadyExists, "call", 409, "Duplicate Entry")
TOO_MANY = Refusal(LimitExceeded, "contacts", 400, "You have too many calls. Max allowed {maximum}")
OVER = Refusal(Over, "call", 409, "The call is over")

STATUSES: Final = {
    SingleCallState.WAITING: 1,
    SingleCallState.FAILED: 2,
    SingleCallState.EXPIRED: 2,
    SingleCallState.BLOCKED: 2,
    SingleCallState.COMPLETED: 4,
    SingleCallState.CANCELLED: ABORT,
    SingleCallState.CALLING: 7,
    SingleCallState.RINGING: 7,
    SingleCallState.ANSWERED: 8,
}
RETRY: Final = 3


@frozen
class CallTime(Kind):
    """A date and a time, or seconds since 1970."""

    takes = "a date and a time in UTC such as 2027-03-01 09:00:00, or seconds since 1970"

    def parse(self, value: Any) -> Any:
        """The aware moment in UTC."""
        try:
            return Epoch().parse(value)
        except ValueError:
            return Moment().parse(value)

    def schema(self) -> dict[str, Any]:
        """A text or a number."""
        return {"oneOf": [{"type": "string"}, Epoch().schema()]}


@frozen
class AbsentOr(Kind):
    """A value that may be empty, as in the document's example."""

    kind: Kind

    @property
    def takes(self) -> str:  # type: ignore[override]
        """The same as of the value."""
        return self.kind.takes

    def parse(self, value: Any) -> Any:
        """None, or the value."""
        return None if value is None or value == "" else self.kind.parse(value)

    def schema(self) -> dict[str, Any]:
        """The value's schema, or nothing."""
        return {"oneOf": [self.kind.schema(), {"type": "string", "maxLength": 0}, {"type": "null"}]}


_ID: Final = AbsentOr(Whole(1, LARGEST_ID))


class CallList(Attributes):
    """The newest ones, at most a thousand; those before the id `before`."""

    before: Annotated[int | None, Whole(1, LARGEST_ID)] = None
    limit: Annotated[int, Whole(1, LONGEST_LIST)] = LONGEST_LIST


class CallChoice(Attributes):
    """Which one."""

    callrequest_id: Annotated[int, Whole(1, LARGEST_ID)]


class NewCall(Attributes):
    """What a call is made of. `request_uuid` is a word of the client's own, once for each call. The application and the
    gateway may be left out by a user that has one of them only."""

    phone_number: Annotated[str, kinds.Number(64, 1)]
    request_uuid: Annotated[str, Text(120)] = ""
    call_time: Annotated[Any, AbsentOr(CallTime())] = None
    call_type: Annotated[int, Whole(1, 1)] = 1
    timeout: Annotated[int | None, AbsentOr(Whole(1, 3600 * 1000))] = None
    timelimit: Annotated[int | None, AbsentOr(Whole(1, 86_400))] = None
    callerid: Annotated[str, kinds.Number(64)] = ""
    voipapp: Annotated[int | None, _ID] = None
    aleg_gateway: Annotated[int | None, _ID] = None
    extra_data: Annotated[str, kinds.NumberOrText(500)] = ""

    def given(self) -> dict[str, Any]:
        """What is given, by our names."""
        found = {ours: getattr(self, theirs) for ours, theirs in NAMES.items() if getattr(self, theirs) not in (None, "")}
        if self.timeout is not None and self.timeout > MILLISECONDS_FROM:
            found["call_timeout"] = -(-self.timeout // 1000)
        return found


class ChangedCall(Attributes):
    """5 (Abort) cancels the call. Nothing else can be set."""

    callrequest_id: Annotated[int, Whole(1, LARGEST_ID)]
    status: Annotated[int, Whole(1, 8)]


class CallAnswer(NewfiesAnswer):
    """A call. `status` is 1 Pending, 2 Failure, 3 Retry, 4 Success, 5 Abort, 7 Process (it is being called), 8 In-Progress (it
    was answered); `result` is why it ended, in a word, empty while it has not."""

    id: int
    status: int
    callerid: str
    num_attempt: int
    timeout: int
    timelimit: int
    voipapp: int
    aleg_gateway: int
    extra_data: str
    call_time: Date
    call_type: int
    result: str
    hangup_cause: str
    request_uuid: str
    last_attempt_time: Date | None
    phone_number: str
    created_date: Date
    updated_date: Date


def callrequest(call: SingleCall) -> dict[str, Any]:
    """A call in an answer: `CallAnswer`."""
    settings, last = call.campaign, call.last
    waits_again = call.state is SingleCallState.WAITING and last is not None
    return {
        "id": call.id,
        "status": RETRY if waits_again else STATUSES[call.state],
        "callerid": settings.caller_id,
        "num_attempt": call.count_attempt,
        "timeout": settings.call_timeout,
        "timelimit": settings.call_max_duration,
        "voipapp": settings.voip_app_id,
        "aleg_gateway": settings.gateway_id,
        "extra_data": settings.voip_app_data,
        "call_time": date(settings.starting_at),
        "call_type": 1,
        "result": "" if last is None or last.disposition is None else str(last.disposition),
        "hangup_cause": "" if last is None or last.cause is None else last.cause,
        "request_uuid": call.contact.reference,
        "last_attempt_time": None if last is None else date(last.planned_at),
        "phone_number": call.contact.number,
        "created_date": date(settings.created_at),
        "updated_date": date(settings.updated_at),
    }


def several(found: list[SingleCall]) -> list[dict[str, Any]]:
    """A list of answers."""
    return [callrequest(each) for each in found]


_here = partial(route, prefix=CDR_PREFIX)


@define(eq=False)
class CallRequests:
    """The resource."""

    management: Management

    @_here("GET", "callrequest/", schema=CallList, answer=list[CallAnswer], encode=several)
    def read_all(self, who: Account, given: CallList) -> Deferred[list[SingleCall]]:
        """Calls without a campaign, the newest first."""
        return self.management.ask(calls.listed, who, given.before, given.limit)

    @_here(
        "GET",
        "callrequest/<callrequest_id>/",
        schema=CallChoice,
        answer=CallAnswer,
        encode=callrequest,
        refusals=(NOT_FOUND,),
    )
    def read(self, who: Account, given: CallChoice) -> Deferred[SingleCall]:
        """One call: where it is, and how it ended."""
        return self.management.ask(calls.read, who, given.callrequest_id)

    @_here(
        "POST",
        "callrequest/",
        schema=NewCall,
        answer=CallAnswer,
        encode=callrequest,
        refusals=(DUPLICATE, TOO_MANY, *(each for each in ON_VALUES if each.error is not AlreadyExists)),
        names=NAMES,
    )
    def create(self, who: Account, given: NewCall) -> Deferred[SingleCall]:
        """Make a call, now or later."""
        return self.management.ask(calls.create_completed, who, given.given(), given.request_uuid)

    @_here(
        "PUT",
        "callrequest/<callrequest_id>/",
        schema=ChangedCall,
        answer=CallAnswer,
        encode=callrequest,
        refusals=(NOT_FOUND, OVER),
    )
    def change(self, who: Account, given: ChangedCall) -> Deferred[SingleCall]:
        """Cancel a call: one that waits is not made, one that is live is hung up."""
        if given.status != ABORT:
            raise BadValue("status", f"expected {ABORT}, which cancels the call; nothing else can be set")
        return self.management.ask(calls.cancel, who, given.callrequest_id)
