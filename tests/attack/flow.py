"""The flow beside an attack: a campaign of 20 calls a second, a user who asks for things, the dialer's memory; and the judge
of all three."""

from __future__ import annotations

import http.client
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import Any, Final

from attrs import define, field, frozen

from dialer.model import CampaignStatus, Contact, VoipAppType
from tests.attack.attacks import CAMPAIGN, GUESSING, HOSTILE, HOSTILES_CAMPAIGN, TOGETHER
from tests.attack.hostile_switch import Between
from tests.attack.place import LOCAL, PASSWORD, Place, basic, opened
from tests.chaos.switch import Switch
from tests.grounds import rows
from tests.harness.campaign import seconds
from tests.seeding import Seeds
from tests.unit.api.world import cheap_hash

CALLS_PER_SECOND: Final = 20
OWNER: Final = "ann"
"""The user whose calls and requests nobody may disturb; its campaign has the id 1."""
ANSWERS: Final = ("--callee", "*=answers:ring=0.3,talk=forever")
"""Everybody answers, and stays until the voice application has ended."""
AUDIO: Final = "tone_stream://%(1000,0,440)"
HASH: Final = 68.0
"""MB that verifying one password takes by design (`dialer.accounts`), whoever guesses it; strangers have one thread for that.
The users here have cheap hashes, so that no login of theirs is taken for an attack."""
SILENCE: Final = 5.0
"""Seconds after which the dialer gives up a switch that says nothing."""
LONGEST_CALL: Final = 5.0
"""Seconds in which a call has ended: it rings for 0.3, the tone lasts for 1."""

QUIET: Final = 1.0
"""Seconds before an attack, in which is seen what requests take without one."""
BETWEEN: Final = 0.1
"""Seconds between two requests of the owner."""
PATIENCE: Final = 20.0
"""Seconds for what has to happen outside of what is measured."""


Attacker = AbstractContextManager[Counter[str]]
"""Attacks while it is open; what it gives tells afterwards what came of that."""


@frozen(kw_only=True)
class Limits:
    """`memory` and `kept` are MB during and after the attack, `wait` and `late` seconds; `missing` is the share of the calls
    that may be missing, which is what a stall of the machine costs. Of the longest wait before the attack, `noise` is the
    multiple by which requests may take longer."""

    memory: float = 50.0
    kept: float = 25.0
    back: float = 10.0
    wait: float = 0.25
    late: float = 1.0
    missing: float = 0.02
    noise: float = 0.0


@frozen(kw_only=True)
class Figures:
    """What was seen during an attack. Memory is in MB, before, at most, and after it; times are in seconds. `waits` are those
    of the owner, `quiet` before the attack; `statuses` are of the answers, `tally` is what the attacker counted."""

    name: str
    seconds: float
    due: int
    begun: int
    late: float
    answered: int
    unserved: int
    before: float
    most: float
    after: float
    waits: Sequence[float]
    quiet: Sequence[float]
    statuses: Counter[int]
    tally: Counter[str]
    complaints: Sequence[str] = ()

    def broken(self, limits: Limits, *, calls: bool = True) -> Iterator[str]:
        """Every broken promise; without `calls`, none about them."""
        memory = limits.memory + (HASH if GUESSING & set(self.name.split(TOGETHER)) else 0)
        if self.most - self.before > memory:
            yield f"memory grew by {self.most - self.before:.0f} MB, and {memory:.0f} are allowed"
        if self.after - self.before > limits.kept:
            yield f"{self.after - self.before:.0f} MB were kept afterwards, and {limits.kept:.0f} are allowed"
        wait = limits.wait + limits.noise * max(self.quiet)
        if max(self.waits) > wait:
            yield f"a request took {1000 * max(self.waits):.0f} ms, and {1000 * wait:.0f} are allowed"
        if set(self.statuses) != {200}:
            yield f"a user's requests were answered with {dict(self.statuses)}"
        if failed := {status: number for status, number in self.tally.items() if status == "500"}:
            yield f"the attacker's requests were answered with {failed}"
        yield from self.complaints
        if not calls:
            return
        if self.begun < self.due * (1 - limits.missing) - 1:
            yield f"{self.begun} calls were begun, and {self.due} were due"
        if self.late > limits.late:
            yield f"a call was begun {self.late:.2f} s after it was due, and {limits.late:.2f} are allowed"
        if self.unserved:
            yield f"{self.unserved} of {self.answered} answered callees had no session"

    def line(self) -> str:
        """For people."""
        done = ", ".join(f"{name} {number}" for name, number in sorted(self.tally.items()))
        return (
            f"{self.name}: {self.begun} of {self.due} calls, {1000 * self.late:.0f} ms late at most, {self.unserved} of "
            f"{self.answered} without a session; memory {self.before:.0f} MB, {self.most - self.before:+.0f} in the attack, "
            f"{self.after - self.before:+.0f} after it; a request took {1000 * median(self.waits):.0f} ms, at most "
            f"{1000 * max(self.waits):.0f}, and {1000 * max(self.quiet):.0f} before; attacker: {done}"
        )


@define(eq=False)
class Owner:
    """Asks for its campaign again and again, on a thread: in turn on a connection that is kept, and on a new one."""

    port: int
    times: list[float] = field(factory=list)
    statuses: Counter[int] = field(factory=Counter)
    _over: Event = field(factory=Event)

    def take(self) -> Sequence[float]:
        """The times so far, which are forgotten."""
        found, self.times = self.times, []
        return found

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Meanwhile."""
        thread = Thread(target=self._ask, name="owner", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join(PATIENCE)

    def _ask(self) -> None:
        with closing(http.client.HTTPConnection(LOCAL, self.port, timeout=PATIENCE)) as kept:
            while not self._over.wait(BETWEEN):
                self._one(kept)
                with closing(http.client.HTTPConnection(LOCAL, self.port, timeout=PATIENCE)) as new:
                    self._one(new)

    def _one(self, connection: http.client.HTTPConnection) -> None:
        began = time.monotonic()
        try:
            connection.request("GET", f"{CAMPAIGN}1/", headers={"Authorization": basic(OWNER)})
            answer = connection.getresponse()
            answer.read()
            self.statuses[answer.status] += 1
        except (OSError, http.client.HTTPException):
            self.statuses[0] += 1
            connection.close()
        self.times.append(time.monotonic() - began)


@define(eq=False)
class Memory:
    """The dialer's resident memory, read on a thread; MB."""

    place: Place
    most: float = 0.0
    _over: Event = field(factory=Event)

    @contextmanager
    def watched(self) -> Iterator[Memory]:
        """Meanwhile."""
        thread = Thread(target=self._watch, name="memory", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            thread.join(PATIENCE)

    def _watch(self) -> None:
        while not self._over.wait(0.03):
            self.most = max(self.most, self.place.resident())


@define(eq=False)
class Stage:
    """The dialer with its switch, and calls under way."""

    place: Place
    switch: Switch
    between: Between

    def attacked(self, name: str, during: Attacker, length: float, limits: Limits) -> Figures:
        """What is seen while `during` is open for so many seconds, and after it."""
        owner, complaints = Owner(self.place.port("http")), len(self.place.complaints())
        with owner.asking():
            time.sleep(QUIET)
            quiet, before = owner.take(), self.place.resident()
            with Memory(self.place).watched() as memory, during as tally:
                began = time.time()
                time.sleep(length)
                ended = time.time()
            waits = owner.take()
        after = self.place.comes_back(before + limits.kept, limits.back)
        time.sleep(max(0.0, ended + LONGEST_CALL - time.time()))
        return Figures(
            name=name,
            seconds=length,
            **self._calls(began, ended),
            before=before,
            most=memory.most,
            after=after,
            waits=waits,
            quiet=quiet,
            statuses=owner.statuses,
            tally=tally,
            complaints=self.place.complaints()[complaints:],
        )

    def calls_go_on(self) -> None:
        """Wait for a call that begins from now on. Raises `AssertionError` when there is none."""
        began = time.time()
        _until(lambda: any(call.invited_at > began for call in self.switch.seen().calls), "no call is begun any more")

    def _calls(self, began: float, ended: float) -> Mapping[str, Any]:
        """Those that were due in that time: what the called side saw of them, and what is stored of their sessions. A call
        that is due in the last second may be invited later than that."""
        statement = "SELECT call_uuid, due_at, session FROM attempt WHERE campaign_id = 1"
        stored = {uuid: (seconds(due) or 0.0, session) for uuid, due, session in rows(self.place.url, statement)}
        due = {uuid: at for uuid, (at, _) in stored.items() if began <= at < ended}
        seen = {call.uuid: call for call in self.switch.seen().calls if call.uuid in due}
        answered = [uuid for uuid, call in seen.items() if call.answered_at is not None]
        return {
            "due": int(CALLS_PER_SECOND * (ended - began)),
            "begun": len(seen),
            "late": max((call.invited_at - due[uuid] for uuid, call in seen.items()), default=0.0),
            "answered": len(answered),
            "unserved": sum(stored[uuid][1] in ("", "{}") for uuid in answered),
        }


@contextmanager
def calling(folder: Path, length: float, *, campaigns: int = 0, contacts: int = 0, seed: int = 1) -> Iterator[Stage]:
    """A dialer that makes calls for `length` seconds and some more. The hostile user has so many campaigns without anybody to
    call, and one, which is paused, with so many contacts."""

    async def furnish(seeds: Seeds) -> None:
        gateway = await seeds.gateway(name="carrier", dial_string="sofia/gateway/carrier/{number}")
        app = await seeds.voip_app(name="message", type=VoipAppType.PLAY_AUDIO, data=AUDIO)
        for name in (OWNER, HOSTILE):
            user = await seeds.user(username=name, password_hash=cheap_hash(PASSWORD))
            await seeds.grant(user, (gateway,), (app,))
            frequency = 60 * CALLS_PER_SECOND
            details = await seeds.campaign(user, name=name, gateway_id=gateway, voip_app_id=app, frequency=frequency)
            number = contacts
            if name == OWNER:
                number = int(CALLS_PER_SECOND * (length + 60))
            else:
                assert details.campaign.id == HOSTILES_CAMPAIGN
                await seeds.set_campaign_status(details.campaign.id, CampaignStatus.PAUSE)
            some = (Contact(number=f"1555{user}{index:06d}") for index in range(number))
            await seeds.add(details.phonebooks[0].id, some)
        await seeds.user(username="admin", password_hash=cheap_hash(PASSWORD), is_superuser=True)
        for index in range(campaigns):
            await seeds.campaign(user, name=f"empty {index}", gateway_id=gateway, voip_app_id=app)

    switch = Switch(folder, seed, options=ANSWERS)
    switch.start()
    try:
        with Between(switch.port, random.Random(seed)) as between:
            settings = {"password": "ClueCon", "calls_per_second": 2 * CALLS_PER_SECOND, "silence": SILENCE}
            with opened(folder, {"switch": {"port": between.port, **settings}}, furnish) as place:
                _until(lambda: any(call.ended_at is not None for call in switch.seen().calls), "no call has ended")
                yield Stage(place, switch, between)
    finally:
        switch.kill()


def _until(condition: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, what
        time.sleep(0.05)
