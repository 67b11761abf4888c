"""`dialer metrics`: what is shipped for Prometheus and Grafana."""

from __future__ import annotations

import argparse
from typing import Any

from dialer.cli.frame import without_configuration, works_here_only
from dialer.cli.tables import Column, print_table
from dialer.monitoring.declarations import METRICS
from dialer.monitoring.shipped import Shipped

_NO_CONFIGURATION = "is nothing that metrics reads: `dialer run` obeys [metrics]"


def add_parser(commands: Any) -> None:
    """Register the command with its subcommands."""
    parser = commands.add_parser(
        "metrics",
        help="what is shipped for Prometheus and Grafana",
        description="Prints the alert rules for Prometheus, the dashboard for Grafana, or the list of the metrics.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for shipped, words in (
        (Shipped.RULES, "the alert rules, a rule file of Prometheus"),
        (Shipped.DASHBOARD, "the dashboard, to be imported into Grafana"),
    ):
        printing = actions.add_parser(shipped.name.lower(), help=words, description=f"Prints {words}.")
        without_configuration(printing, _NO_CONFIGURATION)
        printing.set_defaults(run=_print, shipped=shipped)
        works_here_only(printing, "prints what comes with this package")
    listing = actions.add_parser("list", help="the metrics", description="Lists the metrics: name, kind, labels, meaning.")
    without_configuration(listing, _NO_CONFIGURATION)
    listing.set_defaults(run=_list)
    works_here_only(listing, "prints what comes with this package")


def _print(arguments: argparse.Namespace) -> int:
    print(arguments.shipped.text(), end="")
    return 0


def _list(_: argparse.Namespace) -> int:
    print_table(
        [
            Column("metric", [metric.shown_name for metric in METRICS]),
            Column("kind", [metric.kind.name.lower() for metric in METRICS]),
            Column("labels", [", ".join(metric.labels) for metric in METRICS]),
            Column("meaning", [metric.text for metric in METRICS]),
        ]
    )
    return 0
