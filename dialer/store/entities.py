"""The entities: Pony's view of the tables that the upgrades made. Nothing here creates a table; `check_tables` compares.

A Pony database binds once, so entities come from a factory: several databases can live in one process. Times are naive UTC
(see `dialer.store.times`); times of day are `HH:MM:SS` text, because Pony's own type for them does not read back what it
wrote on SQLite. Entities serve what happens now and then; the flow's statements are raw SQL (see `dialer.store.statements`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from attrs import frozen
from pony.orm import LongStr, Optional, PrimaryKey, Required, Set, composite_key


@frozen(kw_only=True)
class Entities:
    """The entity classes of one Pony database."""

    db: Any
    User: Any
    NumberPattern: Any
    Gateway: Any
    VoipApp: Any
    Campaign: Any
    Phonebook: Any
    Contact: Any
    Subscriber: Any
    Attempt: Any
    DoNotCall: Any
    Outbox: Any
    Installation: Any
    Node: Any


def make_entities(db: Any) -> Entities:
    """Define the entities on an unbound `pony.orm.Database`."""
    parties = _make_parties(db)
    work = _make_work(db)
    return Entities(db=db, **parties, **work)


def _make_parties(db: Any) -> dict[str, Any]:
    """Who calls, through what, and whom."""

    class Installation(db.Entity):
        _table_ = "installation"
        id = PrimaryKey(int, size=64)
        installation_id = Required(str)

    class Node(db.Entity):
        _table_ = "node"
        id = PrimaryKey(int, size=64, auto=True)
        name = Required(str, unique=True)
        epoch = Required(int, size=64)
        host = Required(str)
        pid = Required(int, size=64)
        version = Required(str)
        switch = Optional(str)
        core_uuid = Optional(str)
        ready = Required(bool)
        started_at = Required(datetime)
        seen_at = Required(datetime)
        lease_until = Required(datetime)
        stopped_at = Optional(datetime)
        session = Optional(int, size=64)
        commits = Required(int, size=64)
        figures = Required(LongStr)

    class User(db.Entity):
        _table_ = "user_account"
        id = PrimaryKey(int, size=64, auto=True)
        username = Required(str, unique=True)
        password_hash = Optional(str)
        is_superuser = Required(bool, default=False)
        is_active = Required(bool, default=True)
        max_number_campaign = Optional(int, size=64)
        max_number_subscriber_campaign = Optional(int, size=64)
        max_frequency = Optional(int, size=64)
        max_duration = Optional(int, size=64)
        max_retries = Optional(int, size=64)
        max_timeout = Optional(int, size=64)
        created_at = Required(datetime)
        campaigns = Set("Campaign")
        phonebooks = Set("Phonebook")
        number_patterns = Set("NumberPattern")

    class NumberPattern(db.Entity):
        _table_ = "number_pattern"
        user = Required(User, column="user_id")
        kind = Required(str)
        pattern = Required(str)
        matcher = Required(str)
        PrimaryKey(user, kind, pattern)

    class Gateway(db.Entity):
        _table_ = "gateway"
        id = PrimaryKey(int, size=64, auto=True)
        name = Required(str, unique=True)
        description = Optional(LongStr)
        protocol = Required(str)
        hostname = Optional(str)
        dial_string = Optional(str)
        removeprefix = Optional(str)
        addprefix = Optional(str)
        addparameter = Optional(LongStr)
        maximum_call = Optional(int, size=64)
        calls_per_second = Optional(int, size=64)
        failover = Optional("Gateway", column="failover_id", reverse="fails_over_for")
        fails_over_for = Set("Gateway", reverse="failover")
        status = Required(int)
        created_at = Required(datetime)
        updated_at = Required(datetime)
        next_call_at = Optional(datetime)
        voip_apps = Set("VoipApp")
        campaigns = Set("Campaign")
        attempts = Set("Attempt")

    class VoipApp(db.Entity):
        _table_ = "voip_app"
        id = PrimaryKey(int, size=64, auto=True)
        name = Required(str, unique=True)
        description = Optional(LongStr)
        type = Required(int)
        gateway = Optional(Gateway, column="gateway_id")
        data = Optional(LongStr)
        created_at = Required(datetime)
        updated_at = Required(datetime)
        campaigns = Set("Campaign")

    class Phonebook(db.Entity):
        _table_ = "phonebook"
        id = PrimaryKey(int, size=64, auto=True)
        user = Required(User, column="user_id")
        name = Required(str)
        description = Optional(LongStr)
        created_at = Required(datetime)
        campaigns = Set("Campaign", column="campaign_id", table="campaign_phonebook")
        contacts = Set("Contact")
        composite_key(user, name)

    class Contact(db.Entity):
        _table_ = "contact"
        id = PrimaryKey(int, size=64, auto=True)
        phonebook = Required(Phonebook, column="phonebook_id")
        number = Required(str)
        first_name = Optional(str)
        last_name = Optional(str)
        email = Optional(str)
        description = Optional(LongStr)
        additional_vars = Required(LongStr)
        created_at = Required(datetime)
        updated_at = Required(datetime)
        subscribers = Set("Subscriber")
        composite_key(phonebook, number)

    return {
        "Installation": Installation,
        "Node": Node,
        "User": User,
        "NumberPattern": NumberPattern,
        "Gateway": Gateway,
        "VoipApp": VoipApp,
        "Phonebook": Phonebook,
        "Contact": Contact,
    }


def _make_work(db: Any) -> dict[str, Any]:
    """What is to be done, and what was."""

    class Campaign(db.Entity):
        _table_ = "campaign"
        id = PrimaryKey(int, size=64, auto=True)
        user = Required("User", column="user_id")
        name = Required(str)
        description = Optional(LongStr)
        status = Required(int)
        starting_at = Required(datetime)
        expires_at = Required(datetime)
        daily_start = Required(str)
        daily_stop = Required(str)
        monday = Required(bool)
        tuesday = Required(bool)
        wednesday = Required(bool)
        thursday = Required(bool)
        friday = Required(bool)
        saturday = Required(bool)
        sunday = Required(bool)
        time_zone = Required(str)
        frequency = Required(int, size=64)
        call_max_duration = Required(int, size=64)
        max_retry = Required(int, size=64)
        interval_retry = Required(int, size=64)
        call_timeout = Required(int, size=64)
        gateway = Required("Gateway", column="gateway_id")
        voip_app = Required("VoipApp", column="voip_app_id")
        voip_app_data = Optional(LongStr)
        caller_id = Optional(str)
        caller_name = Optional(str)
        unknown_policy = Required(str)
        max_concurrent = Optional(int, size=64)
        next_call_at = Optional(datetime)
        created_at = Required(datetime)
        updated_at = Required(datetime)
        phonebooks = Set("Phonebook", column="phonebook_id")
        subscribers = Set("Subscriber")
        attempts = Set("Attempt")
        outbox = Set("Outbox")
        composite_key(user, name)

    class Subscriber(db.Entity):
        _table_ = "subscriber"
        id = PrimaryKey(int, size=64, auto=True)
        campaign = Required(Campaign, column="campaign_id")
        contact = Required("Contact", column="contact_id")
        number = Required(str)
        status = Required(int)
        wanted_status = Optional(int)
        ready_at = Optional(datetime)
        count_attempt = Required(int, size=64)
        count_requeue = Required(int, size=64)
        last_attempt_at = Optional(datetime)
        attempts = Set("Attempt")
        composite_key(campaign, number)

    class Attempt(db.Entity):
        _table_ = "attempt"
        id = PrimaryKey(int, size=64, auto=True)
        call_uuid = Required(str, unique=True)
        campaign = Required(Campaign, column="campaign_id")
        subscriber = Required(Subscriber, column="subscriber_id")
        gateway = Required("Gateway", column="gateway_id")
        number = Required(str)
        dial_string = Required(LongStr)
        number_of_attempt = Required(int, size=64)
        state = Required(str)
        owner = Required(str)
        epoch = Required(int, size=64)
        core_uuid = Optional(str)
        planned_at = Required(datetime)
        due_at = Required(datetime)
        deadline = Required(datetime)
        moved_at = Optional(datetime)
        rang_at = Optional(datetime)
        answered_at = Optional(datetime)
        ended_at = Optional(datetime)
        cause = Optional(str, nullable=True)
        disposition = Optional(str, nullable=True)
        counts = Optional(bool)
        reason = Optional(str, nullable=True)
        q850 = Optional(int)
        sip_status = Optional(int)
        sip_disposition = Optional(str, nullable=True)
        ring_ms = Optional(int, size=64)
        talk_ms = Optional(int, size=64)
        duration_ms = Optional(int, size=64)
        machine = Optional(bool)
        session = Optional(LongStr, nullable=True)
        record = Optional(LongStr, nullable=True)
        outbox = Set("Outbox")

    class DoNotCall(db.Entity):
        _table_ = "do_not_call"
        number = PrimaryKey(str)
        reason = Optional(str)
        created_at = Required(datetime)

    class Outbox(db.Entity):
        _table_ = "outbox"
        id = PrimaryKey(int, size=64, auto=True)
        kind = Required(str)
        campaign = Required(Campaign, column="campaign_id")
        attempt = Optional(Attempt, column="attempt_id")
        payload = Required(LongStr)
        status = Required(str)
        tries = Required(int, size=64)
        created_at = Required(datetime)
        due_at = Required(datetime)
        settled_at = Optional(datetime)
        last_error = Optional(LongStr)

    return {"Campaign": Campaign, "Subscriber": Subscriber, "Attempt": Attempt, "DoNotCall": DoNotCall, "Outbox": Outbox}
