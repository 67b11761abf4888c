"""The diagnostics, in order: what is on this machine, what is in the database, then the switch.

A check that has nothing to stand on is left out: without a connection nothing is said about the switch but that.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from attrs import define, evolve, field

from dialer.config import secret_files
from dialer.doctor import database, judgements, local, loopback_check, ports, records, sounds
from dialer.doctor.connection import SwitchConnection
from dialer.doctor.database import State, dialling_process, read_state
from dialer.doctor.diagnosis import Diagnosis, Level, failure, ok, warning
from dialer.doctor.record_keeping import judge_keeping
from dialer.errors import AddressRefused, AuthenticationFailed, BadValue, CommandFailed, DialerError
from dialer.freeswitch.content import known_modules, missing_modules
from dialer.interfaces import Now
from dialer.model import Gateway, VoipAppType
from dialer.open_files import files_needed
from dialer.settings import Config, SwitchSettings
from dialer.store.connection import Dialect
from dialer.store.location import absolute_url, dialect_of, shown, sqlite_path

OLDEST = (1, 10)
TRIED = "1.10.12 and 1.11.2"
CLOCK_TOLERANCE = 2.0
"""Seconds. The dialer allows for any difference; people who compare logs do not."""
TALKERS = "speak"
ALWAYS = frozenset({"marks", "away"})
"""What every installation needs of the modules that it can do without."""


@define(eq=False)
class Diagnostics:
    """Of the installation that `config`, read from the file `path`, describes; of several switches, each is looked at, and its
    findings begin with its name. `patience` are the seconds that a switch may take for anything."""

    reactor: Any
    config: Config
    path: Path
    now: Now
    new_id: Callable[[], str]
    patience: float = loopback_check.PATIENCE
    findings: list[Diagnosis] = field(factory=list, init=False)
    _state: State | None = field(default=None, init=False)
    _taken: set[str] = field(factory=set, init=False)
    """Settings that name a port of somebody else's."""
    _switch: SwitchConnection = field(init=False)
    _about: str = field(default="", init=False)
    """How what is said of the switch begins."""
    _cores: dict[str, str] = field(factory=dict, init=False)
    """The names of switches by their processes."""

    async def run(self) -> list[Diagnosis]:
        """All findings, in order."""
        await self._look_at_machine()
        if not self.config.switch:
            self._say(ok("switch", "the built-in simulator stands in for it: nothing to look at"))
            return self.findings
        for switch in self.config.switch:
            self._about = f"{switch.name}: " if len(self.config.switch) > 1 else ""
            await self._look_at_switch(switch)
        return self.findings

    async def _look_at_switch(self, switch: SwitchSettings) -> None:
        self._switch = SwitchConnection(self.reactor, switch, self.now, self.patience)
        if self._state is not None:
            self._say(*judgements.judge_names(switch.gateways, self._state.names))
        if switch.drain:
            said = "drain = true in its section of the configuration: no calls are begun on it"
            self._say(warning("switch", said, "take it out, and send SIGHUP, once calls are to be begun again"))
        if await self._enter(switch):
            try:
                for check, look in self._looks(switch):
                    await self._try(check, look)
            finally:
                self._switch.close()

    def _say(self, *findings: Diagnosis) -> None:
        self.findings += [evolve(finding, text=self._about + finding.text) for finding in findings]

    # --- this machine -----------------------------------------------------------------------------------------------------

    async def _look_at_machine(self) -> None:
        for path in [self.path, *secret_files(self.path)]:
            self._say(local.look_at_permissions(path))
        try:
            url = absolute_url(self.config.database.url, self.path.absolute().parent)
            where = shown(url)
        except BadValue as error:
            self._say(failure("database", str(error), "see database.url"))
            return
        file = sqlite_path(url) if dialect_of(url) is Dialect.SQLITE else None
        process = None if file is None else dialling_process(file)
        name, host = self.config.node.name or socket.gethostname(), socket.gethostname()
        try:
            self._state = await read_state(url, self.reactor, self.now)
        except DialerError as error:
            self._say(failure("database", str(error), "dialer upgrade, when the schema is old; see database.url"))
        else:
            if self._state.server is None:
                at_work = f"; the dialer of process {process} is at work" if process else ""
                self._say(ok("database", f"{where} opens and has the newest schema{at_work}"))
            else:
                self._say(*database.judge(self._state.server, where, name, host))
                process = database.process_of(self._state.server.nodes, name, host)
        if self._state is not None:
            self._say(*database.judge_drains(self._state.drains))
            self._say(judge_keeping(self._state.oldest_record, self.config.records.keep))
        if file is not None:
            self._say(local.look_at_disk(file.parent))
        self._say(local.look_at_files(files_needed(self.config), process))
        for door in ports.doors(self.config):
            finding = await ports.look(self.reactor, door, process)
            if finding.level is not Level.OK:
                self._taken.add(door.setting)
            self._say(finding)

    # --- the switch -------------------------------------------------------------------------------------------------------

    async def _enter(self, switch: SwitchSettings) -> bool:
        name = f"{switch.host}:{switch.port}"
        reached = ok("switch", f"an Event Socket answers at {name}")
        try:
            await self._switch.open()
        except AddressRefused as error:
            self._say(reached, failure("address", str(error), "see apply-inbound-acl in event_socket.conf.xml"))
        except AuthenticationFailed as error:
            advice = "make switch.password and password in event_socket.conf.xml the same, then reload mod_event_socket"
            self._say(reached, failure("password", str(error), advice))
        except DialerError as error:
            reason = getattr(error, "reason", str(error))
            advice = (
                "start FreeSWITCH, load mod_event_socket, and compare switch.host and switch.port with event_socket.conf.xml"
            )
            self._say(failure("switch", f"{name}: {reason}", advice))
        else:
            self._say(reached, local.judge_password(switch.password))
            return True
        return False

    def _looks(self, switch: SwitchSettings) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        looks: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("switch", lambda: self._look_at_process(switch)),
            ("version", self._look_at_version),
            ("modules", self._look_at_modules),
            ("clock", self._look_at_clock),
            (judgements.SESSIONS, lambda: self._look_at_sessions(switch)),
        ]
        if not self.config.outbound.inline:
            looks.append((judgements.DIALPLAN, self._look_at_dialplan))
        looks += [
            ("outbound", self._check_outbound),
            (judgements.GATEWAYS, lambda: self._look_at_gateways(switch)),
            (sounds.CHECK, self._look_at_sounds),
            (records.CHECK, lambda: self._look_at_records(switch)),
        ]
        return looks

    async def _try(self, check: str, look: Callable[[], Awaitable[None]]) -> None:
        try:
            await look()
        except DialerError as error:
            self._say(failure(check, str(error), "see the switch's log, and try again"))

    async def _look_at_process(self, switch: SwitchSettings) -> None:
        """Two sections that lead to one FreeSWITCH would give it twice the calls that each of them allows."""
        core = (await self._switch.ask("global_getvar", "core_uuid")).strip()
        if core and core in self._cores:
            text = f"it is the same FreeSWITCH as {self._cores[core]}"
            self._say(failure("switch", text, "take one of the two out: a [[switch]] is one FreeSWITCH"))
        self._cores[core] = switch.name

    async def _look_at_version(self) -> None:
        said = (await self._switch.ask("version", "short")).strip()
        found = re.match(r"(\d+)\.(\d+)", said)
        if found is None:
            self._say(warning("version", f"the switch does not tell its version ({said[:40]})", f"tried are {TRIED}"))
        elif (int(found[1]), int(found[2])) < OLDEST:
            self._say(warning("version", f"FreeSWITCH {said} is old", f"tried are {TRIED}"))
        else:
            self._say(ok("version", f"FreeSWITCH {said}"))

    async def _look_at_modules(self) -> None:
        modules = known_modules()
        loaded = {one.name for one in modules if (await self._switch.ask("module_exists", one.name)).strip() == "true"}
        missing = missing_modules(loaded, self._needs())
        for module in missing:
            level = warning if module.need in {TALKERS, *ALWAYS} else failure
            text = f"{module.name} is not loaded: {module.purpose}"
            self._say(level("modules", text, f"load {module.name}, and add it to modules.conf.xml"))
        if not missing:
            self._say(ok("modules", f"{len(loaded)} modules that the dialer uses are loaded"))

    def _needs(self) -> set[str]:
        if self._state is None:
            return set(ALWAYS)
        needs = set(ALWAYS) | {"sip" for gateway in self._state.gateways if gateway.address.startswith("sofia/")}
        kinds = {VoipAppType.CONFERENCE: "conference", VoipAppType.SPEAK: TALKERS}
        return needs | {kinds[kind] for kind in self._state.apps if kind in kinds}

    async def _look_at_clock(self) -> None:
        try:
            seconds = (await self._switch.offset()).total_seconds()
        except CommandFailed:
            self._say(failure("clock", "the switch does not tell its time (strmicroepoch)", "load mod_dptools"))
            return
        if abs(seconds) > CLOCK_TOLERANCE:
            which = "ahead of" if seconds > 0 else "behind"
            text = f"the switch's clock is {abs(seconds):.1f} seconds {which} ours"
            self._say(warning("clock", text, "set both (NTP); the dialer allows for it, but the two logs do not agree"))
        else:
            self._say(ok("clock", f"the switch's clock and ours differ by {abs(seconds):.3f} seconds"))

    async def _look_at_sessions(self, switch: SwitchSettings) -> None:
        per_second = judgements.limit_in(await self._switch.ask("fsctl", "sps"))
        most = judgements.limit_in(await self._switch.ask("fsctl", "max_sessions"))
        campaigns = self._state.campaigns if self._state else ()
        self._say(judgements.judge_sessions(per_second, most, switch.calls_per_second, campaigns))
        if self._state is not None:
            self._say(judgements.judge_pace(self.config.calls_per_second, campaigns))

    async def _look_at_dialplan(self) -> None:
        located = await self._switch.ask("xml_locate", f"dialplan context name {judgements.CONTEXT}")
        self._say(judgements.judge_context(located, loopback_check.running_address(self.config.outbound)))

    async def _check_outbound(self) -> None:
        account = f"dialer-{self._state.installation if self._state else 'doctor'}"
        settings = self.config.outbound
        check = loopback_check.LoopbackCheck(
            self.reactor,
            self._switch,
            settings,
            account,
            self.new_id,
            self.now,
            self.patience,
            taken="outbound.endpoint" in self._taken,
        )
        self._say(*await check.run())

    async def _look_at_gateways(self, switch: SwitchSettings) -> None:
        entries = [] if self._state is None else [one for one in self._state.gateways if _has(switch, one)]
        for gateway in entries:
            example = judgements.judge_example(gateway)
            if example is not None:
                self._say(example)
                continue
            route = judgements.route_of(gateway.address)
            if route is None:
                self._say(ok(judgements.GATEWAYS, f"{gateway.name}: not SIP, nothing to look at"))
            else:
                status = await self._switch.ask("sofia", route.question)
                self._say(judgements.judge_route(gateway.name, route, status))
        if self._state is not None and not entries:
            self._say(warning(judgements.GATEWAYS, "there is no active gateway", "dialer gateway add, or set --status active"))

    async def _look_at_sounds(self) -> None:
        if self._state is not None:
            self._say(*await sounds.look(self._switch.ask, self._state.campaigns, self.config.apps))

    async def _look_at_records(self, switch: SwitchSettings) -> None:
        loaded = (await self._switch.ask("module_exists", "mod_json_cdr")).strip() == "true"
        located = await self._switch.ask("xml_locate", "configuration configuration name json_cdr.conf")
        judged = records.judge_configuration(loaded, located)
        if isinstance(judged, Diagnosis):
            self._say(judged)
            return
        for url, credentials in judged:
            self._say(await records.try_url(self.reactor, switch.host, url, credentials))


def _has(switch: SwitchSettings, gateway: Gateway) -> bool:
    return not switch.gateways or gateway.name in switch.gateways
