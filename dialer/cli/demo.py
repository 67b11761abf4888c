"""`dialer demo`: one campaign from a file of contacts (or made-up ones) to a table of outcomes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from dialer.cli.demo_run import EXIT_FAILED, DemoRun
from dialer.errors import BadValue
from dialer.esl.inbound import SwitchConfig
from dialer.gateways import parse_dial_string
from dialer.imports import BadRow, ContactFile, read_contacts
from dialer.model import Contact

EXIT_BAD_ROWS = 3
SIMULATOR = "simulator"
SIMULATED_GATEWAY = "sofia/gateway/simulator/{number}"
MADE_UP = 300
"""Contacts of a demo without a file."""


@frozen(kw_only=True)
class DemoPlan:
    """What a demo shall do, checked. `switch` is None for the built-in simulator."""

    database: Path
    contacts: tuple[Contact, ...]
    switch: SwitchConfig | None
    dial_string: str
    frequency: int
    max_retry: int
    interval_retry: int
    call_timeout: int
    call_max_duration: int
    calls_per_second: float
    audio: str
    outbound: str
    connect_wait: float
    seed: int


def add_parser(commands: Any) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        "demo",
        help="dial a file of contacts, or a simulated one",
        description="Dials every contact of a file (or a few hundred made-up ones) through a FreeSWITCH, the built-in "
        "simulator by default, and reports each outcome. Running it again goes on with what is left.",
        epilog="Exit status: 0 all contacts done; 1 failed; 2 wrong usage or unusable file; 3 done, but rows of the file were "
        "refused; 130 interrupted, contacts are left.",
    )
    parser.add_argument("--contacts", type=Path, metavar="FILE.csv", help="CSV with a header row, at least a column `contact`")
    parser.add_argument(
        "--switch", default=SIMULATOR, metavar="simulator|HOST:PORT[:PASSWORD]", help="the FreeSWITCH (default: %(default)s)"
    )
    parser.add_argument("--gateway", metavar="DIALSTRING", help="how to dial, such as sofia/gateway/carrier/{number}")
    parser.add_argument(
        "--frequency", type=_positive, default=1200, metavar="N", help="calls per minute (default: %(default)s)"
    )
    parser.add_argument(
        "--database", type=Path, default=Path("dialer-demo.sqlite3"), metavar="FILE", help="(default: %(default)s)"
    )
    parser.add_argument(
        "--calls", type=_positive, default=MADE_UP, metavar="N", help="made-up contacts (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the made-up contacts and callees")
    parser.add_argument("--max-retry", type=_natural, default=1, metavar="N", help="further attempts (default: %(default)s)")
    parser.add_argument("--interval-retry", type=_positive, metavar="S", help="seconds before a further attempt")
    parser.add_argument("--call-timeout", type=_positive, metavar="S", help="seconds that a call may ring")
    parser.add_argument("--call-max-duration", type=_positive, default=60, metavar="S", help="(default: %(default)s)")
    parser.add_argument("--calls-per-second", type=_positive, metavar="N", help="cap of the switch")
    parser.add_argument("--audio", default="", metavar="WHAT", help="file or tone stream that answered calls hear")
    parser.add_argument(
        "--outbound",
        default="",
        metavar="HOST:PORT",
        help="where FreeSWITCH reaches this program (default: a free local port)",
    )
    parser.add_argument(
        "--connect-wait", type=_positive, default=10, metavar="S", help="give up without a switch after so long"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check everything, then dial. Raises `BadValue` for what cannot be."""
    file = _contacts(arguments)
    for row in file.bad_rows:
        print(f"{arguments.contacts}:{row.line}: {row.reason}", file=sys.stderr)
    if not file.contacts:
        print(f"dialer: {arguments.contacts}: no row can be dialled", file=sys.stderr)
        return EXIT_FAILED
    plan = _plan(arguments, file)
    status = DemoRun(plan).run()
    return status or _status(file.bad_rows)


def _status(bad_rows: tuple[BadRow, ...]) -> int:
    return EXIT_BAD_ROWS if bad_rows else 0


def _contacts(arguments: argparse.Namespace) -> ContactFile:
    if arguments.contacts is not None:
        return read_contacts(arguments.contacts)
    if arguments.switch != SIMULATOR:
        raise BadValue("--contacts", "is needed with a real switch: made-up numbers belong to somebody")
    contacts = tuple(Contact(number=f"1555{index:07}") for index in range(1, arguments.calls + 1))
    return ContactFile(contacts=contacts, bad_rows=())


def _plan(arguments: argparse.Namespace, file: ContactFile) -> DemoPlan:
    plan = DemoPlan(
        database=arguments.database,
        contacts=file.contacts,
        switch=None,
        dial_string=SIMULATED_GATEWAY,
        frequency=arguments.frequency,
        max_retry=arguments.max_retry,
        interval_retry=arguments.interval_retry or 5,
        call_timeout=arguments.call_timeout or 5,
        call_max_duration=arguments.call_max_duration,
        # The simulator is ours: its cap follows what is asked, so that the demo shows the pacing and not the cap.
        calls_per_second=arguments.calls_per_second or max(25.0, arguments.frequency / 60 * 1.5),
        audio=arguments.audio,
        outbound=arguments.outbound,
        connect_wait=float(arguments.connect_wait),
        seed=arguments.seed,
    )
    if arguments.switch == SIMULATOR:
        return (
            plan if arguments.gateway is None else evolve(plan, dial_string=parse_dial_string(arguments.gateway, "--gateway"))
        )
    if arguments.gateway is None:
        raise BadValue("--gateway", "is needed with a real switch, such as sofia/gateway/carrier/{number}")
    cap = float(arguments.calls_per_second or SwitchConfig().calls_per_second)
    return evolve(
        plan,
        switch=_switch(arguments.switch, cap),
        dial_string=parse_dial_string(arguments.gateway, "--gateway"),
        interval_retry=arguments.interval_retry or 60,
        call_timeout=arguments.call_timeout or 30,
        calls_per_second=cap,
    )


def _switch(text: str, calls_per_second: float) -> SwitchConfig:
    """HOST:PORT[:PASSWORD]; a password may hold colons, an IPv6 host stands in brackets."""
    host, port, password = _split_switch(text)
    if not host or not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise BadValue("--switch", f"expected `simulator` or HOST:PORT[:PASSWORD], got {text!r}")
    config = SwitchConfig(host=host, port=int(port), calls_per_second=calls_per_second, retry_max=2.0)
    return evolve(config, password=password) if password else config


def _split_switch(text: str) -> tuple[str, str, str]:
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        rest = rest.removeprefix(":")
    else:
        host, _, rest = text.partition(":")
    port, _, password = rest.partition(":")
    return host, port, password


def _positive(text: str) -> int:
    number = _natural(text)
    if number == 0:
        raise argparse.ArgumentTypeError("expected a whole number of at least 1")
    return number


def _natural(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}")
    return int(text)
