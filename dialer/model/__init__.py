"""The values that the parts of the dialer hand to each other: frozen, keyword-only, with aware UTC times.

Durations are seconds (`int`) unless the name ends in `_ms`. Vocabulary: a *contact* stands in a *phonebook*; a *subscriber*
is a contact in a *campaign*; an *attempt* is one try to reach a subscriber; a *call* is its live channel on the switch.
"""

from __future__ import annotations

from dialer.model.campaign import Campaign, CampaignStatus, UnknownPolicy
from dialer.model.contact import Contact, Progress, SubscriberStatus
from dialer.model.flow import (
    Attempt,
    AttemptState,
    Candidate,
    Decision,
    Delivery,
    Disposition,
    Finish,
    Hangup,
    LiveChannel,
    Origination,
    Others,
    Outcome,
    OwnCause,
    Plan,
    RetryClass,
    Signal,
    SignalKind,
    Snapshot,
)
from dialer.model.gateway import Gateway, GatewayStatus
from dialer.model.voip_app import VoipApp, VoipAppType

__all__ = [
    "Attempt",
    "AttemptState",
    "Campaign",
    "CampaignStatus",
    "Candidate",
    "Contact",
    "Decision",
    "Delivery",
    "Disposition",
    "Finish",
    "Gateway",
    "GatewayStatus",
    "Hangup",
    "LiveChannel",
    "Origination",
    "Others",
    "Outcome",
    "OwnCause",
    "Plan",
    "Progress",
    "RetryClass",
    "Signal",
    "SignalKind",
    "Snapshot",
    "SubscriberStatus",
    "UnknownPolicy",
    "VoipApp",
    "VoipAppType",
]
