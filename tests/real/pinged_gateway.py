"""A SIP gateway of the FreeSWITCH under test, whose pings a trunk of the test answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from tests.real.stage import Stage
from tests.real.trunk import Trunk

PINGED = """<include>
  <gateway name="{name}">
    <param name="proxy" value="127.0.0.1:{port}"/>
    <param name="realm" value="127.0.0.1"/>
    <param name="username" value="user"/>
    <param name="password" value="secret"/>
    <param name="register" value="false"/>
    <param name="ping" value="5"/>
    <param name="ping-min" value="1"/>
    <param name="ping-max" value="1"/>
  </gateway>
</include>
"""


@frozen
class PingedGateway:
    """Its state is what the trunk's answers to pings make of it, some seconds later."""

    stage: Stage
    name: str
    far: Trunk

    @property
    def dial_string(self) -> str:
        return f"sofia/gateway/{self.name}/{{number}}"

    def take_down(self) -> None:
        """Let the switch find it down."""
        self.far.welcomes_pings = False
        self._until("DOWN", 40.0)

    def bring_up(self) -> None:
        """Let the switch find it up again."""
        self.far.welcomes_pings = True
        self._until("UP", 20.0)

    def _until(self, status: str, seconds: float) -> None:
        asked = f"sofia status gateway {self.name}"
        said = f"Status  \t{status}"
        self.stage.until(lambda: said in self.stage.switch.ask(asked), seconds, f"the switch does not find it {status}")


@contextmanager
def pinged_gateway(stage: Stage, far: Trunk) -> Iterator[PingedGateway]:
    """The switch has a gateway to the trunk, which it pings every five seconds."""
    name = f"pinged-{stage.folder.name.replace('_', '-')}"[:40]
    file = Path(stage.switch.ask("global_getvar conf_dir").strip(), "sip_profiles", "external", f"{name}.xml")
    file.write_text(PINGED.format(name=name, port=far.port))
    try:
        stage.switch.ask("sofia profile external rescan")
        stage.until(lambda: "UP" in stage.switch.ask(f"sofia status gateway {name}"), 10.0, "the switch has no such gateway")
        yield PingedGateway(stage, name, far)
    finally:
        stage.switch.ask(f"sofia profile external killgw {name}")
        file.unlink()
