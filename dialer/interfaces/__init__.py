"""The contracts between the flow (`dialer.calls`, `dialer.campaigns`) and the edges that serve it.

Every Deferred fires on the reactor thread. A failure that is not listed under "Fails with" is a programming error.
"""

from __future__ import annotations

from dialer.interfaces.flow import FlowControl, FlowStore, Now
from dialer.interfaces.monitoring import Monitoring, Scraped
from dialer.interfaces.nodes import NodeState, NodeStore, Pulse
from dialer.interfaces.switch import Switch, SwitchListener
from dialer.interfaces.telling import ConsumerStore, EventReceiver, ReceiverAnswer, WebhookSender, WebhookStore
from dialer.interfaces.voice import (
    OPT_OUT,
    UNFINISHED,
    UNSERVED,
    AnsweredCall,
    ApplicationStore,
    CallHandler,
    SecondLegs,
    VoiceApplication,
)

__all__ = [
    "OPT_OUT",
    "UNFINISHED",
    "UNSERVED",
    "AnsweredCall",
    "ApplicationStore",
    "CallHandler",
    "ConsumerStore",
    "EventReceiver",
    "FlowControl",
    "FlowStore",
    "Monitoring",
    "NodeState",
    "NodeStore",
    "Now",
    "Pulse",
    "ReceiverAnswer",
    "Scraped",
    "SecondLegs",
    "Switch",
    "SwitchListener",
    "VoiceApplication",
    "WebhookSender",
    "WebhookStore",
]
