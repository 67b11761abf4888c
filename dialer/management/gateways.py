"""Gateways and voice applications: what campaigns call through, and what answered calls are connected to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dialer.appdata import check_data
from dialer.declare import entered
from dialer.esl.commands import HARMFUL_VARIABLES, OWN_VARIABLES
from dialer.management import rows
from dialer.management.management import Transaction, call_soon, reads, writes
from dialer.model import Gateway, VoipApp, VoipAppType
from dialer.model.gateway import dial_string_from, parse_parameters
from dialer.stored import complete, value_of

RESERVED = OWN_VARIABLES | HARMFUL_VARIABLES


@reads
def listed(t: Transaction) -> list[Gateway]:
    """All gateways, the oldest first."""
    return [value_of(Gateway, row) for row in t.entities.Gateway.select().order_by(lambda g: g.id)]


@writes
def create(t: Transaction, given: Mapping[str, Any]) -> int:
    """A gateway that can be dialled, whose name is unique. Returns its id. Raises `Duplicate`, `BadValue`, `NotFound`."""
    checked = _checked(given)
    _check_reachable(complete(Gateway, checked))
    return int(rows.create(t, Gateway, checked).id)


@writes
def change(t: Transaction, gateway_id: int, given: Mapping[str, Any]) -> None:
    """Change what is given; it can still be dialled then. Raises as `create`."""
    row = rows.found(t.entities.Gateway, "gateway", gateway_id)
    checked = _checked(given)
    _check_reachable({"protocol": row.protocol, "hostname": row.hostname, "dial_string": row.dial_string, **checked})
    rows.change(t, Gateway, row, checked)
    t.then(call_soon)


@writes
def remove(t: Transaction, gateway_id: int) -> None:
    """Remove a gateway. Raises `NotFound`, and `InUse` when anything uses it, or has ever called through it."""
    row = rows.found(t.entities.Gateway, "gateway", gateway_id)
    uses = {
        "campaign": row.campaigns.count(),
        "voip app": row.voip_apps.count(),
        "gateway": row.fails_over_for.count(),
        "attempt": row.attempts.count(),
    }
    rows.refuse_in_use("gateway", row.name, uses, "it is used by")
    row.delete()


def _checked(given: Mapping[str, Any]) -> dict[str, Any]:
    checked = entered(Gateway, given)
    if "addparameter" in checked:
        parse_parameters(checked["addparameter"], reserved=RESERVED)
    return checked


def _check_reachable(values: Mapping[str, Any]) -> None:
    if not values["dial_string"]:
        dial_string_from(values["protocol"], values["hostname"])


# --- voice applications -----------------------------------------------------------------------------------------------------


@reads
def applications(t: Transaction) -> list[VoipApp]:
    """All voice applications, the oldest first."""
    return [value_of(VoipApp, row) for row in t.entities.VoipApp.select().order_by(lambda v: v.id)]


@writes
def create_application(t: Transaction, given: Mapping[str, Any]) -> int:
    """A voice application whose name is unique, and whose data is such that its kind can do something with it. Returns its id.
    Raises `Duplicate`, `BadValue`, `NotFound`."""
    row = rows.create(t, VoipApp, entered(VoipApp, given))
    check_data(VoipAppType(row.type), row.data, by_admin=True, field="data")
    return int(row.id)


@writes
def change_application(t: Transaction, app_id: int, given: Mapping[str, Any]) -> None:
    """Change what is given. Its data must fit its kind afterwards. Raises as `create_application`."""
    row = rows.found(t.entities.VoipApp, "voip app", app_id)
    rows.change(t, VoipApp, row, entered(VoipApp, given))
    check_data(VoipAppType(row.type), row.data, by_admin=True, field="data")
    t.then(call_soon)


@writes
def remove_application(t: Transaction, app_id: int) -> None:
    """Remove a voice application. Raises `NotFound`, and `InUse` when a campaign uses it."""
    row = rows.found(t.entities.VoipApp, "voip app", app_id)
    rows.refuse_in_use("voip app", row.name, {"campaign": row.campaigns.count()}, "it is used by")
    row.delete()
