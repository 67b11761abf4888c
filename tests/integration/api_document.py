"""The commands and answers of docs/api.md and docs/api-v2.md, and running them."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

from attrs import frozen

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
PAGE_V2 = PAGE.with_name("api-v2.md")
DOCUMENTED_ADDRESS = "127.0.0.1:8000"

_PAIR = re.compile(r"```sh\n(curl [^\n]+)\n```\n\n```http\n(HTTP/1\.1 [^\n]+)\n(?:\n(.*?)\n)?```", re.DOTALL)
_FILE = re.compile(r"<!-- ([\w.]+) -->\n```csv\n(.*?)```", re.DOTALL)
_TIMES = re.compile(r'("(?:created|updated)_date": )"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"')
_CHANGING = re.compile(
    r'("(?:created_at|updated_at|started_at|ended_at|last_used_at|request_id|token|public_id|secret)": )"[^"]*"'
)
"""In the answers of the API v2."""


@frozen
class Answer:
    """A status line and a body whose times of creation are blotted out."""

    status: str
    body: Any


@frozen
class Example:
    """A command and what it answers."""

    command: str
    answer: Answer


def examples(text: str) -> list[Example]:
    """All of the page's, in order."""
    found = [Example(command, answer(status, body)) for command, status, body in _PAIR.findall(text)]
    if len(found) != text.count("\ncurl "):
        raise ValueError("a command has no answer below it")
    return found


def answer(status: str, body: str) -> Answer:
    """The answer in a form that can be compared."""
    plain = json.dumps(json.loads(body) if body.strip() else None, indent=2)
    return Answer(status.strip(), json.loads(_CHANGING.sub(r'\1"some"', _TIMES.sub(r'\1"some time"', plain))))


def files(text: str) -> dict[str, str]:
    """Those that commands of the page send, by their names."""
    return dict(_FILE.findall(text))


def run(command: str, address: str, folder: Path | None = None) -> tuple[str, dict[str, str], str]:
    """Run it in a folder against a service at `address`: status line, headers, body."""
    arguments = shlex.split(command.replace(DOCUMENTED_ADDRESS, address))
    done = subprocess.run([*arguments, "--silent"], capture_output=True, check=True, timeout=30, cwd=folder)
    output = done.stdout.decode()
    head, _, body = output.replace("\r\n", "\n").partition("\n\n")
    status, *lines = head.split("\n")
    return status, {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}, body
