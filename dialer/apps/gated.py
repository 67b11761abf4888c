"""An answered call as voice applications see it: every leg that they have dialled passes the gate (`dialer.gate`) at the
moment at which it is handed to the switch, and counts in the limits of its gateway.

Applications of the dialplan that dial are refused: what they call would count nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Generic, Protocol, TypeVar

from attrs import define, evolve, field
from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from dialer import gate, gateways
from dialer.errors import BadValue, SessionGone
from dialer.gate import GatedLeg
from dialer.interfaces import AnsweredCall, ApplicationStore, SecondLegs
from dialer.model import CallRules, Gateway
from dialer.model.flow import Transfer, Transferred
from dialer.numbering import Numbering
from dialer.routing import carries

_ADDRESSES: Final = frozenset({"bridge", "att_xfer"})
"""Applications of the switch whose argument is a list of addresses."""
_SIP_ADDRESSES: Final = frozenset({"deflect", "redirect"})
"""Those whose argument is where the caller shall turn to."""
_EXTENSIONS: Final = frozenset({"transfer", "execute_extension"})
"""Those whose argument is an extension of the dialplan."""
_UNTOLD: Final = frozenset(
    {"bind_meta_app", "bind_digit_action", "sched_transfer", "sched_broadcast", "socket", "system", "bgsystem"}
    | {"lua", "python", "python3", "perl", "javascript", "managed", "java", "httapi"}
    | {"limit", "limit_execute", "limit_hash", "limit_hash_execute", "tone_detect", "spandsp_start_fax_detect"}
    | {"conference_set_auto_outcall"}
)
"""Those that have others run, or programs, or somebody called."""
_DIGITS: Final = "play_and_get_digits"
_MOST_OF_DIGITS: Final = 10
"""Arguments; one more is an extension, to which a call without digits is transferred."""
_ARGUMENT: Final = re.compile(r"'[^']*'|\S+")
_SETTERS: Final = frozenset(
    {"set", "export", "multiset", "set_global", "multiunset", "push", "unshift", "set_profile_var", "bridge_export"}
)
_HOOKS: Final = re.compile(
    r"execute_on|api_on|api_hangup_hook|api_after_bridge|api_reporting_hook|exec_after_bridge|bridge_pre_execute|session_in_hangup"
    r"|transfer_after_bridge|transfer_on_fail|transfer_fallback|failure_transfer|park_after_bridge|origination_caller_id"
    r"|effective_caller_id|sip_from_u|sip_contact_u|sip_route_uri|sip_invite_|sip_h_p-asserted|sip_h_p-preferred|sip_h_remote",
    re.IGNORECASE,
)
"""Variables that have something dialled, or run, or another number shown."""
_EXTENSION: Final = re.compile(r"(?:-\w+ +)?([+*#]?[A-Za-z0-9_.-]+)((?: +[A-Za-z0-9_.-]+)*)")


R = TypeVar("R")


class RunsApplications(Protocol[R]):
    """A channel, or a call. Fails with: `DialerError`."""

    def execute(self, application: str, argument: str = "") -> Deferred[str]:
        """Run an application of the dialplan."""
        ...

    def bridge(self, transfer: Transfer) -> Deferred[R]:
        """Dial a second leg, and connect it."""
        ...


@define(eq=False)
class NoLimits:
    """`SecondLegs` where no gateway has any."""

    async def begin(self, call_uuid: str, gateway: Gateway) -> float:
        return 0.0

    def end(self, call_uuid: str) -> None:
        pass


@define(eq=False, kw_only=True)
class GatedLegs(Generic[R]):
    """Around whatever runs applications on a channel and dials second legs for it: `user_id` is whose call it is, and
    `campaign_id` of which campaign. `is_told`
    says that `bridge` fires at the end of the second leg; without that, the leg counts until the end of the call."""

    call: RunsApplications[R]
    call_uuid: str
    user_id: int
    campaign_id: int
    numbering: Numbering
    store: ApplicationStore
    limits: SecondLegs
    clock: IReactorTime
    is_told: bool = True

    def execute(self, application: str, argument: str = "") -> Deferred[str]:
        """Fails with `BadValue` for what would dial past the limits of a gateway, or unseen: `bridge` is for that."""
        try:
            _refuse_dialling(application.lower(), argument)
        except BadValue as error:
            return fail(error)
        return self.call.execute(application, argument)

    def bridge(self, transfer: Transfer) -> Deferred[R]:
        """Fails with `BadValue` for a leg that does not pass, and when its gateway has no room for it. An address that is one
        of a gateway's counts there, whoever has written it."""
        return Deferred.fromCoroutine(self._bridge(transfer))

    async def _bridge(self, transfer: Transfer) -> R:
        legs = _legs_of(transfer)
        gateway = await self._counted_in(transfer)
        if gateway is not None:
            self._check_carried(legs, gateway, transfer.number)
        rules = await self._pass(legs, "transfer")
        self._check_variables(transfer, rules)
        transfer = self._with_caller_id(transfer, rules)
        if gateway is None:
            return await self.call.bridge(transfer)
        wait = await self.limits.begin(self.call_uuid, gateway)
        try:
            if wait > 0:
                await deferLater(self.clock, wait, lambda: None)
                await self._pass(legs, "transfer")
            asked = self.call.bridge(transfer)
        except BaseException:
            self.limits.end(self.call_uuid)  # it was not asked for
            raise
        return await self._bridged(asked)

    async def _bridged(self, asked: Deferred[R]) -> R:
        """When the session is gone, or nobody waits any more, the legs may live on: the end of the call is theirs."""
        try:
            result = await asked
        except (SessionGone, CancelledError):
            raise
        except BaseException:
            self.limits.end(self.call_uuid)
            raise
        if self.is_told:
            self.limits.end(self.call_uuid)
        return result

    async def _counted_in(self, transfer: Transfer) -> Gateway | None:
        """The gateway whose address it is, else the one that is named."""
        named, address = transfer.gateway, transfer.dial_string
        if gate.is_local(address) or (named is not None and gateways.through((named,), address)):
            return named
        return gateways.through(await self.store.gateways(), address) or named

    async def _pass(self, legs: Sequence[GatedLeg], field: str) -> CallRules:
        """Raise `BadValue` for the first leg that may not be called now."""
        rules = await self.store.call_rules(self.user_id, gate.identities(legs, self.numbering), self.campaign_id)
        for leg in legs:
            if reason := gate.refusal(leg, self.numbering, rules):
                raise BadValue(field, reason)
        return rules

    def _check_carried(self, legs: Sequence[GatedLeg], gateway: Gateway, meant: str) -> None:
        """Raise `BadValue` for a leg to a number that the gateway does not carry: the one that is `meant`, or else the one in
        the address without the gateway's prefix."""
        for leg in legs:
            number = leg.number if leg.number == meant else leg.number.removeprefix(gateway.addprefix)
            if not carries(gateway, self.numbering.identity(number)):
                raise BadValue("transfer", f"gateway {gateway.name} does not carry {number}")

    def _check_variables(self, transfer: Transfer, rules: CallRules) -> None:
        """Those of the gateway are its administrator's, who may set more. Raises `BadValue`."""
        administered = () if transfer.gateway is None else transfer.gateway.parameters
        others = tuple(variable for variable in transfer.variables if variable not in administered)
        for some, allowed in ((administered, ""), (others, rules.caller_ids)):
            if reason := gate.variables_refusal(some, allowed, self.numbering):
                raise BadValue("variables", reason)
        for name, _ in others:
            if _HOOKS.match(name) and name.lower() not in gate.CALLER_ID_VARIABLES:
                raise BadValue("variables", f"{name} may not be set for a second leg")

    def _with_caller_id(self, transfer: Transfer, rules: CallRules) -> Transfer:
        """A contact's number that may not be shown is left out; one that was set is refused. Raises `BadValue`."""
        if transfer.is_contacts_number:
            reason = gate.caller_id_refusal(transfer.caller_id_number, rules.caller_ids, self.numbering)
            return evolve(transfer, caller_id_number="") if reason else transfer
        self._check_caller_id(transfer.caller_id_number, rules.caller_ids)
        return transfer

    def _check_caller_id(self, number: str, allowed: str) -> None:
        if reason := gate.caller_id_refusal(number, allowed, self.numbering):
            raise BadValue("caller_id", reason)


@define(eq=False, kw_only=True)
class GatedCall(GatedLegs[Transferred]):
    """Around an answered call. Everything but legs is handed on as it is."""

    call: AnsweredCall
    call_uuid: str = field(init=False)

    @call_uuid.default
    def _of_the_call(self) -> str:
        return self.call.call_uuid

    @property
    def digits(self) -> str:
        return self.call.digits

    def variable(self, name: str) -> str:
        return self.call.variable(name)

    def stop_playing(self) -> Deferred[None]:
        return self.call.stop_playing()

    def next_digit(self) -> Deferred[str]:
        return self.call.next_digit()

    def interrupt(self) -> None:
        self.call.interrupt()

    def hangup(self, cause: str = "NORMAL_CLEARING") -> Deferred[None]:
        return self.call.hangup(cause)

    def when_closed(self) -> Deferred[None]:
        return self.call.when_closed()


def _legs_of(transfer: Transfer) -> tuple[GatedLeg, ...]:
    """Those of a dial string, which has the number that is meant behind the prefixes of a gateway."""
    gateway, number = transfer.gateway, transfer.number
    if gateway is not None and number and transfer.dial_string == gateways.dial_string(gateway, number):
        return (gate.leg_through(gateway, number),)
    return gate.legs_of(transfer.dial_string, "dial_string")


def _refuse_dialling(application: str, argument: str) -> None:
    """Raise `BadValue` for an application of the dialplan that would dial a number, somebody behind a gateway, or what nobody
    could tell: it would count nowhere."""
    dials = False
    if application in _ADDRESSES:
        dials = not gate.is_local(argument)
    elif application in _SIP_ADDRESSES:
        if "/" in argument:
            raise BadValue(application, f"{argument[:60]!r} is not one SIP address such as sip:alice@example.org")
        dials = bool(gate.legs_of(f"sofia/{argument}", application))
    elif application in _EXTENSIONS:
        found = _EXTENSION.fullmatch(argument.strip())
        if found is None or "inline" in found[2].lower().split():
            raise BadValue(application, f"{argument[:60]!r} is not one extension of the dialplan, with dialplan and context")
        dials = bool(gate.dialled_as(found[1]))
    if dials:
        raise BadValue(
            application,
            f"{argument[:60]!r} would be dialled past the limits of its gateway: use the call's bridge(Transfer(...))",
        )
    if application == _DIGITS and len(_ARGUMENT.findall(argument)) > _MOST_OF_DIGITS:
        raise BadValue(application, "may not transfer a call without digits: use the call's bridge(Transfer(...))")
    if application in _UNTOLD or (application == "conference" and "bridge:" in argument.lower()):
        raise BadValue(
            "application", f"{application} may dial numbers that nobody could tell: use the call's bridge(Transfer(...))"
        )
    if application in _SETTERS and (found := _HOOKS.search(argument)):
        raise BadValue("application", f"{application} may not set {found[0]}")
