"""The values that the parts of the dialer hand to each other: frozen, keyword-only, with aware UTC times.

Durations are seconds (`int`) unless the name ends in `_ms`. Vocabulary: a *contact* stands in a *phonebook*; a *subscriber*
is a contact in a *campaign*; an *attempt* is one try to reach a subscriber; a *call* is its live channel on the switch.
"""

from __future__ import annotations

from dialer.model.call_record import CallRecord
from dialer.model.caller_id import CallerId, CallerIdPool, CallerIdStrategy, ForeignPolicy
from dialer.model.campaign import Campaign, CampaignDetails, CampaignStatus, Purpose, UnknownPolicy, UnservedPolicy
from dialer.model.consent import ConsentBasis, ConsentPolicy
from dialer.model.contact import Contact, ContactDetails, Progress, Subscriber, SubscriberStatus
from dialer.model.disposition import Disposition
from dialer.model.do_not_call import Block, BlockReason, DoNotCallEntry, DoNotCallList
from dialer.model.event import Event, EventConsumer, EventKind
from dialer.model.flow import (
    Attempt,
    AttemptResult,
    AttemptState,
    CallRoute,
    Candidate,
    Decision,
    Execution,
    Hangup,
    LiveChannel,
    Origination,
    Others,
    Outcome,
    OwnCause,
    Plan,
    RefusedContact,
    RetryClass,
    Signal,
    SignalKind,
    Snapshot,
)
from dialer.model.gateway import Gateway, GatewayHealth, GatewayStatus, GatewayUse, Refusals
from dialer.model.idle import BlockedContacts, Explanation, IdleCode, IdleReason, ObeyedRefusals, PausedCampaign
from dialer.model.import_job import ImportFormat, ImportJob, ImportState
from dialer.model.installation import Installation, NodeRecord, OwnSwitch, SwitchDrain
from dialer.model.kept_answer import KeptAnswer
from dialer.model.page import AuditEntry, PageSession, SignInLink
from dialer.model.phonebook import Phonebook
from dialer.model.report import CampaignReport, SubscriberReport
from dialer.model.token import MadeToken, Scope, Token
from dialer.model.user import Account, CallRules, NumberPattern, User, UserDetails
from dialer.model.voip_app import VoipApp, VoipAppType
from dialer.model.webhook import DeliveryStatus, Webhook, WebhookDelivery, WebhookStatus

__all__ = [
    "Account",
    "Attempt",
    "AttemptResult",
    "AttemptState",
    "AuditEntry",
    "Block",
    "BlockReason",
    "BlockedContacts",
    "CallRecord",
    "CallRoute",
    "CallRules",
    "CallerId",
    "CallerIdPool",
    "CallerIdStrategy",
    "Campaign",
    "CampaignDetails",
    "CampaignReport",
    "CampaignStatus",
    "Candidate",
    "ConsentBasis",
    "ConsentPolicy",
    "Contact",
    "ContactDetails",
    "Decision",
    "DeliveryStatus",
    "Disposition",
    "DoNotCallEntry",
    "DoNotCallList",
    "Event",
    "EventConsumer",
    "EventKind",
    "Execution",
    "Explanation",
    "ForeignPolicy",
    "Gateway",
    "GatewayHealth",
    "GatewayStatus",
    "GatewayUse",
    "Hangup",
    "IdleCode",
    "IdleReason",
    "ImportFormat",
    "ImportJob",
    "ImportState",
    "Installation",
    "KeptAnswer",
    "LiveChannel",
    "MadeToken",
    "NodeRecord",
    "NumberPattern",
    "ObeyedRefusals",
    "Origination",
    "Others",
    "Outcome",
    "OwnCause",
    "OwnSwitch",
    "PageSession",
    "PausedCampaign",
    "Phonebook",
    "Plan",
    "Progress",
    "Purpose",
    "Refusals",
    "RefusedContact",
    "RetryClass",
    "Scope",
    "SignInLink",
    "Signal",
    "SignalKind",
    "Snapshot",
    "Subscriber",
    "SubscriberReport",
    "SubscriberStatus",
    "SwitchDrain",
    "Token",
    "UnknownPolicy",
    "UnservedPolicy",
    "User",
    "UserDetails",
    "VoipApp",
    "VoipAppType",
    "Webhook",
    "WebhookDelivery",
    "WebhookStatus",
]
