"""The commands as a user runs them, in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field, frozen

from dialer.cli.main import main
from dialer.settings_file import settings_file
from dialer.store.location import sqlite_url
from tests.grounds import furnished_database, new_database


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
    url: str = field()

    @url.default
    def _in_folder(self) -> str:
        return sqlite_url(self.folder / "dialer.db")

    @property
    def config(self) -> Path:
        return self.folder / "dialer.toml"

    def furnish(self, *how: Callable[[Commands], object]) -> Commands:
        """A configuration, and a database that is empty, or a copy of one on which these functions have run their commands,
        once for all tests that begin so."""
        if not how:
            self.use(new_database(self.folder))
            return self

        def furnish(url: str) -> None:
            self.use(url)
            for each in how:
                each(self)

        what = " ".join(f"{each.__module__}.{each.__qualname__}" for each in how)
        self.use(furnished_database(self.folder, what, furnish))
        return self

    def use(self, url: str) -> None:
        """A configuration for that database."""
        self.url = url
        self.config.write_text(settings_file({"database": {"url": url}, "rules": {"apply": "none"}, "simulator": {}}))

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
