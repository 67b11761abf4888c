"""What an admin or a user asks to be created: values without an id. Defaults are those of the 2011 API."""

from __future__ import annotations

from datetime import datetime, time

from attrs import frozen

from dialer.model import CampaignStatus, GatewayStatus, UnknownPolicy, VoipAppType

EVERY_DAY = (True, True, True, True, True, True, True)


@frozen(kw_only=True)
class NewUser:
    """An account. `password_hash` is argon2's own string, "" for one that nobody logs in to. A limit of None is no limit; the
    lists are patterns of numbers (`dialer.patterns`)."""

    username: str
    password_hash: str = ""
    is_superuser: bool = False
    max_number_campaign: int | None = None
    max_number_subscriber_campaign: int | None = None
    max_frequency: int | None = None
    max_duration: int | None = None
    max_retries: int | None = None
    max_timeout: int | None = None
    blacklist: tuple[str, ...] = ()
    whitelist: tuple[str, ...] = ()


@frozen(kw_only=True)
class NewGateway:
    """A way out. `protocol` is SIP or LOCAL; `dial_string` holds `{number}`, or is "" and comes from protocol and hostname.
    `addparameter` is `name=value` pairs separated by commas."""

    name: str
    description: str = ""
    protocol: str = "SIP"
    hostname: str = ""
    dial_string: str = ""
    removeprefix: str = ""
    addprefix: str = ""
    addparameter: str = ""
    maximum_call: int | None = None
    calls_per_second: int | None = None
    failover_id: int | None = None
    status: GatewayStatus = GatewayStatus.ACTIVE


@frozen(kw_only=True)
class NewVoipApp:
    """What an answered call is connected to."""

    name: str
    type: VoipAppType
    description: str = ""
    gateway_id: int | None = None
    data: str = ""


@frozen(kw_only=True)
class NewPhonebook:
    """A phonebook, empty."""

    user_id: int
    name: str
    description: str = ""


@frozen(kw_only=True)
class NewCampaign:
    """The rules of a campaign; see `dialer.model.Campaign` for the units."""

    user_id: int
    name: str
    gateway_id: int
    voip_app_id: int
    starting_at: datetime
    expires_at: datetime
    description: str = ""
    status: CampaignStatus = CampaignStatus.START
    daily_start: time = time(0, 0, 0)
    daily_stop: time = time(23, 59, 59)
    weekdays: tuple[bool, bool, bool, bool, bool, bool, bool] = EVERY_DAY
    time_zone: str = "UTC"
    frequency: int = 10
    call_max_duration: int = 1800
    max_retry: int = 3
    interval_retry: int = 300
    call_timeout: int = 45
    voip_app_data: str = ""
    caller_id: str = ""
    caller_name: str = ""
    unknown_policy: UnknownPolicy = UnknownPolicy.RETRY
    max_concurrent: int | None = None
