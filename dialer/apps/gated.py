"""An answered call as voice applications see it: every leg that they have dialled passes the gate (`dialer.gate`) at the
moment at which it is handed to the switch, and counts in the limits of its gateway.

Applications of the dialplan that dial are read for their numbers; those whose numbers nobody could tell are refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Generic, Protocol, TypeVar

from attrs import define, evolve
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from dialer import gate, gateways
from dialer.errors import BadValue
from dialer.gate import GatedLeg
from dialer.interfaces import AnsweredCall, ApplicationStore, SecondLegs
from dialer.model import CallRules, Gateway
from dialer.model.flow import Transfer, Transferred
from dialer.numbering import Numbering

_ADDRESSES: Final = frozenset({"bridge", "att_xfer"})
"""Applications of the switch whose argument is a list of addresses."""
_SIP_ADDRESSES: Final = frozenset({"deflect", "redirect"})
"""Those whose argument is where the caller shall turn to."""
_EXTENSIONS: Final = frozenset({"transfer", "execute_extension"})
"""Those whose argument is an extension of the dialplan."""
_UNTOLD: Final = frozenset(
    {"bind_meta_app", "bind_digit_action", "sched_transfer", "sched_broadcast", "socket", "system", "bgsystem"}
    | {"lua", "python", "python3", "perl", "javascript", "managed", "java", "httapi"}
)
"""Those that have others run, or programs."""
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

    def begin(self, gateway: Gateway) -> float:
        return 0.0

    def end(self, gateway: Gateway) -> None:
        pass


@define(eq=False, kw_only=True)
class GatedLegs(Generic[R]):
    """Around whatever runs applications on a channel and dials second legs for it: `user_id` is whose call it is."""

    call: RunsApplications[R]
    user_id: int
    numbering: Numbering
    store: ApplicationStore
    limits: SecondLegs
    clock: IReactorTime

    def execute(self, application: str, argument: str = "") -> Deferred[str]:
        """Fails with `BadValue` for a leg that does not pass, and for what could dial unseen."""
        try:
            legs = _legs(application.lower(), argument)
        except BadValue as error:
            return fail(error)
        return (
            Deferred.fromCoroutine(self._execute(application, argument, legs))
            if legs
            else self.call.execute(application, argument)
        )

    def bridge(self, transfer: Transfer) -> Deferred[R]:
        """Fails with `BadValue` for a leg that does not pass, and when its gateway has no room for it."""
        return Deferred.fromCoroutine(self._bridge(transfer))

    async def _execute(self, application: str, argument: str, legs: Sequence[GatedLeg]) -> str:
        await self._pass(legs, application)
        return await self.call.execute(application, argument)

    async def _bridge(self, transfer: Transfer) -> R:
        legs = _legs_of(transfer)
        gateway = transfer.gateway
        rules = await self._pass(legs, "transfer")
        self._check_variables(transfer, rules)
        transfer = self._with_caller_id(transfer, rules)
        if gateway is None:
            return await self.call.bridge(transfer)
        wait = self.limits.begin(gateway)
        try:
            if wait > 0:
                await deferLater(self.clock, wait, lambda: None)
                await self._pass(legs, "transfer")
            return await self.call.bridge(transfer)
        finally:
            self.limits.end(gateway)

    async def _pass(self, legs: Sequence[GatedLeg], field: str) -> CallRules:
        """Raise `BadValue` for the first leg that may not be called now."""
        rules = await self.store.call_rules(self.user_id, gate.identities(legs, self.numbering))
        for leg in legs:
            if reason := gate.refusal(leg, self.numbering, rules):
                raise BadValue(field, reason)
        return rules

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

    @property
    def call_uuid(self) -> str:
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


def _legs(application: str, argument: str) -> tuple[GatedLeg, ...]:
    """The calls that an application of the dialplan would make. Raises `BadValue` for what nobody could tell."""
    if application in _ADDRESSES:
        return gate.legs_of(argument, application)
    if application in _SIP_ADDRESSES:
        if "/" in argument:
            raise BadValue(application, f"{argument[:60]!r} is not one SIP address such as sip:15551234@carrier")
        return gate.legs_of(f"sofia/{argument}", application)
    if application in _EXTENSIONS:
        found = _EXTENSION.fullmatch(argument.strip())
        if found is None or "inline" in found[2].lower().split():
            raise BadValue(application, f"{argument[:60]!r} is not one extension of the dialplan, with dialplan and context")
        number = gate.dialled_as(found[1])
        return (GatedLeg(number, (number,)),) if number else ()
    if application in _UNTOLD or (application == "conference" and "bridge:" in argument.lower()):
        raise BadValue("application", f"{application} may dial numbers that nobody could tell: use the call's bridge()")
    if application in _SETTERS and (found := _HOOKS.search(argument)):
        raise BadValue("application", f"{application} may not set {found[0]}")
    return ()
