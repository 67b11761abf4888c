"""The HTTP client of webhooks connects nowhere that it must not, and takes no more of an answer than it needs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.ssl import PrivateCertificate

from dialer.hooks.addresses import AddressRules
from dialer.hooks.http_client import MOST_OF_AN_ANSWER, WebhookClient
from dialer.interfaces import ReceiverAnswer
from tests import receiver as answers
from tests.receiver import Receiver

LOOPBACK = AddressRules((ip_network("127.0.0.0/8"),))
PUBLIC = "93.184.215.14"


class Names:
    """A resolver whose answers are told one after the other; the last one stays."""

    def __init__(self, *found: list[str]) -> None:
        self.found = list(found)
        self.asked = 0

    def __call__(self, host: str, port: int) -> Deferred[list[str]]:
        self.asked += 1
        return succeed(self.found.pop(0) if len(self.found) > 1 else self.found[0])


@asynccontextmanager
async def scene(rules: AddressRules = LOOPBACK, **more: Any) -> AsyncIterator[tuple[Receiver, WebhookClient]]:
    from twisted.internet import reactor

    receiver, client = Receiver().start(), WebhookClient(reactor, rules, **more)
    try:
        yield receiver, client
    finally:
        await client.close()
        await receiver.stop()


async def post(client: WebhookClient, url: str) -> ReceiverAnswer:
    return await client.send(url, {"webhook-id": "evt_1"}, b'{"type":"attempt.ended","id":"evt_1"}')


@pytest_twisted.ensureDeferred
async def test_requests_share_connections_that_are_kept() -> None:
    async with scene() as (receiver, client):
        for _ in range(5):
            assert (await post(client, receiver.url)).status == 200
        assert (len(receiver.requests), receiver.connections) == (5, 1)
        assert receiver.requests[0].headers["content-type"] == "application/json"
        assert "accept-encoding" not in receiver.requests[0].headers


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433", "127.1"])
@pytest_twisted.ensureDeferred
async def test_this_machine_is_connected_to_under_no_name(host: str) -> None:
    async with scene(AddressRules(http=True)) as (receiver, client):
        answer = await post(client, f"http://{host}:{receiver.port}/")
        assert answer.status is None
        assert answer.error
        assert receiver.connections == 0


@pytest_twisted.ensureDeferred
async def test_a_name_that_means_this_machine_is_refused_whatever_it_meant_before() -> None:
    names = Names([PUBLIC], ["127.0.0.1"])
    async with scene(AddressRules(http=True), resolve=names, timeout=0.3) as (receiver, client):
        assert AddressRules(http=True).refusal((await names("rebinding.example", receiver.port))[0], secure=False) == ""
        answer = await post(client, f"http://rebinding.example:{receiver.port}/")
        assert "127.0.0.1 is no public address" in answer.error
        assert receiver.connections == 0


@pytest_twisted.ensureDeferred
async def test_each_connection_looks_the_name_up_anew() -> None:
    names = Names(["127.0.0.1"], ["10.0.0.1"])
    async with scene(resolve=names) as (receiver, client):
        url = f"http://rebinding.example:{receiver.port}/"
        receiver.answer = lambda *_: answers.status("200 OK", "Connection: close")
        assert (await post(client, url)).status == 200
        assert "10.0.0.1 is no public address" in (await post(client, url)).error
        assert (names.asked, receiver.connections) == (2, 1)


@pytest_twisted.ensureDeferred
async def test_addresses_that_will_not_do_are_passed_over() -> None:
    async with scene(resolve=Names(["10.0.0.1", "::1", "127.0.0.1"])) as (receiver, client):
        assert (await post(client, f"http://mixed.example:{receiver.port}/")).status == 200


@pytest_twisted.ensureDeferred
async def test_a_name_that_is_not_known_is_told() -> None:
    async with scene(resolve=lambda *_: fail(OSError("no such name"))) as (_, client):
        assert (await post(client, "http://nowhere.example/")).error == (
            "DNS lookup failed: the name nowhere.example is not known."
        )


@pytest_twisted.ensureDeferred
async def test_redirects_are_not_followed() -> None:
    async with scene() as (receiver, client):
        receiver.answer = lambda *_: answers.status("307 Elsewhere", f"Location: {receiver.url}")
        answer = await post(client, receiver.url)
        assert (answer.status, answer.is_success, len(receiver.requests)) == (307, False, 1)


@pytest_twisted.ensureDeferred
async def test_cookies_are_not_kept_and_proxies_of_the_environment_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    async with scene() as (receiver, client):
        receiver.answer = lambda *_: answers.status("200 OK", "Set-Cookie: a=b; Path=/")
        for _ in range(2):
            assert (await post(client, receiver.url)).status == 200
        assert "cookie" not in receiver.requests[1].headers


@pytest.mark.parametrize("answering", [answers.endless, answers.lies_about_length, answers.cuts_the_body, answers.bomb])
@pytest_twisted.ensureDeferred
async def test_2xx_counts_whatever_the_body_is(answering: Any) -> None:
    async with scene(timeout=0.5) as (receiver, client):
        receiver.answer = lambda *_: answering
        assert (await post(client, receiver.url)).status == 200
        assert receiver.poured < 8_000_000


@pytest_twisted.ensureDeferred
async def test_headers_without_an_end_are_cut_off() -> None:
    async with scene(timeout=10) as (receiver, client):
        receiver.answer = lambda *_: answers.endless_headers
        answer = await post(client, receiver.url)
        assert answer.status is None
        assert answer.milliseconds < 5000
        assert MOST_OF_AN_ANSWER < receiver.poured < 8_000_000


@pytest.mark.parametrize(
    ("answering", "problem"),
    [(answers.stalled, "no answer within"), (answers.garbage, "no HTTP"), (answers.reset, "Connection")],
)
@pytest_twisted.ensureDeferred
async def test_what_is_no_answer_is_told(answering: Any, problem: str) -> None:
    async with scene(timeout=0.3) as (receiver, client):
        receiver.answer = lambda *_: answering
        answer = await post(client, receiver.url)
        assert answer.status is None
        assert problem in answer.error


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of pyOpenSSL, inside Twisted
@pytest_twisted.ensureDeferred
async def test_certificates_are_verified() -> None:
    from twisted.internet import reactor
    from twisted.internet.protocol import Factory
    from twisted.internet.ssl import DN, KeyPair

    key = KeyPair.generate()
    request = key.certificateRequest(DN(CN="127.0.0.1"))
    signed = key.signCertificateRequest(DN(CN="nobody"), request, lambda _: True, 1)
    certificate: PrivateCertificate = key.newCertificate(signed)
    received = Receiver()
    factory = Factory()
    factory.buildProtocol = lambda _: answers.Connection(received)  # type: ignore[method-assign]
    port = reactor.listenSSL(0, factory, certificate.options(), interface="127.0.0.1")
    async with scene() as (_, client):
        answer = await post(client, f"https://127.0.0.1:{port.getHost().port}/")
        assert "certificate verify failed" in answer.error
        assert received.requests == []
    await port.stopListening()
