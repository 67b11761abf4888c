"""The wiring of the hooks: the dialer's calls for their apps, every channel behind the gate of its call's user.

Where no app is configured, nothing of switchio is imported, and nothing is made.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from attrs import define
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime

from dialer.apps.gated import GatedLegs
from dialer.calls.register import OpenAttempts
from dialer.errors import BadValue
from dialer.esl import commands, proof
from dialer.esl.inbound import Observation
from dialer.esl.remote import RemoteChannel
from dialer.fleet_wiring import CallSwitches
from dialer.interfaces import ApplicationStore, SecondLegs
from dialer.marks.app import HookApp
from dialer.numbering import Numbering
from dialer.settings import HooksSettings

if TYPE_CHECKING:
    from dialer.esl.events import EslEvent
    from dialer.marks.hub import Hub
    from dialer.marks.trouble import HookLimits


@define(eq=False, kw_only=True)
class HookedCalls:
    """`dialer.marks.hub.Calls`."""

    register: OpenAttempts
    switches: CallSwitches
    numbering: Numbering
    store: ApplicationStore
    limits: SecondLegs
    clock: IReactorTime

    def has(self, call_uuid: str) -> bool:
        """Whether it is this dialer's, until its end is stored."""
        return call_uuid in self.register.calls

    def lives(self, call_uuid: str) -> bool:
        """Whether it is this dialer's, and has not ended."""
        return self.register.owns(call_uuid)

    def channel(self, uuid: str, call_uuid: str, leg: str) -> GatedLegs[str]:
        """A channel of a call that lives. Raises `BadValue` for any other."""
        live, switch = self.register.find(call_uuid), self.switches.of(call_uuid)
        if live is None or switch is None:
            raise BadValue("uuid", f"{uuid} is not a call of this dialer")
        return GatedLegs(
            call=RemoteChannel(switch.ask_aside, uuid, leg),
            call_uuid=call_uuid,
            is_told=False,
            user_id=live.attempt.plan.campaign.user_id,
            campaign_id=live.attempt.plan.campaign.id,
            numbering=self.numbering,
            store=self.store,
            limits=self.limits,
            clock=self.clock,
        )

    def ask(self, function: str, arguments: str, call_uuid: str) -> Deferred[str]:
        """Run a function of the switch that has the call; of any that is there when it is "". Fails with `BadValue`,
        `SwitchUnavailable`, `CommandFailed`."""
        try:
            command = commands.api(function, arguments)
        except BadValue as error:
            return fail(error)
        return (self.switches.of(call_uuid) or self.switches.any()).ask_aside(command)


def observation(apps: Sequence[HookApp], hub: Callable[[], Hub | None]) -> Observation | None:
    """The events that the apps ask for; None when there are none. `hub` is asked once the switch is connected."""
    if not apps:
        return None

    def owns(uuid: str) -> bool:
        there = hub()
        return there is not None and there.owns(uuid)

    def tell(event: EslEvent) -> None:
        there = hub()
        if there is not None:
            there.event_received(event)

    kinds = frozenset().union(*(app.kinds for app in apps))
    return Observation(kinds=kinds, subclasses=frozenset().union(*(app.subclasses for app in apps)), owns=owns, tell=tell)


def new_hub(
    reactor: Any,
    apps: Sequence[HookApp],
    settings: HooksSettings,
    calls: HookedCalls,
    host: str,
    switched_off: Callable[[str, str], None],
) -> Hub | None:
    """The hub of the apps; None when there are none. `switched_off` is told which app is called no more, and why."""
    if not apps:
        return None
    from dialer.marks.hub import Hub

    return Hub(
        apps=tuple(apps),
        reactor=reactor,
        calls=calls,
        host=host,
        limits=hook_limits(settings),
        commands=settings.commands_per_second,
        secrets=frozenset({proof.VARIABLE}),
        monotonic=time.monotonic,
        tell=lambda _kind, app, reason: switched_off(app, reason),
    )


def hook_limits(settings: HooksSettings) -> HookLimits:
    """The limits of an app."""
    from dialer.marks.trouble import HookLimits

    return HookLimits(seconds=settings.time_limit, failures=settings.failures, queue=settings.queue)
