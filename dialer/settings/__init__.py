"""The settings of an installation, each declared once: type, default, bounds, unit, and a sentence on what it does.

From here come the configuration file as it is read (`dialer.config`) and as `dialer init` writes it (`dialer.settings_file`),
the tables in docs/operations.md, and the values that the parts of the dialer are made with. A *live* setting is read again
when the running dialer is told to (SIGHUP), any other needs a restart.
"""

from __future__ import annotations

from attrs import frozen

from dialer.settings.declaration import DECLARED, Declaration, setting
from dialer.settings.http import CdrSettings, HttpSettings, MetricsSettings
from dialer.settings.installation import (
    DatabaseSettings,
    LogFormat,
    LogLevel,
    LogSettings,
    NodeSettings,
    NumbersSettings,
    RulesSettings,
    StopSettings,
)
from dialer.settings.networks import Network
from dialer.settings.switch import OutboundSettings, RecoverySettings, SimulatorSettings, SwitchSettings
from dialer.settings.telling import FIVE_YEARS, EventsSettings, ImportsSettings, RecordsSettings, WebhookSettings
from dialer.settings.voice import AppSettings, HooksSettings

__all__ = [
    "DECLARED",
    "FIVE_YEARS",
    "AppSettings",
    "CdrSettings",
    "Config",
    "DatabaseSettings",
    "Declaration",
    "EventsSettings",
    "HooksSettings",
    "HttpSettings",
    "ImportsSettings",
    "LogFormat",
    "LogLevel",
    "LogSettings",
    "MetricsSettings",
    "Network",
    "NodeSettings",
    "NumbersSettings",
    "OutboundSettings",
    "RecordsSettings",
    "RecoverySettings",
    "RulesSettings",
    "SimulatorSettings",
    "StopSettings",
    "SwitchSettings",
    "WebhookSettings",
    "setting",
]


@frozen(kw_only=True)
class Config:
    """The whole file. It has one `switch` or several, or a `simulator` in their place."""

    http: HttpSettings = HttpSettings()
    database: DatabaseSettings
    numbers: NumbersSettings = NumbersSettings()
    rules: RulesSettings = RulesSettings()
    node: NodeSettings = NodeSettings()
    switch: tuple[SwitchSettings, ...] = ()
    simulator: SimulatorSettings | None = None
    outbound: OutboundSettings = OutboundSettings()
    apps: AppSettings = AppSettings()
    hooks: HooksSettings = HooksSettings()
    cdr: CdrSettings = CdrSettings()
    metrics: MetricsSettings = MetricsSettings()
    webhooks: WebhookSettings = WebhookSettings()
    recovery: RecoverySettings = RecoverySettings()
    stop: StopSettings = StopSettings()
    events: EventsSettings = EventsSettings()
    records: RecordsSettings = RecordsSettings()
    imports: ImportsSettings = ImportsSettings()
    log: LogSettings = LogSettings()

    @property
    def calls_per_second(self) -> float:
        """The cap of all switches together, the simulated one included."""
        if self.simulator is not None:
            return self.simulator.calls_per_second
        return sum(switch.calls_per_second for switch in self.switch)
