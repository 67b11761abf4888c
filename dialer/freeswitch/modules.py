"""Which modules of FreeSWITCH the dialer uses, as `freeswitch_conf/modules.txt` lists them."""

from __future__ import annotations

from collections.abc import Collection

from attrs import frozen

from dialer.freeswitch.content import shipped

NEEDED = "needed"


@frozen
class Module:
    """`need` is `needed`, or what needs it: sip, conference, speak, cdr."""

    name: str
    need: str
    purpose: str


def known_modules() -> list[Module]:
    """The list."""
    lines = shipped().joinpath("modules.txt").read_text(encoding="utf-8").splitlines()
    return [Module(*line.split(None, 2)) for line in lines if line and not line.startswith("#")]


def missing_modules(loaded: Collection[str], needs: Collection[str]) -> list[Module]:
    """Those that are needed, in general or by one of `needs`, and not loaded."""
    return [module for module in known_modules() if module.need in (NEEDED, *needs) and module.name not in loaded]
