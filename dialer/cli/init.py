"""`dialer init`: a folder with all that a dialer needs to run."""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dialer.accounts import hash_password
from dialer.cli.blocking import with_database
from dialer.cli.passwords import Password, from_file, generated
from dialer.cli.users import Users
from dialer.errors import DialerError
from dialer.esl.inbound import SwitchConfig
from dialer.model import VoipAppType
from dialer.service import utc_now
from dialer.settings_file import Values, settings_file
from dialer.store.admin import Admin
from dialer.store.database import Database
from dialer.store.drafts import NewGateway, NewUser, NewVoipApp
from dialer.store.location import sqlite_url
from dialer.store.schema import upgrade

CONFIG = "dialer.toml"
DATABASE = "dialer.db"

REAL: Values = {"database": {"url": f"sqlite:///{DATABASE}"}, "switch": {"password": SwitchConfig().password}}
SIMULATED: Values = {
    "database": {"url": f"sqlite:///{DATABASE}"},
    "simulator": {},
    "outbound": {"endpoint": "tcp:0:interface=127.0.0.1"},
}


def add_parser(commands: Any) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        "init",
        help="make a folder with a configuration, a database and a first user",
        description=f"Makes DIR with {CONFIG} (every setting, explained), a database, a superuser, a gateway and a voice "
        "application. Nothing that exists is overwritten.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="made when it does not exist")
    parser.add_argument(
        "--simulator", action="store_true", help="the dialer shall call the built-in simulator, not a FreeSWITCH"
    )
    parser.add_argument("--user", default="admin", metavar="NAME", help="the superuser (default: %(default)s)")
    parser.add_argument(
        "--password-file",
        metavar="FILE",
        help="its first line is the superuser's password; - is standard input (default: one is made up and shown)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Make the folder, whole or not at all."""
    username = Users().parse_name(arguments.user)
    password = generated() if arguments.password_file is None else Password(from_file(arguments.password_file))
    folder: Path = arguments.folder
    try:
        with _staged(folder) as stage:
            _fill(stage, username, password, simulated=arguments.simulator)
    except OSError as error:
        raise DialerError(f"{error.filename or folder}: {error.strerror}") from None
    print(f"configuration: {folder / CONFIG}")
    print(f"database:      {folder / DATABASE}")
    print(f"superuser:     {username}")
    if password.generated:
        print(f"password:      {password.text}   (shown once)")
    first = "" if arguments.simulator else "write the switch's password into the configuration, then "
    print(f"next:          {first}dialer run -c {folder / CONFIG}")
    return 0


def _fill(stage: Path, username: str, password: Password, *, simulated: bool) -> None:
    # It holds the switch's password.
    descriptor = os.open(stage / CONFIG, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(settings_file(SIMULATED if simulated else REAL))
    url = sqlite_url(stage / DATABASE)
    upgrade(url)
    user = NewUser(username=username, password_hash=hash_password(password.text), is_superuser=True)

    async def furnish(database: Database) -> None:
        admin, now = Admin(database), utc_now()
        await admin.create_user(user, now)
        gateway_id = await admin.create_gateway(_gateway(simulated=simulated), now)
        await admin.create_voip_app(_voip_app(gateway_id), now)

    with_database(url, furnish)


def _gateway(*, simulated: bool) -> NewGateway:
    """The gateway 1 of the API's examples."""
    dial_string = "sofia/gateway/simulator/{number}" if simulated else ""
    return NewGateway(
        name="Default_Gateway", description="This is default gateway", hostname="localhost", dial_string=dial_string
    )


def _voip_app(gateway_id: int) -> NewVoipApp:
    """The voice application 1 of the API's examples."""
    return NewVoipApp(name="Default_VoIP_App", type=VoipAppType.DIAL, gateway_id=gateway_id)


@contextmanager
def _staged(folder: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `folder`, or whose files move into it when that exists. Should anything fail, nothing is
    left behind. Raises `DialerError` when a file is there already."""
    _refuse_existing(folder)
    parent = folder if folder.is_dir() else folder.absolute().parent
    parent.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(prefix=".dialer-init-", dir=parent))
    try:
        yield stage
        _refuse_existing(folder)
        if folder.is_dir():
            # The configuration comes last: without it, there is nothing that could be run.
            for name in (DATABASE, CONFIG):
                (stage / name).rename(folder / name)
        else:
            stage.rename(folder)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _refuse_existing(folder: Path) -> None:
    for path in (folder / CONFIG, folder / DATABASE):
        if path.exists() or path.is_symlink():
            raise DialerError(f"{path} exists already, and is not overwritten")
    if folder.exists() and not folder.is_dir():
        raise DialerError(f"{folder} exists already, and is not a folder")
