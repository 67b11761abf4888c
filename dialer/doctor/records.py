"""Whether the switch's call detail records arrive where they are sent to."""

from __future__ import annotations

import base64
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import Agent
from twisted.web.http_headers import Headers

from dialer.doctor.diagnosis import Diagnosis, failure, ok, warning
from dialer.freeswitch.by_hand import read_parameters
from dialer.freeswitch.content import is_loopback

CHECK = "cdr"
PATIENCE = 5.0


def judge_configuration(loaded: bool, located: str) -> Diagnosis | list[tuple[str, str]]:
    """Either a finding, or the (url, credentials) to try. `located` is the answer to `xml_locate configuration
    configuration name json_cdr.conf`."""
    if not loaded:
        return ok(CHECK, "no call detail records are written (mod_json_cdr is not loaded), and none are needed")
    pairs = read_parameters(located.encode()) or []
    found = dict(pairs)
    urls = [value for name, value in pairs if name == "url" and value]
    if urls:
        return [(url, found.get("cred", "")) for url in urls]
    folder = found.get("log-dir")
    if folder is None:
        return ok(CHECK, "mod_json_cdr is loaded, and told to write nothing")
    return warning(
        CHECK,
        f"mod_json_cdr writes a file for each call ({folder or 'json_cdr'} below the log folder) and posts none",
        "see that somebody collects the files, or unload mod_json_cdr",
    )


class _Drain(Protocol):
    """Reads an answer to its end, so that the connection is closed."""

    def __init__(self) -> None:
        self.done: Deferred[None] = Deferred()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802
        """Twisted: that was all."""
        if not self.done.called:
            self.done.callback(None)


async def try_url(reactor: Any, switch_host: str, url: str, credentials: str) -> Diagnosis:
    """Ask for the URL as mod_json_cdr would, but without a record: a record that never was must not be stored."""
    host = url.partition("://")[2].partition("/")[0].rpartition("@")[2].rpartition(":")[0]
    if is_loopback(host) and not is_loopback(switch_host):
        return warning(CHECK, f"records go to {url}, which is the switch's own machine", "see there that they arrive")
    headers = Headers({"User-Agent": ["dialer doctor"]})
    if credentials:
        token = base64.b64encode(credentials.encode()).decode()
        headers.addRawHeader("Authorization", f"Basic {token}")
    try:
        asking: Deferred[Any] = Agent(reactor, connectTimeout=PATIENCE).request(b"GET", url.encode(), headers)
        response = await asking.addTimeout(PATIENCE, reactor)
        drained = _Drain()
        response.deliverBody(drained)
        await drained.done.addTimeout(PATIENCE, reactor)
    except Exception as error:
        # Anything that the agent raises for a URL, a host or a connection.
        why = str(error) or type(error).__name__
        return warning(
            CHECK,
            f"records cannot be posted to {url} ({why}): they are kept as files (err-log-dir)",
            "start the program that listens there, or take the url out of json_cdr.conf.xml",
        )
    return _judge_status(url, response.code)


def _judge_status(url: str, status: int) -> Diagnosis:
    """Anything but these means that somebody there knows the address, be it that only a POST is liked."""
    if status in (401, 403):
        return failure(CHECK, f"{url} refuses the credentials ({status})", "see cred in json_cdr.conf.xml")
    if status == 404 or status >= 500:
        return failure(CHECK, f"{url} answers {status}", "see url in json_cdr.conf.xml")
    return ok(CHECK, f"records are posted to {url}, which answers")
