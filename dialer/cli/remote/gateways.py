"""Gateways and voice applications, by the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from dialer.cli.remote import values
from dialer.client import Client
from dialer.management import gateways
from dialer.model import Gateway, VoipApp


def _listed(resource: str, noun: type, client: Client, who: object) -> list[Any]:
    return [values.read(noun, each) for each in getattr(client, resource).list()]


def _create(resource: str, noun: type, client: Client, given: Mapping[str, Any]) -> int:
    return int(getattr(client, resource).create(**values.written(noun, given))["id"])


def _change(resource: str, noun: type, client: Client, key: int, given: Mapping[str, Any]) -> None:
    getattr(client, resource).change(key, **values.written(noun, given))


def _remove(resource: str, client: Client, key: int) -> None:
    getattr(client, resource).delete(key)


ASKED: Final[Mapping[Callable[..., Any], Callable[..., Any]]] = {
    gateways.listed: partial(_listed, "gateways", Gateway),
    gateways.create: partial(_create, "gateways", Gateway),
    gateways.change: partial(_change, "gateways", Gateway),
    gateways.remove: partial(_remove, "gateways"),
    gateways.applications: partial(_listed, "voice_applications", VoipApp),
    gateways.create_application: partial(_create, "voice_applications", VoipApp),
    gateways.change_application: partial(_change, "voice_applications", VoipApp),
    gateways.remove_application: partial(_remove, "voice_applications"),
}
