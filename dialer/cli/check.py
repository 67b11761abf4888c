"""`dialer check`: an audit of the database, and the repair of what can be repaired. `dialer upgrade`: its newest schema."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from attrs import asdict

from dialer.cli.blocking import config_option, database_url
from dialer.cli.frame import works_here_only
from dialer.config import load_config
from dialer.errors import BadValue, StoreError
from dialer.numbering import check_region
from dialer.store.audit import Audit, Finding, Repair, audit, repair
from dialer.store.identities import DoubleContacts
from dialer.store.location import shown
from dialer.store.maintenance import without_dialers
from dialer.store.schema import is_newest, upgrade
from dialer.wall_clock import utc_now

EXIT_CLEAN = 0
EXIT_FINDINGS = 1

MOST_TOLD = 20
"""Contacts in another spelling that an upgrade names."""


def add_parser(commands: Any) -> None:
    """Register the subcommands `check` and `upgrade`."""
    parser = commands.add_parser(
        "check",
        help="audit the database, and repair it",
        description="Audits what has to hold in the database, and names what does not, with examples. Without --repair it "
        "changes nothing and may be used beside a running dialer.",
        epilog="Exit status: 0 nothing is wrong (any more); 1 findings; 2 wrong configuration or usage.",
    )
    config_option(parser)
    parser.add_argument("--repair", action="store_true", help="mend what is safe to mend; no dialer may be at work")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=run)
    works_here_only(parser, "reads the database itself, row by row")
    _add_upgrade_parser(commands)


def run(arguments: argparse.Namespace) -> int:
    """Audit, and repair when that is asked for. Raises `BadValue` for a repair beside a dialer at work, and `StoreError`."""
    url = database_url(arguments.config)
    found = audit(url, utc_now())
    if arguments.repair and found.at_work is not None:
        raise BadValue("--repair", f"a dialer is at work with this database: {found.at_work}; stop it first")
    repaired: list[Repair] = []
    if arguments.repair and any(finding.repairable for finding in found.findings):
        repaired = repair(url, utc_now())
    left = audit(url, utc_now()) if repaired else found
    if arguments.json:
        print(_as_json(found, repaired, left))
    else:
        for line in _as_text(found, repaired, left, repairing=arguments.repair):
            print(line)
    return EXIT_FINDINGS if left.findings else EXIT_CLEAN


def _as_json(found: Audit, repaired: Sequence[Repair], left: Audit) -> str:
    document = {
        "at_work": found.at_work,
        "open_attempts": found.open_attempts,
        "findings": [asdict(finding) for finding in found.findings],
        "notes": found.notes,
        "repaired": [asdict(done) for done in repaired],
        "left": [finding.name for finding in left.findings],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _as_text(found: Audit, repaired: Sequence[Repair], left: Audit, *, repairing: bool) -> Iterator[str]:
    if found.open_attempts is not None:
        yield _at_work(found.at_work, found.open_attempts)
    for finding in found.findings:
        yield from _told(finding)
    for done in repaired:
        yield f"repaired {done.name}, rows changed: {done.rows}: {done.remedy}"
    for note in found.notes:
        yield f"note: {note}"
    if not left.findings:
        yield "nothing is wrong any more" if repaired else "nothing is wrong"
    elif repairing:
        yield f"not repaired: {', '.join(finding.name for finding in left.findings)}"


def _at_work(dialers: str | None, open_attempts: int) -> str:
    if dialers is not None:
        return f"at work: {dialers}; open attempts: {open_attempts}"
    if open_attempts:
        return f"no dialer is at work; open attempts, which the next start takes over: {open_attempts}"
    return "no dialer is at work, and no attempt is open"


def _told(finding: Finding) -> Iterator[str]:
    yield f"{finding.name}: {finding.count} {finding.problem}"
    for example in finding.examples:
        yield f"    {example}"
    if finding.count > len(finding.examples):
        yield f"    and {finding.count - len(finding.examples)} more"
    if finding.remedy not in finding.examples:
        yield f"  {'--repair' if finding.repairable else 'remedy'}: {finding.remedy}"


# --- dialer upgrade ---------------------------------------------------------------------------------------------------------


def _add_upgrade_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "upgrade",
        help="bring the database to the schema of this version",
        description="Brings the database to the schema of this version, in one transaction. The dialer must be stopped.",
    )
    config_option(parser)
    parser.set_defaults(run=run_upgrade)
    works_here_only(parser, "changes the schema of the database, while no dialer is at work")


def run_upgrade(arguments: argparse.Namespace) -> int:
    """Upgrade; where there is something to do, no dialer may be at work. Raises `StoreError`."""
    url = database_url(arguments.config)
    region = check_region(load_config(arguments.config).numbers.region, "numbers.region")
    applied = []
    if not _is_up_to_date(url, region):
        with without_dialers(url):
            applied = upgrade(url, region=region, tell=_tell)
    if 1 in applied:
        print(f"note: {shown(url)} is new, and empty: without users and gateways, which `dialer init` makes", file=sys.stderr)
    print(f"schema upgraded to {applied[-1]}" if applied else "the schema is up to date")
    return 0


def _tell(doubles: DoubleContacts) -> None:
    """Of numbers that turned out to be one."""
    for book, number, same_as in doubles.contacts[:MOST_TOLD]:
        print(f"phonebook {book}: {number} is {same_as}, and is called once")
    if len(doubles.contacts) > MOST_TOLD:
        print(f"and {len(doubles.contacts) - MOST_TOLD} more contacts that are there in another spelling")
    if doubles.subscribers:
        print(f"subscribers that were joined with one of another spelling: {doubles.subscribers}")
    if doubles.forbidden:
        print(f"do-not-call entries that were there in another spelling: {doubles.forbidden}")


def _is_up_to_date(url: str, region: str) -> bool:
    try:
        return is_newest(url, region)
    except StoreError:
        return False  # the upgrade itself tells what is wrong, or makes a file that is not there
