"""Who asks: logins, their memory, and throttles."""

from __future__ import annotations

from pathlib import Path

import pytest
import pytest_twisted
from argon2 import PasswordHasher
from attrs import define, evolve, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from api.authentication import Authentication
from api.errors import HttpError
from dialer.accounts import hash_password, verify_password
from dialer.errors import Busy, StoreError
from dialer.management.workers import Lane
from dialer.model import Account
from dialer.settings import HttpSettings
from tests.unit.api.world import CAMPAIGN, MANY, World, basic, cheap_hash, world

ANN = Account(id=1, username="ann")
RIGHT = basic("ann", "right").encode()


def wrong(number: int = 0, user: str = "ann") -> bytes:
    return basic(user, f"wrong{number}").encode()


@define(eq=False)
class Verifier:
    """The backend's part in a login. With `hold`, answers wait in `waiting`."""

    asked: list[tuple[str, str]] = field(factory=list)
    error: Exception | None = None
    hold: bool = False
    waiting: list[Deferred[Account | None]] = field(factory=list)
    lanes: list[Lane] = field(factory=list)

    def authenticate(self, username: str, password: str, lane: Lane) -> Deferred[Account | None]:
        self.lanes.append(lane)
        self.asked.append((username, password))
        if self.error is not None:
            return fail(self.error)
        if self.hold:
            self.waiting.append(Deferred())
            return self.waiting[-1]
        return succeed(ANN if (username, password) == ("ann", "right") else None)


@define(eq=False)
class Door:
    """A gate on a stepped clock."""

    settings: HttpSettings = field(factory=HttpSettings)
    clock: Clock = field(factory=Clock)
    verifier: Verifier = field(factory=Verifier)
    gate: Authentication = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.gate = Authentication(self.verifier, self.settings, self.clock)  # type: ignore[arg-type]

    def knock(self, header: bytes | None, address: str = "10.0.0.1") -> int:
        """The status that a request would have so far."""
        if self.gate.recall(header) is not None:
            return 200
        found: list[object] = []
        try:
            self.gate.identify(header, address).addBoth(found.append)
        except HttpError as error:
            return error.status
        if isinstance(found[0], Account):
            return 200
        return int(found[0].value.status)  # type: ignore[attr-defined]


def test_a_right_password_is_verified_once_while_it_is_remembered() -> None:
    door = Door()
    assert [door.knock(RIGHT) for _ in range(3)] == [200, 200, 200]
    assert len(door.verifier.asked) == 1
    door.clock.advance(9.9)
    assert door.knock(RIGHT) == 200
    assert len(door.verifier.asked) == 1
    door.clock.advance(0.1)
    assert door.knock(RIGHT) == 200
    assert len(door.verifier.asked) == 2


def test_a_wrong_password_is_never_remembered_and_the_memory_holds_no_password() -> None:
    door = Door()
    assert [door.knock(wrong()) for _ in range(3)] == [401, 401, 401]
    assert len(door.verifier.asked) == 3
    door.knock(RIGHT)
    remembered = repr((door.gate._logins, door.gate._under_way))
    assert "ann" in remembered
    assert "right" not in remembered
    assert RIGHT.partition(b" ")[2].decode() not in remembered


@pytest.mark.parametrize(
    "header", [None, b"", b"Bearer x", b"Basic", b"Basic !!!", b"Basic /w==", b"Basic YW5u", b"Basic OnJpZ2h0", b"x" * 9000]
)
def test_a_header_that_is_no_basic_login_is_401_and_asks_nobody(header: bytes | None) -> None:
    door = Door()
    assert door.knock(header) == 401
    assert door.verifier.asked == []


def test_requests_with_one_header_share_one_verification() -> None:
    door = Door(verifier=Verifier(hold=True))
    answers = [door.gate.identify(RIGHT, "10.0.0.1") for _ in range(5)]
    assert len(door.verifier.asked) == 1
    door.verifier.waiting[0].callback(ANN)
    assert [answer.result for answer in answers] == [ANN] * 5


def test_a_user_has_so_many_failed_logins_a_minute() -> None:
    door = Door(HttpSettings(failed_logins_per_user=3, failed_logins_per_address=0))
    assert [door.knock(wrong(n), f"10.0.0.{n}") for n in range(5)] == [401, 401, 401, 429, 429]
    assert door.knock(RIGHT) == 429, "guessing does not go on with the right one among the guesses"
    assert door.knock(wrong(user="bob")) == 401
    door.clock.advance(20)
    assert door.knock(wrong(9)) == 401
    assert door.knock(wrong(9)) == 429


def test_an_address_has_so_many_failed_logins_a_minute() -> None:
    door = Door(HttpSettings(failed_logins_per_user=0, failed_logins_per_address=3))
    assert [door.knock(wrong(user=f"user{n}")) for n in range(4)] == [401, 401, 401, 429]
    assert door.knock(wrong(user="user9"), "10.0.0.2") == 401


def test_nobody_locks_out_a_user_whose_password_was_right_within_the_hour() -> None:
    door = Door(HttpSettings(failed_logins_per_user=3))
    assert door.knock(RIGHT) == 200
    door.clock.advance(1800)
    for number in range(5):
        door.knock(wrong(number), "10.6.6.6")
    assert door.knock(wrong(9), "10.6.6.6") == 429
    assert door.knock(RIGHT) == 200
    door.clock.advance(3600)
    for number in range(5):
        door.knock(wrong(number), "10.6.6.6")
    assert door.knock(RIGHT) == 429


def test_right_logins_are_not_counted_as_failed() -> None:
    door = Door(HttpSettings(failed_logins_per_user=2, login_memory=0))
    assert [door.knock(RIGHT) for _ in range(10)] == [200] * 10


def test_logins_that_are_under_way_count_as_failed_until_they_have_succeeded() -> None:
    door = Door(HttpSettings(failed_logins_per_user=3), verifier=Verifier(hold=True))
    for number in range(3):
        door.gate.identify(wrong(number), "10.0.0.1")
    with pytest.raises(HttpError) as refused:
        door.gate.identify(wrong(3), "10.0.0.1")
    assert refused.value.status == 429
    assert refused.value.headers["Retry-After"] == "20"
    for waiting in door.verifier.waiting:
        waiting.callback(ANN)
    door.gate.identify(wrong(4), "10.0.0.1")


@pytest.mark.parametrize("error", [StoreError("away"), Busy("queue")])
def test_a_login_that_could_not_be_verified_is_no_failed_one(error: Exception) -> None:
    door = Door(HttpSettings(failed_logins_per_user=2), verifier=Verifier(error=error))
    for _ in range(5):
        failure: list[object] = []
        door.gate.identify(RIGHT, "10.0.0.1").addErrback(failure.append)
        assert failure[0].check(type(error))  # type: ignore[attr-defined]
    door.verifier.error = None
    assert door.knock(RIGHT) == 200


def test_a_user_has_so_many_requests_a_minute_and_is_told_when_to_come_again() -> None:
    door = Door(HttpSettings(requests_per_minute=3))
    for _ in range(3):
        door.gate.admit(ANN)
    with pytest.raises(HttpError) as refused:
        door.gate.admit(ANN)
    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "20"})
    assert refused.value.sentence == "Too many requests; 3 a minute are allowed"
    door.gate.admit(evolve(ANN, id=2))
    door.clock.advance(20)
    door.gate.admit(ANN)


# --- on a database --------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_only_an_active_user_with_the_right_password_gets_in(api: World) -> None:
    api.sql("UPDATE user_account SET password_hash = '' WHERE username = 'bob'")
    for user, password in (
        ("ann", "bob"),
        ("ann", ""),
        ("Ann", "ann"),
        ("bob", ""),
        ("bob", "bob"),
        ("eve", "eve"),
        ("ann' --", "x"),
    ):
        reply = await api.get("campaign/", user=user, password=password)
        assert reply.refusal == (401, "Authorization Required")
        assert reply.headers["www-authenticate"] == 'Basic realm="Newfies Application"'
    assert (await api.get("campaign/", user=None)).status == 401
    assert (await api.get("campaign/")).status == 200
    api.sql("UPDATE user_account SET is_active = 0 WHERE username = 'root'")
    assert (await api.get("campaign/", user="root")).status == 401


@pytest_twisted.ensureDeferred
async def test_a_user_that_was_locked_while_it_is_remembered_writes_nothing(api: World) -> None:
    await api.campaign()
    await api.contact("1230")
    api.sql("UPDATE user_account SET is_active = 0 WHERE username = 'ann'")
    before = api.dump()
    for method, path, data in (
        ("POST", "campaign/", {"name": "x", "aleg_gateway": 1, "voipapp": 1}),
        ("PUT", "campaign/1", {"status": 2}),
        ("POST", "phonebook/", {"name": "x"}),
        ("POST", "contact/", {"contact": "1", "phonebook_id": 1}),
        ("POST", "bulkcontact/", {"phoneno_list": "1", "phonebook_id": 1}),
        ("PUT", "contact/1/1230", {"status": 2}),
    ):
        assert (await api.ask(method, path, data)).status == 401
    assert api.dump() == before


# --- a user that was changed since ------------------------------------------------------------------------------------------

CHANGES = {
    "another password": f"password_hash = '{cheap_hash('new')}'",
    "locked": "is_active = 0",
    "removed": "is_active = 0, password_hash = '', archived_at = created_at",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest_twisted.ensureDeferred
async def test_a_change_of_a_user_acts_at_once_on_every_request(api: World, change: str) -> None:
    await api.campaign()
    await api.contact("1230")
    api.site.use(evolve(MANY, failed_logins_per_user=0, failed_logins_per_address=0))
    as_before = f"password_hash = '{cheap_hash('ann')}', is_active = 1, archived_at = NULL"
    for method, path, data in (
        ("GET", "campaign/", None),
        ("GET", "campaign/1/", None),
        ("GET", "phonebook/", None),
        ("GET", "phonebook/1/", None),
        ("GET", "contact/1/", None),
        ("GET", "contact/1/1230/", None),
        ("POST", "campaign/", {"name": "x", "aleg_gateway": 1, "voipapp": 1}),
        ("PUT", "campaign/1/", {"status": 2}),
        ("POST", "phonebook/", {"name": "x"}),
        ("POST", "contact/", {"contact": "1", "phonebook_id": 1}),
        ("POST", "bulkcontact/", {"phoneno_list": "1", "phonebook_id": 1}),
        ("PUT", "contact/1/1230/", {"status": 2}),
    ):
        api.sql(f"UPDATE user_account SET {as_before} WHERE username = 'ann'")
        assert (await api.get("phonebook/")).status == 200
        api.sql(f"UPDATE user_account SET {change} WHERE username = 'ann'")
        before = api.dump()
        assert (await api.ask(method, path, data)).status == 401, (method, path)
        assert api.dump() == before


@pytest_twisted.ensureDeferred
async def test_a_new_password_works_at_once_also_when_it_is_the_old_one(api: World) -> None:
    assert (await api.get("campaign/")).status == 200
    for password in ("new", "ann"):
        salted = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(password)
        api.sql("UPDATE user_account SET password_hash = ? WHERE username = 'ann'", salted)
        assert (await api.get("campaign/", password=password)).status == 200
    assert (await api.get("campaign/", password="new")).status == 401


@pytest_twisted.ensureDeferred
async def test_a_demoted_superuser_has_at_once_no_more_than_its_own(api: World) -> None:
    await api.campaign("anns")
    await api.campaign("roots", user="root")
    assert len((await api.get("campaign/", user="root")).json) == 2
    api.sql("UPDATE user_account SET is_superuser = 0 WHERE username = 'root'")
    before = api.dump()
    assert (await api.put("campaign/1/", {"status": "2"}, user="root")).refusal == (404, "Campaign not found.")
    assert (await api.post("contact/", {"contact": "1", "phonebook_id": 1}, user="root")).status == 400
    assert (await api.get("campaign/1/", user="root")).status == 404
    assert [each["name"] for each in (await api.get("campaign/", user="root")).json] == ["roots"]
    assert api.dump() == before
    api.sql("UPDATE user_account SET is_superuser = 1 WHERE username = 'root'")
    assert (await api.put("campaign/1/", {"status": "2"}, user="root")).status == 200


# --- pages of other sites ---------------------------------------------------------------------------------------------------

FOREIGN: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1"},
    {"Sec-Fetch-Site": "rubbish"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://["},
    {"Origin": "http://127.0.0.1.evil.example"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest_twisted.ensureDeferred
async def test_a_form_of_another_sites_page_changes_nothing(api: World, headers: dict[str, str]) -> None:
    await api.campaign()
    before = api.dump()
    for method, path, data in (
        ("POST", "campaign/", {**CAMPAIGN, "name": "forged"}),
        ("PUT", "campaign/1/", {"status": "3"}),
        ("POST", "bulkcontact/", {"phoneno_list": "1", "phonebook_id": 1}),
    ):
        reply = await api.ask(method, path, data, headers=headers)
        assert reply.refusal == (403, "The request comes from a page of another site")
    assert api.dump() == before


@pytest_twisted.ensureDeferred
async def test_a_page_of_this_host_and_clients_that_are_no_browsers_go_on(api: World) -> None:
    host = api.address.removeprefix("http://")
    for number, headers in enumerate(
        (
            {},
            {"Sec-Fetch-Site": "same-origin", "Origin": "https://as.the.proxy.calls.it"},
            {"Sec-Fetch-Site": "none"},
            {"Origin": f"http://{host.upper()}"},
            {"Origin": "https://dialer.example", "X-Forwarded-Host": "dialer.example"},
        )
    ):
        reply = await api.post("phonebook/", {"name": f"book {number}"}, headers=headers)
        assert reply.status == 200, headers
    assert (await api.get("campaign/", headers={"Origin": "https://evil.example"})).status == 200


# --- how often --------------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_the_request_rate_is_the_users_over_http(tmp_path: Path) -> None:
    async with world(tmp_path, evolve(MANY, requests_per_minute=3)) as api:
        assert [(await api.get("campaign/")).status for _ in range(3)] == [200] * 3
        reply = await api.get("campaign/")
        assert reply.refusal == (503, "Too many requests; 3 a minute are allowed")
        assert 1 <= int(reply.headers["retry-after"]) <= 20
        assert (await api.get("campaign/", user="bob")).status == 200


@pytest_twisted.ensureDeferred
async def test_failed_logins_are_throttled_over_http(tmp_path: Path) -> None:
    async with world(tmp_path, evolve(MANY, failed_logins_per_user=2)) as api:
        statuses = [(await api.get("campaign/", password=f"wrong{n}")).status for n in range(3)]
        assert statuses == [401, 401, 429]
        reply = await api.get("campaign/", password="wrong")
        assert reply.refusal == (429, "Too many failed logins; try again later")
        assert 1 <= int(reply.headers["retry-after"]) <= 30


def test_a_password_is_stored_as_argon2id_and_only_it_is_right() -> None:
    stored = hash_password("pässword")
    assert stored.startswith("$argon2id$")
    assert "pässword" not in stored
    assert verify_password(stored, "pässword")
    assert not verify_password(stored, "password")
    assert not verify_password("", "")
    assert not verify_password("rubbish", "rubbish")
