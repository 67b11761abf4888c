"""Users and tokens, by the API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from dialer.cli.remote import values
from dialer.client import ApiRefused, Client
from dialer.errors import BadValue, NotFound
from dialer.management import grants, removals, tokens, users
from dialer.model import Account, MadeToken, Token, User, UserDetails


def _users(client: Client) -> list[UserDetails]:
    """All of them for a superuser, else the one that asks."""
    try:
        return [_user(each) for each in client.users.list()]
    except ApiRefused as error:
        if error.kind != "forbidden":
            raise
    return [UserDetails(user=values.read(User, client.me()))]


def _user(given: Mapping[str, Any]) -> UserDetails:
    """A password's hash is told of by being there, and not itself."""
    lists = {name: tuple(given[name]) for name in ("blacklist", "whitelist", "gateways", "voip_apps")}
    return UserDetails(user=values.read(User, given, password_hash="*" if given["has_password"] else ""), **lists)


def account(client: Client, username: str) -> Account:
    """The user of that name, as far as the login sees it. Raises `NotFound`."""
    for each in _users(client):
        if each.user.username == username:
            return Account(id=each.user.id, username=username)
    raise NotFound("user", username)


def _account_of(client: Client, user_id: int) -> Account:
    return Account(id=user_id, username="")


def _creator(client: Client, username: str | None) -> Account:
    me = client.me()
    if username not in (None, me["username"]):
        raise BadValue("--user", f"over --server, new things belong to the user of the login: {me['username']}")
    return Account(id=me["id"], username=me["username"])


def _create(client: Client, given: Mapping[str, Any]) -> int:
    return client.users.create(**_settings(given))["id"]


def _change(client: Client, key: int, given: Mapping[str, Any]) -> None:
    client.users.change(key, **_settings(given))


def _settings(given: Mapping[str, Any]) -> Any:
    own = {name: each for name, each in given.items() if name not in ("password", *users.LISTS)}
    lists = {name: list(given[name]) for name in users.LISTS if name in given}
    password = {"password": given["password"]} if "password" in given else {}
    return {**values.written(User, own), **lists, **password}


def _remove_with_everything(client: Client, key: int) -> None:
    client.users.change(key, is_active=False)
    for resource in (client.campaigns, client.phonebooks):
        for each in [each["id"] for each in resource.list() if each["user_id"] == key]:
            resource.delete(each)
    client.users.delete(key)


def _holders(client: Client) -> dict[str, dict[int, tuple[str, ...]]]:
    """As far as the login sees users."""
    found: dict[str, dict[int, tuple[str, ...]]] = {}
    details = sorted((each for each in _users(client) if not each.user.is_superuser), key=lambda each: each.user.username)
    for noun, resource, attribute in (
        ("gateway", client.gateways, "gateways"),
        ("voip app", client.voice_applications, "voip_apps"),
    ):
        found[noun] = {
            thing["id"]: tuple(each.user.username for each in details if thing["name"] in getattr(each, attribute))
            for thing in resource.list()
        }
    return found


def _granting(verb: str) -> Callable[[Client, int, Mapping[str, Iterable[int]]], None]:
    def change(client: Client, key: int, things: Mapping[str, Iterable[int]]) -> None:
        wanted: Any = {"gateway_ids": list(things["gateway"]), "voip_app_ids": list(things["voip app"])}
        getattr(client.users, verb)(key, **wanted)

    return change


def _token(given: Mapping[str, Any]) -> Token:
    return values.read(Token, given, secret_hash="")


def _make_token(client: Client, who: Account, given: Mapping[str, Any]) -> MadeToken:
    wanted: Any = values.written(Token, values.entered(Token, given))
    made = client.tokens.create(user_id=who.id, **wanted)
    return MadeToken(token=_token(made), text=made["token"] or "")


ASKED: Final[Mapping[Callable[..., Any], Callable[..., Any]]] = {
    users.listed: _users,
    users.account: account,
    users.account_of: _account_of,
    users.owner: _creator,
    users.enter: _create,
    users.change_entered: _change,
    removals.user: _remove_with_everything,
    removals.user_without_anything: lambda client, key: client.users.delete(key),
    grants.holders: _holders,
    grants.grant: _granting("grant"),
    grants.revoke: _granting("revoke"),
    tokens.create: _make_token,
    tokens.listed: lambda client, who: [_token(each) for each in client.tokens.list()],
    tokens.revoke: lambda client, who, key: client.tokens.delete(key),
}
