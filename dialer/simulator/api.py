"""The API commands that the simulator knows, with the answers of a FreeSWITCH (recordings 01, 30, 36, 54)."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field

from dialer.simulator import listing
from dialer.simulator.applications import NO_SUCH, room_command, schedule_hangup
from dialer.simulator.causes import named
from dialer.simulator.channel import Action, Channel
from dialer.simulator.clock import duration, stamp
from dialer.simulator.dialstring import leading_int, separate
from dialer.simulator.expansion import cond
from dialer.simulator.hash import hash_command
from dialer.simulator.installed import Installed
from dialer.simulator.originate import originate
from dialer.simulator.switch import SimulatedSwitch

Output = Callable[[str], None]
HASH = "mod_hash"
NO_CHANNEL = "-ERR No such channel!\n"


class Refused(Exception):
    """A command ends with this output."""


FSCTL = (
    "[api_expansion [on|off]|recover|send_sighup|hupall|pause [inbound|outbound]|resume [inbound|outbound]"
    "|shutdown [cancel|elegant|asap|now|restart]|sps|sps_peak_reset|sync_clock|sync_clock_when_idle|reclaim_mem|max_sessions"
    "|min_dtmf_duration [num]|max_dtmf_duration [num]|default_dtmf_duration [num]|min_idle_cpu|loglevel [level]"
    "|debug_level [level]|mdns_resolve [enable|disable]]"
)
SHOW = (
    "codec|endpoint|application|api|dialplan|file|timer|calls [count]|channels [count|like <match string>]"
    "|calls|detailed_calls|bridged_calls|detailed_bridged_calls|aliases|complete|chat|management|modules|nat_map|say|interfaces|interface_types"
    "|tasks|limits|status"
)
ASKED_TO_STOP = 0.5  # seconds between `fsctl shutdown` and the SHUTDOWN event (recording 43)


@define(eq=False)
class SwitchApi:
    """Runs API commands on a switch. `installed` is how it is set up; `shutdown` is what `fsctl shutdown` does to the whole
    simulator."""

    switch: SimulatedSwitch = field(init=False)
    shutdown: Callable[[], None]
    installed: Installed
    _commands: dict[str, Callable[[str], str]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._commands = {
            **self.installed.commands(),
            "cond": cond,
            "conference": lambda text: room_command(self.switch.rooms, text),
            "create_uuid": lambda _: self.switch.new_uuid(),
            "echo": lambda text: text,
            "eval": lambda text: self.switch.expanded(text),
            "file_exists": lambda text: "false" if NO_SUCH in text else "true",
            "fsctl": self.fsctl,
            "global_getvar": self.global_getvar,
            "global_setvar": self.global_setvar,
            "hash": lambda text: hash_command(self.switch.hash, text),
            "hostname": lambda _: "fs",
            "hupall": self.hupall,
            "limit_usage": lambda _: "0",
            "reloadxml": lambda _: "+OK [Success]\n",
            "sched_hangup": self.sched_hangup,
            "show": self.show,
            "status": self.status,
            "strepoch": lambda _: str(int(self.switch.clock.now())),
            "strftime": lambda _: stamp(self.switch.clock.micros()),
            "strmicroepoch": lambda _: str(self.switch.clock.micros()),
            "uptime": lambda _: f"{int(self.switch.clock.now() - self.switch.started)}\n",
            "uuid_break": self.uuid_break,
            "uuid_answer": self.uuid_known,
            "uuid_broadcast": self.uuid_broadcast,
            "uuid_dump": self.uuid_dump,
            "uuid_exists": lambda text: "true" if text in self.switch.channels else "false",
            "uuid_getvar": self.uuid_getvar,
            "uuid_kill": self.uuid_kill,
            "uuid_park": self.uuid_known,
            "uuid_recv_dtmf": self.uuid_recv_dtmf,
            "uuid_send_dtmf": self.uuid_known,
            "uuid_setvar": self.uuid_setvar,
            "version": self.version,
        }
        if HASH not in self.installed.config.modules:
            del self._commands["hash"]

    def run(self, command: str, argument: str, output: Output) -> None:
        """Run a command; `output` gets what it says: at once, except for `originate`."""
        argument = argument.strip(" ")
        if command == "originate":
            originate(self.switch, argument, output)
        elif command == "expand":
            self._expand(argument, output)
        elif command in self._commands:
            output(self.result(command, argument))
        else:
            output(f"-ERR {command} Command not found!\n")

    def result(self, command: str, argument: str) -> str:
        """The output of a command that ends at once; "" for one that does not or is unknown."""
        function = self._commands.get(command)
        try:
            return function(argument.strip(" ")) if function else ""
        except Refused as refused:
            return str(refused)

    def _expand(self, text: str, output: Output) -> None:
        command, _, argument = text.partition(" ")
        if not command:
            output("-ERR No input\n")
        elif command in self._commands or command in ("originate", "expand"):
            self.run(command, self.switch.expanded(argument), output)
        else:
            output("INVALID COMMAND!\n-ERR Cannot execute command\n")

    # --- channels ---------------------------------------------------------------------------------------------------------

    def _channel(self, uuid: str, usage: str) -> Channel:
        """The channel of that UUID, "" when a command has too few words. Raises `Refused`, with the usage for that."""
        if not uuid:
            raise Refused(f"-USAGE: {usage}\n")
        if uuid not in self.switch.channels:
            raise Refused(NO_CHANNEL)
        return self.switch.channels[uuid]

    def uuid_kill(self, text: str) -> str:
        """UUID [CAUSE]."""
        uuid, _, cause = text.partition(" ")
        self.switch.hang_up(self._channel(uuid, "<uuid> [cause]"), named(cause) or "NORMAL_CLEARING")
        return "+OK\n"

    def sched_hangup(self, text: str) -> str:
        """[+]SECONDS UUID [CAUSE]: end the call then (sched_hangup_function of mod_commands.c)."""
        when, _, rest = text.partition(" ")
        uuid, _, cause = rest.partition(" ")
        schedule_hangup(self._channel(uuid, "[+]<time> <uuid> [<cause>]"), f"{when} {cause}".strip(" "))
        return "+OK\n"

    def hupall(self, text: str) -> str:
        """[CAUSE [VARIABLE VALUE]...]: hang up every channel whose variables match all."""
        words = separate(text, " ", 11) if text else []
        cause = (named(words[0]) or "NORMAL_CLEARING") if words else "MANAGER_REQUEST"
        pairs = list(zip(words[1::2], words[2::2], strict=False))
        for channel in list(self.switch.channels.values()):
            if all(channel.variable(name) == value for name, value in pairs):
                self.switch.hang_up(channel, cause)
        if not pairs:
            return f"+OK hangup all channels with cause {cause}\n"
        more = "..." if len(pairs) > 1 else ""
        return f"+OK hangup all channels matching [{pairs[0][0]}]=[{pairs[0][1]}]{more} with cause: {cause}\n"

    def uuid_break(self, text: str) -> str:
        """UUID [all]: end what is playing."""
        channel = self.switch.channels.get(text.partition(" ")[0])
        if channel is not None:
            channel.runner.break_off()
        return self.uuid_known(text)

    def uuid_broadcast(self, text: str) -> str:
        """UUID APPLICATION::ARGUMENT [LEG]: run an application on the channel, or play a path (switch_ivr_broadcast). Of the
        other leg nothing is known here."""
        words = separate(text, " ", 4)
        channel = self.switch.channels.get(words[0]) if words else None
        if channel is None:
            return "-ERR invalid uuid\n"
        application, colons, argument = (words[1] if len(words) > 1 else "").partition("::")
        if not colons:
            application, argument = "playback", application
        if application in channel.runner.applications and (len(words) < 3 or words[2] != "bleg"):
            channel.runner.send(Action(application, argument, locked=True))
        return "+OK Message sent\n"

    def uuid_known(self, text: str, unknown: str = NO_CHANNEL) -> str:
        """A command of no effect here, for a channel that exists."""
        return "+OK\n" if text.partition(" ")[0] in self.switch.channels else unknown

    def uuid_getvar(self, text: str) -> str:
        """UUID VARIABLE."""
        words = separate(text, " ", 4)
        value = self._channel(words[0] if len(words) > 1 else "", "<uuid> <var>").variable(words[1])
        return "_undef_" if value is None else value

    def uuid_setvar(self, text: str) -> str:
        """UUID VARIABLE [VALUE]."""
        words = text.split(" ", 2)
        channel = self._channel(words[0] if len(words) > 1 else "", "<uuid> <var> [value]")
        channel.set_variable(words[1], words[2] if len(words) > 2 else "")
        return "+OK\n"

    def uuid_dump(self, text: str) -> str:
        """UUID [FORMAT]."""
        uuid, _, form = text.partition(" ")
        return listing.dump(self._channel(uuid, "<uuid> [format]"), form)

    def uuid_recv_dtmf(self, text: str) -> str:
        """UUID DIGITS: as if the callee had typed them."""
        uuid, _, digits = text.partition(" ")
        channel = self.switch.channels.get(uuid)
        if not digits or channel is None:
            return "-ERR Operation failed\n" if digits else "-USAGE: <uuid> <dtmf_data>\n"
        self.switch.type_digits(channel, digits.partition("@")[0])
        return f"+OK {uuid} received DTMF {digits}.\n"

    def show(self, text: str) -> str:
        """channels | calls [count] [as json]."""
        words = text.split(" ")
        if words[0] not in ("channels", "calls"):
            return f"-USAGE: {SHOW}\n"
        as_json = words[-2:] == ["as", "json"]
        return listing.show(self.switch.listed(), words[0], as_json=as_json, count="count" in words)

    # --- the switch -------------------------------------------------------------------------------------------------------

    def status(self, _: str) -> str:
        """How it is."""
        switch = self.switch
        return (
            f"UP {duration(switch.clock.now() - switch.started)}\n"
            f"FreeSWITCH (Version {switch.config.version}  64bit) is ready\n"
            f"{switch.sessions} session(s) since startup\n"
            f"{len(switch.channels)} session(s) - peak {switch.peak}, last 5min {switch.peak} \n"
            f"{switch.last_sps} session(s) per Sec out of max {switch.sps}, peak {switch.peak_sps},"
            f" last 5min {switch.peak_sps} \n"
            f"{switch.max_sessions} session(s) max\nmin idle cpu 0.00/97.13\nCurrent Stack Size/Max 240K/240K\n"
        )

    def version(self, text: str) -> str:
        """[short]."""
        if "short" in text:
            return self.switch.config.version.partition("-")[0] + "\n"
        return f"FreeSWITCH Version {self.switch.config.version}~64bit ( 64bit)\n"

    def global_getvar(self, name: str) -> str:
        """One variable, or all."""
        if not name:
            return "".join(f"{key}={value}\n" for key, value in self.switch.globals.items())
        return self.switch.globals.get(name, "")

    def global_setvar(self, text: str) -> str:
        """NAME=VALUE."""
        name, _, value = text.partition("=")
        self.switch.globals[name] = value
        return "+OK"

    def fsctl(self, text: str) -> str:
        """Limits, pause, shutdown."""
        if not text:
            return f"-USAGE: {FSCTL}\n"
        verb, _, value = text.partition(" ")
        switch = self.switch
        if verb == "sps":
            switch.sps = leading_int(value) or switch.sps
            return f"+OK sessions per second: {switch.sps}\n"
        if verb == "max_sessions":
            switch.max_sessions = leading_int(value) or switch.max_sessions
            return f"+OK max sessions: {switch.max_sessions}\n"
        if verb == "last_sps":
            return f"+OK last sessions per second: {switch.last_sps}\n"
        if verb in ("pause", "resume"):
            switch.paused = verb == "pause"
            return "+OK\n"
        if verb == "pause_check":
            return "true" if switch.paused else "false"
        if verb == "hupall":
            self.hupall("")
            return "+OK\n"
        if verb == "shutdown":
            switch.clock.reactor.callLater(ASKED_TO_STOP, self.shutdown)
            return "+OK\n"
        return f"-ERR Invalid command\nUSAGE: fsctl {FSCTL}\n"
