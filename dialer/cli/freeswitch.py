"""`dialer freeswitch`: the files of the dialer inside FreeSWITCH, put into its configuration folder and taken out."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dialer.cli.blocking import config_option
from dialer.cli.frame import printable, works_here_only
from dialer.config import load_config
from dialer.freeswitch.by_hand import READ, SWITCH, hints, remains
from dialer.freeswitch.content import DIALPLAN, EVENT_SOCKET, SESSION_LIMITS, ConfFile, chosen, render
from dialer.freeswitch.folder import ConfFolder
from dialer.freeswitch.planning import FileStep, Verb, diff, diff_if_replaced, plan_install, plan_uninstall, summary
from dialer.settings import SwitchSettings

EXIT_DONE = 0
EXIT_REMAINS = 1


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "freeswitch",
        help="set a FreeSWITCH up for the dialer, or take that back",
        description="Puts the dialplan context and the other files of the dialer into FreeSWITCH's configuration folder, or "
        "takes them out again.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="install|uninstall")
    install = actions.add_parser(
        "install",
        help="put the files into the folder",
        description="Shows what changes, and changes it. Files that the dialer does not own are left alone; running it again "
        "changes nothing. Root need not be trusted with it: `sudo cat dialer.toml | sudo -u freeswitch dialer freeswitch "
        "install DIR -c -` does it as the owner of the folder.",
        epilog="Exit status: 0 done; 1 something remains to be done by hand, or failed; 2 wrong usage or configuration.",
    )
    uninstall = actions.add_parser("uninstall", help="take them out, and put back what they replaced")
    for action in (install, uninstall):
        action.add_argument("folder", type=Path, metavar="DIR", help="the folder with freeswitch.xml, such as /etc/freeswitch")
        action.add_argument("--dry-run", action="store_true", help="show it only")
    install.add_argument(
        "--replace",
        action="store_true",
        help="replace files that stand there already, such as event_socket.conf.xml; uninstalling puts them back",
    )
    install.add_argument("--switch", metavar="NAME", help="which [[switch]] this FreeSWITCH is, where there are several")
    config_option(install)
    install.set_defaults(run=run_install)
    works_here_only(install, "changes the configuration folder of a FreeSWITCH")
    uninstall.set_defaults(run=run_uninstall)
    works_here_only(uninstall, "changes the configuration folder of a FreeSWITCH")


def run_install(arguments: argparse.Namespace) -> int:
    """Install. Raises `DialerError`."""
    config = load_config(arguments.config)
    files = render(config, arguments.switch)
    with ConfFolder(arguments.folder) as folder:
        return _install(arguments, folder, files, chosen(config, arguments.switch))


def _install(arguments: argparse.Namespace, folder: ConfFolder, files: Sequence[ConfFile], switch: SwitchSettings) -> int:
    present = folder.read_all(file.path for file in files)
    steps = plan_install(files, folder.manifest, present, replace=arguments.replace)
    _show(steps, arguments)
    if not arguments.dry_run:
        folder.carry_out(steps)
    after = folder.read_all(READ) | {step.path: step.after for step in steps if step.path in READ}
    todo = [*_left_alone(steps), *remains(after, switch)]
    for sentence in todo:
        print(printable(f"to do: {sentence}"))
    for sentence in hints(after, switch):
        print(printable(f"better: {sentence}"))
    _tell_next(steps, arguments)
    return EXIT_REMAINS if todo else EXIT_DONE


def run_uninstall(arguments: argparse.Namespace) -> int:
    """Undo it. Raises `DialerError`."""
    with ConfFolder(arguments.folder) as folder:
        return _uninstall(arguments, folder)


def _uninstall(arguments: argparse.Namespace, folder: ConfFolder) -> int:
    steps = plan_uninstall(folder.manifest, folder.read_all(folder.manifest.files), folder.backups())
    _show(steps, arguments)
    if not steps:
        print(f"nothing of the dialer is installed in {arguments.folder}")
    if not arguments.dry_run:
        folder.carry_out(steps)
    left = [step for step in steps if step.verb is Verb.LEAVE]
    for step in left:
        print(f"to do: remove {step.path} by hand, and run this again; what it replaced is below dialer/backup")
    if SESSION_LIMITS.encode() in (folder.read(SWITCH) or b""):
        print(f"to do: {SWITCH} still names {SESSION_LIMITS}: take that line out")
    _tell_next(steps, arguments)
    return EXIT_REMAINS if left else EXIT_DONE


def _show(steps: Sequence[FileStep], arguments: argparse.Namespace) -> None:
    for line in diff(steps):
        print(line)
    for step in steps:
        print(summary(step))
    would = list(diff_if_replaced(steps)) if arguments.dry_run else []
    if would:
        print("what is left alone would be changed by --replace:")
        for line in would:
            print(f"    {line}")
    if arguments.dry_run:
        print("nothing was changed (--dry-run)")


def _left_alone(steps: Sequence[FileStep]) -> list[str]:
    """For event_socket.conf.xml there is better advice: whether it fits as it is."""
    return [
        f"{step.path} is in the way: look at it, then let it be replaced (--replace)"
        for step in steps
        if step.verb is Verb.LEAVE and step.path != EVENT_SOCKET
    ]


def _tell_next(steps: Sequence[FileStep], arguments: argparse.Namespace) -> None:
    changed = {step.path for step in steps if step.changes}
    if arguments.dry_run or not changed:
        return
    commands = ["reloadxml"] if DIALPLAN in changed or EVENT_SOCKET in changed else []
    if EVENT_SOCKET in changed:
        commands.append("reload mod_event_socket")
    if commands:
        print("next: " + ", then ".join(f"fs_cli -x '{command}'" for command in commands))
