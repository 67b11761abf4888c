"""`originate`: from its line to calls, and from what becomes of them to its one-line answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from attrs import Factory, define

from dialer.simulator.callees import loopback_callee
from dialer.simulator.calls import Call
from dialer.simulator.channel import Action, CallTarget, Channel
from dialer.simulator.dialplan import steps
from dialer.simulator.dialstring import (
    USAGE,
    Arguments,
    Destination,
    Leg,
    Unparsable,
    leading_int,
    parse_arguments,
    parse_dial,
    parse_endpoint,
    parse_target,
)
from dialer.simulator.loopback import LoopbackCall
from dialer.simulator.switch import OUT_OF_ORDER, SimulatedSwitch

NO_NUMBER = "0000000000"  # the caller id of a call that was given none
# Names that the templates show themselves; a second header of that name would be no FreeSWITCH event.
SHOWN_ANYWAY = ("uuid", "call_uuid", "direction", "is_outbound", "session_id", "channel_name")

Answer = Callable[[str], None]


def originate(switch: SimulatedSwitch, line: str, answer: Answer) -> None:
    """Run an originate line; `answer` gets its output once it has succeeded or failed, perhaps at once."""
    switch.oracle.originated(switch.clock.now())
    arguments = parse_arguments(line)
    if arguments is None:
        answer(USAGE)
        return
    try:
        groups = parse_dial(arguments.dial)
    except Unparsable:
        switch.oracle.refused_by_switch("", switch.clock.now(), OUT_OF_ORDER)
        answer(f"-ERR {OUT_OF_ORDER}\n")
        return
    SimulatedOrigination(switch, arguments, groups, answer).next_group()


@define(eq=False)
class SimulatedOrigination:
    """An originate under way: groups of legs, tried in turn until a leg is taken."""

    switch: SimulatedSwitch
    arguments: Arguments
    groups: list[list[Leg]]
    answer: Answer
    calls: list[Call] = Factory(list)
    cause: str = OUT_OF_ORDER
    done: bool = False
    to_place: int = 0  # legs of the group that have not been dialled yet

    def next_group(self) -> None:
        """Dial the next group, or give up."""
        while not self.done and not self.calls:
            if not self.groups:
                self._finish(f"-ERR {self.cause}\n")
                return
            group = self.groups.pop(0)
            self.to_place = len(group)
            for leg in group:
                self.to_place -= 1
                if not self.done:
                    self._place(leg)

    # --- one leg ----------------------------------------------------------------------------------------------------------

    def _place(self, leg: Leg) -> None:
        switch = self.switch
        endpoint = parse_endpoint(leg.endpoint, switch.config.invalid_gateways, switch.config.gateways_down)
        variables = {name: value for name, value in leg.variables if value and "${" not in value}
        uuid = variables.get("origination_uuid") or switch.new_uuid()
        loopback = endpoint.family == "loopback-a"
        if endpoint.problem and not endpoint.session:
            self._refused(uuid, endpoint.problem)
            return
        if loopback and "mod_loopback" not in switch.config.modules:
            self._refused(uuid, "CHAN_NOT_IMPLEMENTED")
            return
        if uuid in switch.channels and not endpoint.name.startswith("sofia/"):
            uuid = switch.new_uuid()  # only mod_sofia asks for its session under that UUID; the others rename it, or do not
        if uuid in switch.channels or not switch.admit():
            self._refused(uuid, OUT_OF_ORDER)
            return
        callee = loopback_callee(endpoint.number) if loopback else None
        if callee is None and not endpoint.problem:
            callee = switch.config.plan.callee_for(endpoint.number, switch.rng)
        problem = endpoint.problem or (callee.no_channel if callee else "")
        if problem or callee is None:
            self._session_without_channel(uuid)
            self._refused(uuid, problem)
            return
        channel = self._channel(uuid, endpoint, variables)
        kind = LoopbackCall if loopback else Call
        call = kind(switch, channel, callee, progressed=self._progressed, answered=self._take, failed=self._failed)
        self.calls.append(call)
        timeout = leading_int(variables.get("originate_timeout", ""), self.arguments.timeout)
        self._run_commands_of(variables)
        call.dial()
        if channel.alive and not channel.answered:
            self._limit(call, variables, timeout)

    def _run_commands_of(self, variables: dict[str, str]) -> None:
        """The API commands that a channel asks for as soon as it is there, before it dials (switch_channel_api_on)."""
        for name, value in variables.items():
            if name.lower().startswith("api_on_originate"):
                command, _, argument = value.partition(" ")
                self.switch.api(command, argument)

    def _limit(self, call: Call, variables: dict[str, str], timeout: int) -> None:
        """originate_timeout counts whole clock seconds: it ends up to a second early."""
        now = self.switch.clock.now()
        for seconds in (timeout, leading_int(variables.get("leg_timeout", ""))):
            if seconds > 0:
                call.channel.later_call(seconds - now % 1, partial(self._expire, call))

    def _expire(self, call: Call) -> None:
        if not call.channel.answered and not call.taken:
            self.switch.hang_up(call.channel, "NO_ANSWER")

    def _channel(self, uuid: str, endpoint: Destination, variables: dict[str, str]) -> Channel:
        channel = Channel(self.switch, uuid, endpoint.family, endpoint.number, endpoint.name, variables)
        number = variables.get("origination_caller_id_number") or self.arguments.cid_number or NO_NUMBER
        name = variables.get("origination_caller_id_name") or self.arguments.cid_name
        slots = channel.slots
        for shown in SHOWN_ANYWAY:
            variables.pop(shown, None)
        display = f'"{name}" ' if name else ""
        gateway = endpoint.gateway
        for slot, value in (
            ("uuid", uuid),
            ("number", endpoint.number),
            ("channel_name", endpoint.name),
            ("cid_number", number),
            ("cid_name", name),
            ("gateway", gateway),
            ("profile", endpoint.profile),
            ("early", "false" if _true(variables.get("ignore_early_media", "")) else "true"),
            ("sip_url", f"sip:{endpoint.number}@{endpoint.host}"),
            ("sip_uri", f"{endpoint.number}@{endpoint.host}"),
            ("sip_host", endpoint.host),
            ("sip_from", f"{display}<sip:{number}@127.0.0.1>;tag={slots.templates.defaults['sip_from_tag']}"),
            ("sip_call_id", f"{uuid}@fs"),
            (
                "contact_uri",
                f"<sip:gw+{gateway}@127.0.0.1:5080;transport=udp;gw={gateway}>"
                if gateway
                else "<sip:mod_sofia@127.0.0.1:5080>",
            ),
        ):
            slots.put(slot, value)
        return channel

    def _session_without_channel(self, uuid: str) -> None:
        """The events of a session that never dialled (recording 10-json-invalid-gateway)."""
        channel = Channel(self.switch, uuid, "none", "", "N/A", {})
        for slot, value in (("uuid", uuid), ("channel_name", "N/A")):
            channel.slots.put(slot, value)
        self.switch.enter(channel)
        del self.switch.channels[uuid]
        channel.emit("CHANNEL_DESTROY")
        channel.emit_state("CS_DESTROY")

    # --- what becomes of the legs ---------------------------------------------------------------------------------------

    def _progressed(self, call: Call) -> None:
        if not _true(call.channel.originated.get("ignore_early_media", "")) and not self.done:
            self._take(call)

    def _take(self, call: Call) -> None:
        """A leg is there: the others lose the race, the dialplan begins."""
        if self.done:
            return
        call.taken = True
        for other in list(self.calls):
            if other is not call:
                other.taken = True
                self.switch.hang_up(other.channel, "LOSE_RACE")
        self._finish(f"+OK {call.channel.uuid}\n")
        channel = call.channel
        channel.emit_state("CS_EXECUTE")
        channel.runner.start(self._plan(channel))

    def _failed(self, call: Call, cause: str) -> None:
        self.cause = cause
        if call in self.calls:
            self.calls.remove(call)
        if not self.to_place:
            self.next_group()

    def _refused(self, call_uuid: str, cause: str) -> None:
        self.switch.oracle.refused_by_switch(call_uuid, self.switch.clock.now(), cause)
        self.cause = cause

    def _finish(self, output: str) -> None:
        if not self.done:
            self.done = True
            self.answer(output)

    def _plan(self, channel: Channel) -> Sequence[Action]:
        """The dialplan of the answered call."""
        arguments = self.arguments
        if arguments.target.startswith("&") and len(arguments.target) > 1:
            return [Action(*parse_target(arguments.target))]
        channel.route = CallTarget(arguments.target, arguments.dialplan, arguments.context)
        return steps(channel)


def _true(text: str) -> bool:
    """Whether FreeSWITCH takes it for true (switch_true)."""
    return text.lower() in ("yes", "on", "true", "t", "enabled", "active", "allow") or leading_int(text) > 0
