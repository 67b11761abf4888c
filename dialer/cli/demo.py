"""`dialer demo`: one campaign from a file of contacts (or made-up ones) to a table of outcomes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from attrs import evolve

from dialer.appdata import DEFAULT_AUDIO
from dialer.cli.demo_campaign import DemoRules
from dialer.cli.demo_run import EXIT_FAILED, DemoPlan, DemoRun
from dialer.cli.frame import without_configuration, works_here_only
from dialer.errors import BadValue
from dialer.esl.inbound import SwitchConfig
from dialer.files.whole import BadRow, ReadContacts, read_contacts
from dialer.model import Contact
from dialer.model.gateway import parse_dial_string
from dialer.rules.book import NO_RULES, RuleBook, shipped_rows
from dialer.secret_sources import is_elsewhere, secret_of

EXIT_BAD_ROWS = 3
SIMULATOR = "simulator"
SIMULATED_GATEWAY = "sofia/gateway/simulator/{number}"
MADE_UP = 300
"""Contacts of a demo without a file."""


def add_parser(commands: Any) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        "demo",
        help="dial a file of contacts, or a simulated one",
        description="Dials every contact of a file (or a few hundred made-up ones) through a FreeSWITCH, the built-in "
        "simulator by default, and reports each outcome. Running it again goes on with what is left; whom it is done with is "
        "not called again.",
        epilog="Exit status: 0 all contacts done; 1 failed; 2 wrong usage or unusable file; 3 done, but rows of the file were "
        "refused; 130 interrupted, contacts are left.",
    )
    parser.add_argument(
        "--contacts",
        type=Path,
        metavar="FILE.csv",
        help="with a header row, one column of it the number (see `dialer contact import`)",
    )
    parser.add_argument(
        "--switch",
        default=SIMULATOR,
        metavar="simulator|HOST:PORT[:PASSWORD]",
        help="the FreeSWITCH (default: %(default)s); a password of its own is given as env:NAME or file:PATH, since others "
        "see the list of processes",
    )
    parser.add_argument("--gateway", metavar="DIALSTRING", help="how to dial, such as sofia/gateway/carrier/{number}")
    parser.add_argument(
        "--frequency", type=_positive, default=1200, metavar="N", help="calls per minute (default: %(default)s)"
    )
    parser.add_argument(
        "--database", type=Path, default=Path("dialer-demo.sqlite3"), metavar="FILE", help="(default: %(default)s)"
    )
    parser.add_argument(
        "--rules",
        choices=("shipped", "none"),
        help="whether the calling rules hold that come with the dialer (default: shipped; none with the simulator, "
        "which calls nobody)",
    )
    parser.add_argument("--again", action="store_true", help="call all of them, those of an earlier run, too")
    parser.add_argument("--outcomes", type=Path, metavar="FILE.jsonl", help="write each outcome there, as a line of JSON")
    parser.add_argument(
        "--calls", type=_positive, default=MADE_UP, metavar="N", help="made-up contacts (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the made-up contacts and callees")
    parser.add_argument(
        "--time-scale", type=_scale, default=0.3, metavar="X", help="of the simulated callees' times (default: %(default)s)"
    )
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
    parser.add_argument(
        "--page",
        type=_port,
        nargs="?",
        const=0,
        metavar="PORT",
        help="show it in a browser, too: the address is told, and signs in once; the page stays until Ctrl-C (default: a free "
        "port)",
    )
    without_configuration(parser, "is nothing that the demo reads: see its options, or `dialer run`")
    parser.set_defaults(run=run)
    works_here_only(parser, "shows a dialer of its own")


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


def _contacts(arguments: argparse.Namespace) -> ReadContacts:
    if arguments.contacts is not None:
        return read_contacts(arguments.contacts)
    if arguments.switch != SIMULATOR:
        raise BadValue("--contacts", "is needed with a real switch: made-up numbers belong to somebody")
    contacts = tuple(Contact(number=f"1555{index:07}") for index in range(1, arguments.calls + 1))
    return ReadContacts(contacts=contacts)


def _plan(arguments: argparse.Namespace, file: ReadContacts) -> DemoPlan:
    simulated = arguments.switch == SIMULATOR
    if not simulated and arguments.gateway is None:
        raise BadValue("--gateway", "is needed with a real switch, such as sofia/gateway/carrier/{number}")
    dial_string = parse_dial_string(arguments.gateway or SIMULATED_GATEWAY, "--gateway")
    # The simulator is ours: its cap follows what is asked, so that the demo shows the pacing and not the cap.
    usual = max(25.0, arguments.frequency / 60 * 1.5) if simulated else SwitchConfig().calls_per_second
    calls_per_second = float(arguments.calls_per_second or usual)
    switch = None if simulated else _switch(arguments.switch, calls_per_second)
    rules = DemoRules(
        way=f"{SIMULATOR if switch is None else f'{switch.host}:{switch.port}'} {dial_string}",
        dial_string=dial_string,
        contacts=file.contacts,
        frequency=arguments.frequency,
        max_retry=arguments.max_retry,
        interval_retry=arguments.interval_retry or (5 if simulated else 60),
        call_timeout=arguments.call_timeout or (5 if simulated else 30),
        call_max_duration=arguments.call_max_duration,
        audio=arguments.audio or DEFAULT_AUDIO,
        again=arguments.again,
    )
    return DemoPlan(
        database=arguments.database,
        rules=rules,
        switch=switch,
        calls_per_second=calls_per_second,
        outbound=_outbound(arguments.outbound),
        connect_wait=float(arguments.connect_wait),
        seed=arguments.seed,
        time_scale=arguments.time_scale,
        outcomes=arguments.outcomes,
        book=NO_RULES if (arguments.rules or ("none" if simulated else "shipped")) == "none" else RuleBook(shipped_rows()),
        page=arguments.page,
    )


def _outbound(text: str) -> str:
    host, _, port = text.rpartition(":")
    if text and (not host or not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535):
        raise BadValue("--outbound", f"expected HOST:PORT, got {text!r}")
    return text


def _switch(text: str, calls_per_second: float) -> SwitchConfig:
    """HOST:PORT[:PASSWORD], an IPv6 host in brackets. A password of one's own is `env:NAME` or `file:PATH`."""
    host, port, password = _split_switch(text)
    if not host or not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
        shown = text.removesuffix(password) if password else text
        raise BadValue("--switch", f"expected `simulator` or HOST:PORT[:PASSWORD], got {shown!r}")
    if password and password != SwitchConfig().password and not is_elsewhere(password):
        raise BadValue("--switch", "holds a password, which others see in the list of processes: give env:NAME or file:PATH")
    password = secret_of(password, "--switch", Path.cwd())
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


def _port(text: str) -> int:
    number = _natural(text)
    if number > 65535:
        raise argparse.ArgumentTypeError("expected a port from 0 to 65535")
    return number


def _natural(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}")
    return int(text)


def _scale(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.001 <= value <= 100:
        raise argparse.ArgumentTypeError(f"expected a number from 0.001 to 100, got {text!r}")
    return value
