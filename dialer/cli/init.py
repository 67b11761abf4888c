"""`dialer init`: a folder with all that a dialer needs to run; the database in it, or on a server."""

from __future__ import annotations

import argparse
import os
import secrets
import socket
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from attrs import frozen
from pydantic import ValidationError

from dialer.accounts import hash_password
from dialer.cli.blocking import with_database
from dialer.cli.frame import without_configuration, works_here_only
from dialer.cli.passwords import Password, from_file, generated
from dialer.cli.users import UsersCommand
from dialer.config import validated
from dialer.errors import BadValue, DialerError, StoreError
from dialer.esl.inbound import SwitchConfig
from dialer.management import Management
from dialer.management.seed import Seed, Seeded, seed
from dialer.model import VoipAppType
from dialer.numbering import check_region
from dialer.safe_files import Access, Folder, UnsafeFile
from dialer.safe_paths import open_folder
from dialer.settings import NodeSettings
from dialer.settings_file import settings_file
from dialer.store.connection import Dialect
from dialer.store.database import Database
from dialer.store.location import dialect_of, has_password, shown, sqlite_url
from dialer.store.nodes import NodeEntry, entries
from dialer.store.schema import check, region_of, upgrade
from dialer.wall_clock import utc_now

CONFIG = "dialer.toml"
DATABASE = "dialer.db"
USER = "admin"


@frozen(kw_only=True)
class Wanted:
    """The wishes of the command line. `server` is the URL of a database on a server, "" for a file in the folder."""

    username: str
    is_named: bool
    password: Password
    server: str
    node: str
    region: str | None
    simulated: bool

    @property
    def files(self) -> Sequence[str]:
        """The files that are made in the folder, the configuration last: without it, there is nothing that could be run."""
        return (CONFIG,) if self.server else (DATABASE, CONFIG)


@frozen(kw_only=True)
class Made:
    """The outcome for the database: the versions that were applied to it, who was there, its nodes."""

    applied: Sequence[int]
    seeded: Seeded
    nodes: Sequence[NodeEntry]

    @property
    def joined(self) -> bool:
        """Whether it was a dialer's before."""
        return 1 not in self.applied


def add_parser(commands: Any) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        "init",
        help="make a folder with a configuration, a database and a first user",
        description=f"Makes DIR with {CONFIG} (every setting, explained), a database, a superuser, a gateway and a voice "
        "application. Nothing that exists is overwritten. A database on a server may be in use by other nodes: this one joins "
        "them, and only what is missing is added.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="made when it does not exist")
    parser.add_argument(
        "--database",
        metavar="URL",
        help="a PostgreSQL database that exists, postgresql://USER@HOST/DATABASE, in place of a SQLite file in DIR; - reads "
        "the URL from standard input, where nobody else sees a password in it (postgresql://USER:PASSWORD@HOST/DATABASE)",
    )
    parser.add_argument(
        "--node",
        metavar="NAME",
        default="",
        help="the name of this dialer among those that share the database (default: the host's)",
    )
    parser.add_argument(
        "--region",
        metavar="COUNTRY",
        help="the country of national numbers, two letters such as DE (default: none; on a server, that of its database)",
    )
    parser.add_argument(
        "--simulator", action="store_true", help="the dialer shall call the built-in simulator, not a FreeSWITCH"
    )
    parser.add_argument("--user", metavar="NAME", help=f"the superuser (default: {USER}, unless there is a superuser)")
    parser.add_argument(
        "--password-file",
        metavar="FILE",
        help="its first line is the superuser's password; - is standard input (default: one is made up and shown)",
    )
    without_configuration(parser, f"is nothing that init reads: it makes DIR/{CONFIG}")
    parser.set_defaults(run=run)
    works_here_only(parser, "makes an installation on this machine")


def run(arguments: argparse.Namespace) -> int:
    """Make the folder, whole or not at all."""
    wanted = Wanted(
        username=UsersCommand().parse_name(arguments.user or USER),
        is_named=arguments.user is not None,
        server=_server(arguments.database),
        node=_node(arguments.node),
        region=None if arguments.region is None else check_region(arguments.region, "--region"),
        simulated=arguments.simulator,
        password=generated() if arguments.password_file is None else Password(from_file(arguments.password_file)),
    )
    folder: Path = arguments.folder
    try:
        with _staged(folder, wanted.files) as (stage, access):
            made = _fill(stage, wanted, access)
    except OSError as error:
        raise DialerError(f"{error.filename or folder}: {error.strerror}") from None
    for line in _told(folder, wanted, made):
        print(line)
    for note in _notes(wanted, made):
        print(f"note: {note}", file=sys.stderr)
    return 0


# --- what is asked for ------------------------------------------------------------------------------------------------------


def _server(given: str | None) -> str:
    """The URL of a server's database. Raises `BadValue`, which shows no password."""
    if given is None:
        return ""
    url = sys.stdin.readline().strip() if given == "-" else given
    if not url.isprintable():
        raise BadValue("--database", "holds a control character, or bytes that are not UTF-8")
    if given != "-" and has_password(url):
        raise BadValue("--database", "holds a password, which others see in the list of processes: - reads it")
    if dialect_of(url) is Dialect.SQLITE:
        raise BadValue("--database", "expected postgresql://...; without this option, a SQLite file is made in DIR")
    return url


def _node(name: str) -> str:
    try:
        return validated(NodeSettings, {"name": name}).name
    except ValidationError:
        expected = "expected up to 64 letters, digits, _ . and -, the first of them a letter, a digit or _"
        raise BadValue("--node", f"{expected}; got {name[:80]!r}") from None


# --- making -----------------------------------------------------------------------------------------------------------------


def _fill(stage: Folder, wanted: Wanted, access: Access) -> Made:
    """SQLite opens a file by its name, which somebody else may turn into a link in a folder of his: it makes the database in a
    folder of our own, and then it is copied."""
    with tempfile.TemporaryDirectory(prefix="dialer-init-") as own:
        database = Path(own) / DATABASE
        made = _furnish(stage, wanted, wanted.server or sqlite_url(database), access)
        if not wanted.server:
            stage.write(DATABASE, database.read_bytes(), access)
        return made


def _furnish(stage: Folder, wanted: Wanted, url: str, access: Access) -> Made:
    applied = upgrade(url, region=wanted.region) if not wanted.server else _brought_up_to_date(url, wanted.region)
    # It holds passwords: of the switch, of the database.
    stage.write(CONFIG, settings_file(_settings(wanted, region_of(url))).encode(), access)
    wanted_seed = Seed(
        user={"username": wanted.username, "password_hash": hash_password(wanted.password.text), "is_superuser": True},
        only_first=not wanted.is_named,
        gateway=_gateway(simulated=wanted.simulated),
        voip_app={"name": "Default_VoIP_App", "type": VoipAppType.DIAL},
    )

    async def make(database: Database) -> Made:
        nodes = await database.run(lambda connection: entries(connection, utc_now()))
        seeded = await Management(database, utc_now).ask(seed, wanted_seed)
        return Made(applied=applied, seeded=seeded, nodes=nodes)

    return with_database(url, make)


def _settings(wanted: Wanted, region: str) -> dict[str, dict[str, object]]:
    settings: dict[str, dict[str, object]] = {"database": {"url": wanted.server or f"sqlite:///{DATABASE}"}}
    if wanted.node:
        settings["node"] = {"name": wanted.node}
    if region:
        settings["numbers"] = {"region": region}
    settings["rules"] = {"apply": "none" if wanted.simulated else "shipped"}  # nobody is called by the simulator
    if wanted.simulated:
        return settings | {"simulator": {}, "outbound": {"endpoint": "tcp:0:interface=127.0.0.1"}}
    return settings | {"switch": {"password": SwitchConfig().password}}


def _brought_up_to_date(url: str, region: str | None) -> list[int]:
    """An upgrade wants the database for itself, so it is left alone when it is the newest: other nodes may be at work. Raises
    `BadValue` for another region than the one that a database has."""
    try:
        check(url)
    except StoreError:
        return upgrade(url, region=region)
    there = region_of(url)
    if region is not None and region != there:
        raise BadValue("--region", f"the database has {there or 'none'}; to change it, see `[numbers] region`")
    return []


def _gateway(*, simulated: bool) -> dict[str, object]:
    """The gateway 1 of the API's examples; the voice application 1 leads to it."""
    dial_string = "sofia/gateway/simulator/{number}" if simulated else ""
    description = "This is default gateway"
    return {
        "name": "Default_Gateway", "description": description, "hostname": "localhost", "dial_string": dial_string,
    }  # fmt: skip


# --- telling ----------------------------------------------------------------------------------------------------------------


def _told(folder: Path, wanted: Wanted, made: Made) -> Iterator[str]:
    yield f"configuration: {folder / CONFIG}"
    if not wanted.server:
        yield f"database:      {folder / DATABASE}"
    elif not made.joined:
        yield f"database:      {shown(wanted.server)}, seeded"
    else:
        names = ", ".join(entry.node.name for entry in made.nodes if entry.node.name != _name(wanted))
        beside = f", beside {names}" if names else ""
        upgraded = f", upgraded to schema {made.applied[-1]}" if made.applied else ""
        yield f"database:      {shown(wanted.server)}, joined as node {_name(wanted)}{beside}{upgraded}"
    if made.seeded.user_added:
        yield f"superuser:     {wanted.username}"
        if wanted.password.generated:
            yield f"password:      {wanted.password.text}   (shown once)"
    else:
        yield f"superuser:     {', '.join(made.seeded.superusers) or wanted.username}, as before"
    first = "" if wanted.simulated else "write the switch's password into the configuration, then "
    yield f"next:          {first}dialer run -c {folder / CONFIG}"


def _notes(wanted: Wanted, made: Made) -> Iterator[str]:
    for node in (entry.node for entry in made.nodes):
        if node.name == _name(wanted):
            yield (
                f"a node {node.name} has dialled with this database (process {node.pid} on {node.host}); two dialers "
                "cannot have one name at the same time: [node] name"
            )


def _name(wanted: Wanted) -> str:
    """The name of the node."""
    return wanted.node or socket.gethostname()


# --- whole or not at all ----------------------------------------------------------------------------------------------------


@contextmanager
def _staged(folder: Path, files: Sequence[str]) -> Iterator[tuple[Folder, Access]]:
    """A folder to fill, which becomes `folder`, or whose files move into it when that exists; and whose its files shall be:
    the owner's of `folder`, when that exists and root fills it. Should anything fail, nothing is left behind. Raises
    `DialerError` when one of `files` is there already."""
    with ExitStack() as stack:
        target = stack.enter_context(_nearest(folder))
        missing = folder.absolute().parts[len(target.path.parts) :]
        if not missing:
            _refuse_existing(target, files)
        uid, gid = target.owner if not missing and os.geteuid() == 0 else (-1, -1)
        private = Access(uid=uid, gid=gid, mode=0o600)
        made: list[tuple[Folder, str]] = []
        try:
            for name in missing[:-1]:
                made.append((target, name))
                target = stack.enter_context(target.make_folder(name, Access(mode=0o777 & ~_umask())))
            name = f".dialer-init-{secrets.token_hex(8)}"
            with target.make_folder(name, Access(mode=0o700)) as stage:
                try:
                    yield stage, private
                    if missing:
                        _become(stage, target, name, missing[-1])
                    else:
                        _refuse_existing(target, files)
                        for file in files:
                            stage.move(file, target, file)
                finally:
                    if (status := target.status(name)) is not None and stat.S_ISDIR(status.st_mode):
                        for file in files:
                            stage.remove(file)
                        with suppress(OSError):
                            target.remove_folder(name)
        except BaseException:
            for parent, name in reversed(made):
                with suppress(OSError):
                    parent.remove_folder(name)
            raise


def _nearest(folder: Path) -> Folder:
    """The folder, or the nearest one around it that exists, under its absolute path."""
    path = folder.absolute()
    while True:
        try:
            return open_folder(path)
        except FileNotFoundError:
            path = path.parent
        except NotADirectoryError:
            raise DialerError(f"{path} exists already, and is not a folder") from None


def _become(stage: Folder, parent: Folder, name: str, new: str) -> None:
    if parent.status(new) is not None:
        raise DialerError(f"{parent.path / new} exists already, and is not overwritten")
    parent.move(name, parent, new)
    with parent.folder(new) as there:
        if not os.path.samestat(os.fstat(there.descriptor), os.fstat(stage.descriptor)):
            raise UnsafeFile(there.path, "is another folder than the one that was just made")


def _refuse_existing(folder: Folder, files: Sequence[str]) -> None:
    for name in files:
        if folder.status(name) is not None:
            raise DialerError(f"{folder.path / name} exists already, and is not overwritten")


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
