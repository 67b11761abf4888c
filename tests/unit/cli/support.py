"""The commands as a user runs them, in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import define, frozen

from dialer.cli.main import main
from dialer.settings_file import settings_file
from dialer.store.location import sqlite_url
from dialer.store.schema import upgrade


@frozen
class Ran:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@define
class Commands:
    """`run("gateway", "list")` runs `dialer gateway list` on the configuration in `folder`."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    @property
    def config(self) -> Path:
        return self.folder / "dialer.toml"

    def furnish(self) -> None:
        self.config.write_text(settings_file({"database": {"url": "sqlite:///dialer.db"}, "simulator": {}}))
        upgrade(sqlite_url(self.folder / "dialer.db"))

    def run(self, *arguments: object) -> Ran:
        return self.bare(*arguments, "--config", self.config)

    def bare(self, *arguments: object) -> Ran:
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as ended:
            status = int(ended.code or 0)
        out, err = self.capsys.readouterr()
        return Ran(status, out, err)

    def good(self, *arguments: object) -> Ran:
        ran = self.run(*arguments)
        assert ran.status == 0, ran.err
        return ran

    def refused(self, *arguments: object) -> str:
        """The one line that tells why the command is wrong."""
        ran = self.run(*arguments)
        assert ran.status == 2, ran
        return self.one_line(ran)

    def failed(self, *arguments: object) -> str:
        """The one line that tells why the command failed."""
        ran = self.run(*arguments)
        assert ran.status == 1, ran
        return self.one_line(ran)

    @staticmethod
    def one_line(ran: Ran) -> str:
        assert ran.err.startswith("dialer: ")
        assert ran.err.count("\n") == 1, ran.err
        return ran.err.removeprefix("dialer: ").strip()
