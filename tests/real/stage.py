"""Where a campaign is called on a real FreeSWITCH: a database, SIPp's callees, one or two dialers.

The environment says what there is; without DIALER_FREESWITCH_CALLEES these tests are left out:

- DIALER_FREESWITCH=host:port:password: the Event Socket of a FreeSWITCH on this machine that nobody else uses meanwhile, with
  the dialplan context `dialer` (`dialer freeswitch install`);
- DIALER_FREESWITCH_CALLEES=address:port: where SIPp (`sipp` on PATH) is started for each test;
- DIALER_FREESWITCH_CALLEES_DIAL: the dial string that leads there, `sofia/external/{number}@address:port` when it is not
  given. Best with a SIP profile in which `outbound-use-uuid-as-callid` is true: then the callees' log names the attempts;
- DIALER_FREESWITCH_PID_FILE and DIALER_FREESWITCH_RESTART: the file with its process id, and a shell command that starts it
  and returns once calls can be made, for the tests that kill it;
- DIALER_FREESWITCH_RECORDS=address:port:password:folder: where its mod_json_cdr posts records (user `freeswitch`), and its
  err-log-dir, for the tests of these;
- DIALER_FREESWITCH_SEED: of the moments at which something is killed, 1 when it is not given.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from attrs import Factory, define, field, frozen

from tests.harness.called_side import SeenCall
from tests.harness.campaign import StoredAttempt
from tests.harness.dialer_log import ADOPTED, CONNECTED, correction, corrections, errors
from tests.harness.judge import CLOCK, FINISHED, Broken, Evidence, Kind, judge
from tests.harness.node import START, Node
from tests.real.callees import Callees
from tests.real.campaign import PlayedCampaign, Rules
from tests.real.node import node_for
from tests.real.switch import RealSwitch

FINISH = 240.0
"""Seconds in which every contact is finished, the graces after kills included."""

KNOWN_WITHIN, RESUMED_WITHIN = 2.0, 5.0
"""Seconds after the connection to the switch in which living calls are known again, and other contacts are dialled."""


def needs(*names: str) -> pytest.MarkDecorator:
    """Leaves a test out, with the reason, unless the environment has these."""
    wanted = ["DIALER_FREESWITCH", *(f"DIALER_FREESWITCH_{name}" for name in names)]
    missing = [name for name in wanted if not os.environ.get(name)]
    return pytest.mark.skipif(bool(missing), reason=f"tests/real/stage.py tells what is needed; not set: {', '.join(missing)}")


@frozen
class Recovery:
    """Seconds after a connection to the switch: until the last living call was known again, None when there was none; and
    until somebody was called whose turn had not come before, None when nobody was left or the connection did not last."""

    adopted: float | None
    resumed: float | None


@define(eq=False)
class Stage:
    """A run on the database at `url`; a context manager, after which nothing of it is left running."""

    folder: Path
    url: str
    rules: Rules = Factory(Rules)
    rng: random.Random = field(init=False)
    switch: RealSwitch = field(factory=RealSwitch.from_environment, init=False)
    callees: Callees = field(init=False)
    campaign: PlayedCampaign = field(init=False)
    nodes: list[Node] = field(factory=list, init=False)
    _stack: ExitStack = field(factory=ExitStack, init=False)

    def __attrs_post_init__(self) -> None:
        self.rng = random.Random(int(os.environ.get("DIALER_FREESWITCH_SEED", "1")))
        address = os.environ["DIALER_FREESWITCH_CALLEES"]
        host, _, port = address.partition(":")
        self.callees = Callees(host, int(port), self.folder)
        dial = os.environ.get("DIALER_FREESWITCH_CALLEES_DIAL", f"sofia/external/{{number}}@{address}")
        self.campaign = PlayedCampaign.create(self.url, dial, self.rules)

    def __enter__(self) -> Stage:
        self._stack.enter_context(self.callees)
        self._stack.callback(self._clean)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _clean(self) -> None:
        for node in self.nodes:
            if node.alive:
                node.kill()
        for channel in self.switch.channels(self.campaign.account_code):
            self.switch.ask(f"uuid_kill {channel}")

    def node(self, name: str = "a", port: int = 0, **more: Any) -> Node:
        """A new dialer, which is not started; it reaches the switch on its own port, or on another one of this machine."""
        node = node_for(self.switch, name, self.folder, self.url, port or self.switch.port, **more)
        self.nodes.append(node)
        return node

    # --- waiting ----------------------------------------------------------------------------------------------------------

    def wait(self, least: float, most: float) -> None:
        """Let time pass, chosen between these seconds."""
        time.sleep(self.rng.uniform(least, most))

    def until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait until `condition` holds; `what` is so when it does not in time."""
        until = time.monotonic() + seconds
        while not condition():
            dead = [node.name for node in self.nodes if node.died_by_itself()]
            assert not dead, f"nodes {dead} died by themselves; {[node.last_words() for node in self.nodes]}"
            assert time.monotonic() < until, f"after {seconds:g} s, {what}; {[node.last_words() for node in self.nodes]}"
            time.sleep(0.02)

    def until_ready(self, *nodes: Node) -> None:
        """Wait until these nodes serve."""
        for node in nodes:
            self.until(node.is_ready, START, f"node {node.name} is not ready")

    def until_calling(self, *nodes: Node) -> None:
        """Wait until these nodes have begun another attempt: they are connected."""
        for node in nodes:
            began = self._begun_by(node)
            self.until(lambda node=node, began=began: self._begun_by(node) > began, START, f"{node.name} is not calling")

    def _begun_by(self, node: Node) -> int:
        return self.campaign.count(f"attempt WHERE owner = '{node.name}'")

    def until_finished(self) -> None:
        """Wait until every contact is finished."""
        open_ones = f"subscriber WHERE status NOT IN ({', '.join(str(int(status)) for status in FINISHED)})"
        self.until(lambda: not self.campaign.count(open_ones), FINISH, "contacts are not finished")

    # --- the end ----------------------------------------------------------------------------------------------------------

    def settle(self) -> list[Broken]:
        """Let every contact be finished, stop, and judge: what was broken."""
        self.until_finished()
        said = [f"node {node.name} stopped with status {node.stop()}" for node in self.nodes if node.alive]
        said = [text for text in said if not text.endswith(" 0")]
        # The callees may hear of the end of a call later than the dialer.
        self.until(lambda: None not in [call.ended_at for call in self.evidence().calls], 5.0, "calls have no end")
        left = self.switch.channels(self.campaign.account_code)
        said += [f"the channel {uuid} is left on the switch" for uuid in left]
        audit = self.nodes[0].command("check")
        said += [f"dialer check: {audit.stdout}{audit.stderr}"] if audit.returncode else []
        said += [f"node {node.name} logged {text}" for node in self.nodes for text in errors(node.log())]
        return [*(Broken(Kind.OTHER, text) for text in said), *judge(self.evidence())]

    def evidence(self) -> Evidence:
        """What is known now. A call is that of the attempt which its Call-ID names, where the SIP profile takes the channel's
        UUID for it (`outbound-use-uuid-as-callid`); else of the one that was open to the number at that moment. Its end is
        its own, or that of FreeSWITCH."""
        attempts, calls = self.campaign.attempts(), self.callees.calls()
        known = {attempt.uuid for attempt in attempts}
        by_call_id = any(call.uuid in known for call in calls)
        for call in calls:
            if not by_call_id:
                call.uuid = next((one.uuid for one in attempts if _is_open(one, call)), call.uuid)
            ends = [at for at in self.switch.deaths if at >= call.invited_at]
            call.ended_at = min([*ends, *([] if call.ended_at is None else [call.ended_at])], default=None)
        return Evidence(
            rules=self.rules,
            calls=calls,
            attempts=attempts,
            contacts=self.campaign.contacts(),
            expected=self.rules.contacts,
            deaths=self.switch.deaths,
        )

    # --- figures ----------------------------------------------------------------------------------------------------------

    def figures(self) -> Mapping[str, object]:
        """What the run was worth."""
        evidence = self.evidence()
        lines = [line for node in self.nodes for line in node.log()]
        recoveries = [one for node in self.nodes for one in self.recoveries(node)]
        return {
            "attempts": len(evidence.attempts),
            "invites": len(evidence.calls),
            "rings": sum(call.rang for call in evidence.calls),
            "answered": sum(call.answered_at is not None for call in evidence.calls),
            "kills": sum(life.killed for node in self.nodes for life in node.lives),
            "deaths of FreeSWITCH": len(self.switch.deaths),
            "corrections": dict(corrections(lines)),
            "causes": dict(Counter(attempt.cause or "open" for attempt in evidence.attempts)),
            "slowest adoption": max((one.adopted for one in recoveries if one.adopted is not None), default=None),
            "slowest resumption": max((one.resumed for one in recoveries if one.resumed is not None), default=None),
        }

    def recoveries(self, node: Node) -> Iterator[Recovery]:
        """One for each connection of a node to the switch. Calls of another node that it has taken over do not count."""
        evidence = self.evidence()
        invited = {call.uuid: call.invited_at for call in evidence.calls}
        first = {attempt.number: attempt for attempt in reversed(evidence.attempts)}.values()
        lines = node.log()
        connections = [line.at for line in lines if line.text.startswith(CONNECTED)]
        ends = [*connections, *self.switch.deaths, *(life.ended_at for life in node.lives if life.ended_at is not None)]
        for at in connections:
            until = min((end for end in ends if end > at), default=float("inf"))
            since = [line for line in lines if at <= line.at < until]
            rescued = {line.fields["call"] for line in since if correction(line) == "rescued"}
            found = [line for line in since if correction(line).startswith(ADOPTED)]
            adopted = [line.at - at for line in found if line.fields["call"] not in rescued]
            called = [invited[one.uuid] - at for one in first if one.planned_at > at and invited.get(one.uuid, until) < until]
            left = any(one.planned_at > at for one in first)
            resumed = min(called, default=until - at if left and until - at > RESUMED_WITHIN else None)
            yield Recovery(max(adopted, default=None), resumed)


def _is_open(attempt: StoredAttempt, call: SeenCall) -> bool:
    ended_at = call.invited_at if attempt.ended_at is None else attempt.ended_at
    return attempt.number == call.number and attempt.planned_at - CLOCK <= call.invited_at <= ended_at + CLOCK
