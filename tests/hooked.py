"""Apps of hooks for tests, as somebody would write them for switchio. Only `dialer.marks` may import this module: it needs the
package that stands in for switchio."""

from __future__ import annotations

import sys
import threading
from queue import SimpleQueue
from typing import Any

import switchio
from switchio import marks
from switchio.apps import app
from switchio.marks import coroutine, event_callback, handler


class Tells:
    """Tells the tests what it hears."""

    def __init__(self) -> None:
        self.heard: SimpleQueue[Any] = SimpleQueue()


class Recorder(Tells):
    """Hears something of every kind."""

    finished = False

    def prepost(self, client: Any, listener: Any, pool: Any, more: int = 3) -> Any:
        self.client, self.listener, self.pool, self.more = client, listener, pool, more
        yield
        self.finished = True

    @event_callback("CHANNEL_ANSWER")
    @event_callback("CHANNEL_HANGUP_COMPLETE")
    @event_callback("CHANNEL_DESTROY")
    @event_callback("DTMF")
    def on_event(self, sess: Any) -> None:
        self.heard.put((sess["Event-Name"], sess))

    @event_callback("CHANNEL_HANGUP")
    def on_hangup(self, sess: Any, job: Any) -> None:
        self.heard.put(("CHANNEL_HANGUP", job))

    @event_callback("conference::maintenance")
    def on_conference(self, sess: Any) -> None:
        self.heard.put((sess["Event-Subclass"], sess))

    @handler("HEARTBEAT")
    def on_heartbeat(self, event: Any) -> Any:
        self.heard.put(("HEARTBEAT", event))
        return False, None


@app
class Registered:
    """Under switchio's own decorator, with the marks of the package itself."""

    @switchio.callback("CHANNEL_PARK")
    def on_park(self, sess: Any) -> None:
        sess.hangup()

    @marks.coroutine("CHANNEL_CREATE", subscribe=["PLAYBACK_STOP"])
    async def on_create(self, sess: Any) -> None:
        await sess.recv("PLAYBACK_STOP")


class Waits(Recorder):
    """A coroutine that waits for events of its session."""

    @coroutine("CHANNEL_ANSWER", subscribe=["PLAYBACK_STOP"])
    async def on_answer(self, sess: Any) -> None:
        try:
            stopped = await sess.recv("PLAYBACK_STOP")
            self.heard.put(("stopped", stopped["Playback-File-Path"]))
            events, left = await sess.poll(["DTMF", "CHANNEL_HANGUP"])
            self.heard.put(("polled", [event["Event-Name"] for event in events], list(left)))
            await sess.recv("never")
        except BaseException as error:
            self.heard.put(("ended", type(error).__name__))
            raise


class Commands(Recorder):
    """Does what the test has it do, with the session; tells what came of it."""

    def __init__(self) -> None:
        super().__init__()
        self.todo: SimpleQueue[Any] = SimpleQueue()

    @event_callback("DTMF")
    def on_event(self, sess: Any) -> None:
        try:
            self.heard.put(("done", self.todo.get(timeout=10)(sess)))
        except Exception as error:
            self.heard.put(("error", error))


class Fails(Recorder):
    """Raises as long as `broken`."""

    broken = True

    @event_callback("DTMF")
    def on_event(self, sess: Any) -> None:
        if self.broken:
            raise ValueError("it is broken")
        self.heard.put("fine")


class FailsLater:
    """A coroutine that raises."""

    @coroutine("DTMF")
    async def on_digit(self, sess: Any) -> None:
        raise ValueError("later")


class Slow(Recorder):
    """Takes as long as the test's clock says while `work` runs."""

    work: Any = None

    @event_callback("DTMF")
    def on_event(self, sess: Any) -> None:
        self.work()
        self.heard.put("back")


class SlowStep(Recorder):
    """The same in a step of a coroutine."""

    work: Any = None

    @coroutine("DTMF")
    async def on_event(self, sess: Any) -> None:
        self.work()
        self.heard.put("back")


class Blocks:
    """Waits in the operating system, where nothing ends it but `go_on`."""

    go_on = threading.Event()

    @event_callback("DTMF")
    @event_callback("CHANNEL_ANSWER")
    def on_event(self, sess: Any) -> None:
        self.go_on.wait()


class Endless(Recorder):
    """Computes for ever."""

    @event_callback("DTMF")
    @event_callback("CHANNEL_ANSWER")
    def on_event(self, sess: Any) -> None:
        self.heard.put("begun")
        while True:
            pass


class Raises:
    """Fails with everything that happens."""

    @event_callback("CHANNEL_CREATE")
    @event_callback("CHANNEL_ANSWER")
    @event_callback("CHANNEL_HANGUP")
    def on_event(self, sess: Any) -> None:
        raise RuntimeError("broken")


class Exits:
    """Thinks that it is a program."""

    @event_callback("DTMF")
    def on_event(self, sess: Any) -> None:
        sys.exit(3)


class WrongStart:
    """Asks for what is not there."""

    def prepost(self, slaves: Any) -> None:
        raise AssertionError

    @event_callback("DTMF")
    def on_event(self, sess: Any) -> None: ...


class Uses:
    """Uses parts of switchio that a dialer does not have."""

    def prepost(self, client: Any, slaves: Any) -> None:
        client.originate("1000@pbx")
        client.hupall()

    @event_callback("DTMF")
    def on_event(self, leg: Any) -> None:
        leg.clear_tasks()
        leg.hangup()
        leg.teleport()
        leg.fresh = 1

    def helper(self, sess: Any) -> None:
        sess.dance()


class Unmarked:
    """Has nothing."""


class NeedsMore:
    """Cannot be made."""

    def __init__(self, number: int) -> None: ...

    @event_callback("DTMF")
    def on_event(self, sess: Any) -> None: ...


class Misspelt:
    @event_callback("CHANNEL_ANSWERED")
    def on_event(self, sess: Any) -> None: ...


class All:
    @event_callback("ALL")
    def on_event(self, sess: Any) -> None: ...


class MisspeltLater:
    @coroutine("DTMF", subscribe=["PLAYBACK_END"])
    async def on_event(self, sess: Any) -> None: ...


class NoCoroutine:
    @coroutine("DTMF")
    def on_event(self, sess: Any) -> None: ...


class NoCallback:
    @event_callback("DTMF")
    async def on_event(self, sess: Any) -> None: ...


class OfAnotherKind:
    @marks.marker("DTMF", cb_type="wish")
    def on_event(self, sess: Any) -> None: ...


there_already = Recorder()
"""An object in place of a class."""


class HangsUp(Tells):
    """Ends every call that is answered."""

    @event_callback("CHANNEL_ANSWER")
    def on_event(self, sess: Any) -> None:
        sess.hangup("USER_BUSY")
        self.heard.put(sess)


class Connects(Tells):
    """Connects every callee to the numbers in `targets`, one after the other; tells what came of it."""

    targets = ("15559999", "15551111")

    @coroutine("CHANNEL_ANSWER", subscribe=["CHANNEL_BRIDGE", "CHANNEL_PARK"])
    async def on_event(self, sess: Any) -> None:
        for target in self.targets:
            try:
                address = f"bridge::{{}}sofia/gateway/carrier/{target}"
                await sess.con.api(f"uuid_broadcast {sess.uuid} {address} aleg")
                bridged = await sess.recv("CHANNEL_BRIDGE")
                self.heard.put((target, bridged["variable_bridge_uuid"]))
            except Exception as error:
                self.heard.put((target, str(error)))


class Listens(Tells):
    """Tells every event of a call."""

    @event_callback("CHANNEL_CREATE")
    @event_callback("CHANNEL_ANSWER")
    @event_callback("CHANNEL_HANGUP_COMPLETE")
    @event_callback("CHANNEL_EXECUTE")
    @event_callback("CHANNEL_DESTROY")
    def on_event(self, sess: Any) -> None:
        self.heard.put((sess.uuid, sess["Event-Name"], dict(sess.events[0])))
