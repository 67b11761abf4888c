"""Gateways and voice applications: what campaigns call through, and what answered calls are connected to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from dialer import gate
from dialer.appdata import GATEWAY, Data, check_application, check_task
from dialer.declare import entered
from dialer.errors import BadValue, NotFound
from dialer.esl.commands import HARMFUL_VARIABLES, OWN_VARIABLES
from dialer.management import grants, rows
from dialer.management.listing import OLDEST_FIRST, Slice, having, rows_of
from dialer.management.management import Management, Transaction, call_soon, reads, writes
from dialer.management.numbers import NOBODY, refusals
from dialer.model import Account, Campaign, CampaignStatus, Gateway, GatewayHealth, GatewayStatus, VoipApp, VoipAppType
from dialer.model.codecs import VARIABLE
from dialer.model.gateway import dial_string_from, parse_parameters, with_secrets
from dialer.store import held, reports, told_state
from dialer.stored import complete, load_rules, value_of

MOST_NAMES: Final = 5
"""Campaigns that a refusal names."""

CARRIED_BY: Final = frozenset({"prefixes", "group", "failover_id", "status"})
"""Settings by which a number is carried, or not."""

RESERVED = OWN_VARIABLES | HARMFUL_VARIABLES


@reads
def listed(
    t: Transaction, who: Account, part: Slice = OLDEST_FIRST, name: str | None = None, status: GatewayStatus | None = None
) -> list[Gateway]:
    """The gateways that exist for a user: those of that name and status, where they are given."""
    query = having(grants.visible(t, who, "gateway"), name=name, status=None if status is None else int(status))
    return [value_of(Gateway, row) for row in rows_of(query, part)]


@reads
def read(t: Transaction, who: Account, gateway_id: int) -> Gateway:
    """One of them. Raises `NotFound`."""
    for row in grants.visible(t, who, "gateway").filter(lambda g: g.id == gateway_id):
        return value_of(Gateway, row)
    raise NotFound("gateway", gateway_id)


@frozen(kw_only=True)
class GatewayStanding:
    """A gateway with its calls that are open now, at all nodes; whether a node has found it down; and how it fared of late at
    this one."""

    gateway: Gateway
    open_calls: int
    is_down: bool
    health: GatewayHealth

    @property
    def word(self) -> str:
        """Whether it takes a call now, or what keeps it from that."""
        if self.gateway.status is GatewayStatus.INACTIVE:
            return "inactive"
        if self.health.trouble:
            return "down"
        if self.health.until is not None:
            return "paused"
        full = self.gateway.maximum_call is not None and self.open_calls >= self.gateway.maximum_call
        return "full" if full else "serving"


STANDINGS: Final = ("serving", "paused", "down", "full", "inactive")


async def standing(management: Management, who: Account, gateway_id: int) -> GatewayStanding:
    """How a gateway is. Fails with `NotFound`, `StoreError`."""
    gateway, open_calls, is_down = await management.ask(_standing, who, gateway_id)
    health = GatewayHealth() if management.flow is None else management.flow.gateway_health(gateway)
    return GatewayStanding(gateway=gateway, open_calls=open_calls, is_down=is_down, health=health)


@reads
def _standing(t: Transaction, who: Account, gateway_id: int) -> tuple[Gateway, int, bool]:
    gateway = read(t, who, gateway_id)
    counted = t.connection.execute(reports.OPEN_BY_GATEWAY).fetchall()
    down = t.connection.execute(told_state.IS_DOWN, (gateway_id,)).fetchone()
    return gateway, sum(int(count) for key, count in counted if key == gateway_id), down is not None


@writes
def create(t: Transaction, given: Mapping[str, Any]) -> int:
    """A gateway that can be dialled, whose name is unique. Returns its id. Raises `Duplicate`, `BadValue`, `NotFound`."""
    checked = _checked(t, given, {"addparameter": "", "codecs": ""})
    _check_reachable(complete(Gateway, checked))
    return int(rows.create(t, Gateway, checked).id)


@writes
def change(t: Transaction, gateway_id: int, given: Mapping[str, Any]) -> None:
    """Change what is given; it can still be dialled then. A masked value of `addparameter` stays. Raises as `create`."""
    row = rows.found(t.entities.Gateway, "gateway", gateway_id)
    before = load_rules(Gateway, row.rules).values
    checked = _checked(t, given, {"addparameter": row.addparameter, "codecs": before["codecs"]})
    _check_reachable({"protocol": row.protocol, "hostname": row.hostname, "dial_string": row.dial_string, **checked})
    rows.change(t, Gateway, row, checked)
    if not CARRIED_BY.isdisjoint(checked):
        held.recheck_all(t.connection)
    t.then(call_soon)


@writes
def remove(t: Transaction, gateway_id: int) -> None:
    """Remove a gateway. Raises `NotFound`, and `InUse` when anything uses it, or has ever called through it."""
    row = rows.found(t.entities.Gateway, "gateway", gateway_id)
    uses = {
        **_campaigns(row),
        "voip app": row.voip_apps.count(),
        "gateway": row.fails_over_for.count(),
        "attempt": row.attempts.count(),
        "second leg": row.second_legs.count(),
        "caller id": row.caller_ids.count(),
    }
    rows.refuse_in_use("gateway", row.name, uses, "it is used by")
    row.delete()


def _checked(t: Transaction, given: Mapping[str, Any], before: Mapping[str, str]) -> dict[str, Any]:
    """`before` are the parameters and the codecs that it has."""
    checked = entered(Gateway, given)
    if "addparameter" in checked:
        checked["addparameter"] = with_secrets(checked["addparameter"], before["addparameter"])
        variables = parse_parameters(checked["addparameter"], reserved=RESERVED)
        if reason := gate.variables_refusal(variables, "", t.numbering):
            raise BadValue("addparameter", reason)
    now = {**before, **checked}
    if now["codecs"] and any(name.lower() == VARIABLE for name, _ in parse_parameters(now["addparameter"])):
        field = "codecs" if "codecs" in checked else "addparameter"
        raise BadValue(field, f"both say which codecs calls offer: take {VARIABLE} out of addparameter, or the codecs")
    return checked


def _check_reachable(values: Mapping[str, Any]) -> None:
    if not values["dial_string"]:
        dial_string_from(values["protocol"], values["hostname"])


# --- voice applications -----------------------------------------------------------------------------------------------------


@reads
def applications(
    t: Transaction, who: Account, part: Slice = OLDEST_FIRST, name: str | None = None, kind: VoipAppType | None = None
) -> list[VoipApp]:
    """The voice applications that exist for a user: those of that name and kind, where they are given."""
    query = having(grants.visible(t, who, "voip app"), name=name, type=None if kind is None else int(kind))
    return [value_of(VoipApp, row) for row in rows_of(query, part)]


@reads
def application(t: Transaction, who: Account, app_id: int) -> VoipApp:
    """One of them. Raises `NotFound`."""
    for row in grants.visible(t, who, "voip app").filter(lambda v: v.id == app_id):
        return value_of(VoipApp, row)
    raise NotFound("voip app", app_id)


@writes
def create_application(t: Transaction, given: Mapping[str, Any]) -> int:
    """A voice application whose name is unique, and whose data is such that its kind can do something with it. Returns its id.
    Raises `Duplicate`, `BadValue`, `NotFound`."""
    row = rows.create(t, VoipApp, entered(VoipApp, given))
    _check_application(t, row)
    return int(row.id)


@writes
def change_application(t: Transaction, app_id: int, given: Mapping[str, Any]) -> None:
    """Change what is given. It can still do something afterwards, in every started or paused campaign that it could serve
    before. Raises as `create_application`; a `BadValue` that campaigns are the reason for names them."""
    row = rows.found(t.entities.VoipApp, "voip app", app_id)
    checked = entered(VoipApp, given)
    affected = _served(t, row) if checked.keys() & {"type", "data", "gateway_id"} else []
    rows.change(t, VoipApp, row, checked)
    _check_application(t, row)
    problems = [(campaign, _problem(t, row, data, user_id)) for campaign, data, user_id in affected]
    refused = [(campaign, problem) for campaign, problem in problems if problem is not None]
    if refused:
        names = ", ".join(repr(campaign) for campaign, _ in refused[:MOST_NAMES])
        more = f" and {len(refused) - MOST_NAMES} more" if len(refused) > MOST_NAMES else ""
        field = next((name for name in ("data", "type", "gateway_id") if name in checked), "data")
        raise BadValue(field, f"with this, it could do nothing for the campaigns {names}{more}: {refused[0][1]}")
    t.then(call_soon)


def _served(t: Transaction, app: Any) -> list[tuple[str, str, int]]:
    """Name, data and user of the campaigns that may call and that the application can serve."""
    may_call = [int(CampaignStatus.START), int(CampaignStatus.PAUSE)]
    campaigns = app.campaigns.select(lambda c: c.status in may_call).order_by(lambda c: c.id)
    found = ((row.name, load_rules(Campaign, row.rules).values["voip_app_data"], row.user.id) for row in campaigns)
    return [(name, data, user_id) for name, data, user_id in found if _problem(t, app, data, user_id) is None]


def _problem(t: Transaction, app: Any, data: str, user_id: int) -> str | None:
    """Why the application could do nothing for a campaign of this data and user; None when it could."""
    value = value_of(VoipApp, app)
    try:
        check_task(value.type, Data.of(data, value), _gateway(app), refusals(t, user_id))
    except BadValue as error:
        return str(error)
    return None


def _check_application(t: Transaction, app: Any) -> None:
    try:
        check_application(value_of(VoipApp, app), _gateway(app), refusals(t, NOBODY))
    except BadValue as error:
        raise (BadValue("gateway_id", error.problem) if error.field == GATEWAY else error) from None


def _gateway(app: Any) -> Gateway | None:
    return value_of(Gateway, app.gateway) if app.gateway else None


@writes
def remove_application(t: Transaction, app_id: int) -> None:
    """Remove a voice application. Raises `NotFound`, and `InUse` when a campaign uses it."""
    row = rows.found(t.entities.VoipApp, "voip app", app_id)
    rows.refuse_in_use("voip app", row.name, _campaigns(row), "it is used by")
    row.delete()


def _campaigns(row: Any) -> dict[str, int]:
    """How many campaigns use it; those that were removed, and have attempts, do as well."""
    live = row.campaigns.select(lambda c: c.archived_at is None).count()
    return {"campaign": live, "removed campaign": row.campaigns.count() - live}
