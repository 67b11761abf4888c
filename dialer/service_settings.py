"""The parts that a dialling service is made of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from attrs import Factory, frozen

from dialer.apps.context import Application
from dialer.apps.runner import BUILT_IN
from dialer.esl.inbound import SwitchConfig
from dialer.marks.app import HookApp
from dialer.model import VoipAppType
from dialer.rules.book import NO_RULES, RuleBook
from dialer.settings import FIVE_YEARS, AppSettings, HooksSettings, OutboundSettings, RecoverySettings, WebhookSettings
from dialer.store.database import NodeIdentity


@frozen(kw_only=True)
class ServiceSettings:
    """The parts of a dialling service: settings of the installation, and those that only the wiring knows. The outbound server
    listens at any free port of this machine by default. `outcomes` is a file that gets the end of each attempt as a line of
    JSON. `hook_apps` are the classes that `hooks` names. With `page`, a page lists
    what happens."""

    database: str
    switches: tuple[SwitchConfig, ...]
    node: NodeIdentity = Factory(NodeIdentity)
    outbound: OutboundSettings = Factory(lambda: OutboundSettings(endpoint="tcp:0:interface=127.0.0.1"))
    outcomes: Path | None = None
    apps: AppSettings = Factory(AppSettings)
    applications: Mapping[VoipAppType, Application] = BUILT_IN
    recovery: RecoverySettings = Factory(RecoverySettings)
    keep_events: timedelta = timedelta(days=7)
    keep_records: timedelta = timedelta(days=FIVE_YEARS)
    emergency: frozenset[str] = frozenset()
    caller_id_strict: bool = False
    hooks: HooksSettings = Factory(HooksSettings)
    hook_apps: tuple[HookApp, ...] = ()
    page: bool = False
    webhooks: WebhookSettings = Factory(WebhookSettings)
    rules: RuleBook = NO_RULES
