"""The meaning of every cause for a contact that was not reached: FreeSWITCH's names and numbers, and the codes of ITU-T Q.850.

The names and numbers are those of FreeSWITCH's `switch_call_cause_t`. Up to 127 a number is the Q.850 code; beyond it is
FreeSWITCH's own, and `hangup_cause_q850` then says 16. Q.850 codes that FreeSWITCH has no name for arrive as `UNKNOWN` with
their number. Each cause stands in the one group whose reason explains it; the answers of SIP, for causes that say less, are in
`dialer.calls.sip_answers`. Three thoughts decide most of them:

- STOP is for what the network says about the number, or the callee about us. It ends a contact for good, so what FreeSWITCH
  finds wrong in its own settings is never STOP: a mistake in a gateway must not burn a phonebook.
- REQUEUE is for what happened before anybody could be disturbed and had nothing to do with the contact. After ringing it
  counts (`dialer.calls.verdict` sees to that).
- A verdict names the one to blame. The caller, that is our account, identity and settings, the carrier, the switch and the
  dialer are never the contact's affair. Some answers may mean the number as well; they are `doubtful`, and what becomes of
  the other calls through that gateway decides (`dialer.calls.retry`).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from attrs import evolve, frozen

from dialer.model import Disposition, OwnCause, RetryClass


class Blame(enum.StrEnum):
    """The one whom an end is to blame on."""

    CALLEE = "callee"  # the person, or their phone
    NUMBER = "number"  # nobody has it
    CALLER = "caller"  # we: account, identity, settings of the gateway
    CARRIER = "carrier"
    SWITCH = "switch"
    DIALER = "dialer"


class Fault(enum.StrEnum):
    """The one to back off from for a while."""

    NONE = "none"
    GATEWAY = "gateway"  # the carrier behind it, or its settings
    SWITCH = "switch"  # FreeSWITCH is full, paused or going away


@frozen
class Verdict:
    """The meaning of an end, and whom it is to blame on; a `doubtful` one may be of this number alone. `reason` continues the
    sentence "the attempt failed because ...", for logs and reports; `tried` is False for what the switch never dialled;
    `at_once` means that the contact need not wait, since nothing is the matter with it or the way to it."""

    disposition: Disposition
    retry: RetryClass
    reason: str
    blame: Blame = Blame.CALLEE
    doubtful: bool = False
    tried: bool = True
    at_once: bool = False

    @property
    def fault(self) -> Fault:
        """The one to back off from: nobody, when the contact is charged."""
        return _FAULTS.get(self.blame, Fault.NONE) if self.retry is RetryClass.REQUEUE else Fault.NONE


OURS: Final = frozenset({Blame.CALLER, Blame.CARRIER, Blame.SWITCH, Blame.DIALER})
"""Those whose faults are no contact's."""

_FAULTS = MappingProxyType({Blame.CALLER: Fault.GATEWAY, Blame.CARRIER: Fault.GATEWAY, Blame.SWITCH: Fault.SWITCH})


@frozen(kw_only=True)
class Cause:
    """A cause by FreeSWITCH's name, with its number there."""

    name: str
    number: int
    verdict: Verdict


_RETRY, _STOP, _REQUEUE = RetryClass.RETRY, RetryClass.STOP, RetryClass.REQUEUE

ANSWERED: Final = Verdict(Disposition.ANSWERED, RetryClass.DONE, "the call was answered")
MACHINE: Final = Verdict(Disposition.MACHINE, _RETRY, "a machine answered")
BUSY: Final = Verdict(Disposition.BUSY, _RETRY, "the line was busy")
NO_ANSWER: Final = Verdict(Disposition.NO_ANSWER, _RETRY, "nobody answered")
ABSENT: Final = Verdict(Disposition.NO_ANSWER, _RETRY, "the phone was off or not registered")
REJECTED: Final = Verdict(Disposition.REJECTED, _RETRY, "the call was rejected")
UNWANTED: Final = Verdict(Disposition.REJECTED, _STOP, "the callee or a filter for them declared the call unwanted")
INVALID: Final = Verdict(Disposition.INVALID_NUMBER, _STOP, "the network does not know the number", Blame.NUMBER)
CANCELLED: Final = Verdict(Disposition.CANCELLED, _REQUEUE, "the call was cancelled on our side", Blame.DIALER)
TAKEN: Final = Verdict(Disposition.CANCELLED, _RETRY, "the call was taken over elsewhere on the switch")
CONGESTED: Final = Verdict(Disposition.CONGESTION, _REQUEUE, "the carrier had no capacity", Blame.CARRIER)
SWITCH_FULL: Final = Verdict(Disposition.CONGESTION, _REQUEUE, "the switch was over a limit or paused", Blame.SWITCH)
NOT_ADMITTED: Final = evolve(SWITCH_FULL, tried=False)
OUT_OF_ORDER: Final = Verdict(Disposition.FAILED, _REQUEUE, "the line of the callee was out of order")
CARRIER: Final = Verdict(Disposition.FAILED, _REQUEUE, "the carrier could not route the call", Blame.CARRIER)
ACCOUNT: Final = Verdict(Disposition.FAILED, _REQUEUE, "the carrier refused our account or identity", Blame.CALLER)
FORBIDDEN: Final = Verdict(
    Disposition.REJECTED, _REQUEUE, "the carrier forbade the call, to us or to this number", Blame.CALLER, doubtful=True
)
SETTINGS: Final = Verdict(Disposition.FAILED, _REQUEUE, "the gateway is down or wrongly set up", Blame.CALLER)
SWITCH: Final = Verdict(Disposition.FAILED, _REQUEUE, "the switch ended the call for reasons of its own", Blame.SWITCH)
SERVICE: Final = Verdict(
    Disposition.FAILED,
    _REQUEUE,
    "the network does not offer that kind of call, to us or to this number",
    Blame.CALLER,
    doubtful=True,
)
PROTOCOL: Final = Verdict(
    Disposition.FAILED, _REQUEUE, "the signalling between switch and carrier failed", Blame.CARRIER, doubtful=True
)
UNSPECIFIED: Final = Verdict(Disposition.FAILED, _RETRY, "no particular reason was given")
NOT_TRIED: Final = Verdict(
    Disposition.FAILED, _REQUEUE, "the switch was never asked to dial, or refused to", Blame.DIALER, tried=False
)
NEVER_DIALLED: Final = Verdict(
    Disposition.FAILED, _REQUEUE, "the switch never dialled", Blame.DIALER, tried=False, at_once=True
)
TOO_LATE: Final = Verdict(Disposition.FAILED, _REQUEUE, "the switch got to the call too late", Blame.SWITCH, tried=False)
LOST: Final = Verdict(Disposition.FAILED, _RETRY, "the switch restarted under the call", Blame.SWITCH)
UNKNOWN: Final = Verdict(Disposition.UNKNOWN, _RETRY, "nobody can tell how the call ended")

_GROUPS: tuple[tuple[Verdict, Mapping[str, int]], ...] = (
    (BUSY, {"USER_BUSY": 17, "BUSY_EVERYWHERE": 815}),
    # Cleared normally without an answer is what networks send after an announcement of theirs. The time-outs are ours: ringing
    # (19 by originate_timeout, 802 by a leg's own) or no progress at all, which callees behind slow networks cause as well.
    (
        NO_ANSWER,
        {
            "NORMAL_CLEARING": 16,
            "NO_USER_RESPONSE": 18,
            "NO_ANSWER": 19,
            "ALLOTTED_TIMEOUT": 802,
            "PROGRESS_TIMEOUT": 807,
            "NO_PICKUP": 812,
        },
    ),
    (ABSENT, {"SUBSCRIBER_ABSENT": 20, "USER_NOT_REGISTERED": 806}),
    (REJECTED, {"CALL_REJECTED": 21, "INCOMING_CALL_BARRED": 54, "DECLINE": 816}),
    # RFC 8197 and RFC 8688: trying again is what makes a number a spammer's.
    (UNWANTED, {"UNWANTED": 819, "REJECT_ALL": 825}),
    (
        INVALID,
        {
            "UNALLOCATED_NUMBER": 1,
            "NO_ROUTE_DESTINATION": 3,
            "NUMBER_CHANGED": 22,
            "INVALID_NUMBER_FORMAT": 28,
            "DOES_NOT_EXIST_ANYWHERE": 817,
        },
    ),
    (CANCELLED, {"ORIGINATOR_CANCEL": 487}),
    (TAKEN, {"LOSE_RACE": 702, "BLIND_TRANSFER": 800, "ATTENDED_TRANSFER": 801, "PICKED_OFF": 805, "BOWOUT": 814}),
    # Capacity and its kin: the same call works when asked again a little later. 102 before any ringing is a carrier that never
    # replied; after ringing, `verdict` calls it unanswered.
    (
        CONGESTED,
        {
            "NORMAL_CIRCUIT_CONGESTION": 34,
            "NETWORK_OUT_OF_ORDER": 38,
            "NORMAL_TEMPORARY_FAILURE": 41,
            "SWITCH_CONGESTION": 42,
            "REQUESTED_CHAN_UNAVAIL": 44,
            "PRE_EMPTED": 45,
            "SERVICE_UNAVAILABLE": 63,
            "RECOVERY_ON_TIMER_EXPIRE": 102,
        },
    ),
    (OUT_OF_ORDER, {"DESTINATION_OUT_OF_ORDER": 27}),
    (CARRIER, {"NO_ROUTE_TRANSIT_NET": 2, "CHANNEL_UNACCEPTABLE": 6, "EXCHANGE_ROUTING_ERROR": 25}),
    # Wrong credentials, or a signature of the caller's identity (RFC 8224) that the carrier does not take: no contact's fault.
    (
        ACCOUNT,
        {
            "USER_CHALLENGE": 803,
            "NO_IDENTITY": 820,
            "BAD_IDENTITY_INFO": 821,
            "UNSUPPORTED_CERTIFICATE": 822,
            "INVALID_IDENTITY": 823,
            "STALE_DATE": 824,
        },
    ),
    (
        SETTINGS,
        {
            "CHAN_NOT_IMPLEMENTED": 66,
            "INVALID_GATEWAY": 808,
            "GATEWAY_DOWN": 809,
            "INVALID_URL": 810,
            "INVALID_PROFILE": 811,
        },
    ),
    # 703 is what the restart of a SIP profile and `hupall` leave.
    (SWITCH, {"CRASH": 700, "SYSTEM_SHUTDOWN": 701, "MANAGER_REQUEST": 703}),
    # Barred, or the two ends found no common codec or service. May be of the number or of our line.
    (
        SERVICE,
        {
            "FACILITY_REJECTED": 29,
            "FACILITY_NOT_SUBSCRIBED": 50,
            "OUTGOING_CALL_BARRED": 52,
            "BEARERCAPABILITY_NOTAUTH": 57,
            "BEARERCAPABILITY_NOTAVAIL": 58,
            "BEARERCAPABILITY_NOTIMPL": 65,
            "FACILITY_NOT_IMPLEMENTED": 69,
            "SERVICE_NOT_IMPLEMENTED": 79,
            "INCOMPATIBLE_DESTINATION": 88,
            "NOT_ACCEPTABLE": 818,
        },
    ),
    # 96 is what mod_sofia gives when it is asked for a password and has none (sofia_reg_handle_sip_r_challenge).
    (
        PROTOCOL,
        {
            "CALL_AWARDED_DELIVERED": 7,
            "RESPONSE_TO_STATUS_ENQUIRY": 30,
            "ACCESS_INFO_DISCARDED": 43,
            "INVALID_CALL_REFERENCE": 81,
            "INVALID_MSG_UNSPECIFIED": 95,
            "MANDATORY_IE_MISSING": 96,
            "MESSAGE_TYPE_NONEXIST": 97,
            "WRONG_MESSAGE": 98,
            "IE_NONEXIST": 99,
            "INVALID_IE_CONTENTS": 100,
            "WRONG_CALL_STATE": 101,
            "MANDATORY_IE_LENGTH_ERROR": 103,
            "PROTOCOL_ERROR": 111,
            "MEDIA_TIMEOUT": 804,
            "SRTP_READ_ERROR": 813,
        },
    ),
    # 23 is a redirection that the switch was told not to follow: the number exists, but where it leads was not tried.
    (
        UNSPECIFIED,
        {"NONE": 0, "REDIRECTION_TO_NEW_DESTINATION": 23, "NORMAL_UNSPECIFIED": 31, "INTERWORKING": 127, "SUCCESS": 142},
    ),
)

_UNNAMED: tuple[tuple[Verdict, tuple[int, ...]], ...] = (
    # 4 special information tone
    (INVALID, (4,)),
    # 5 misdialled trunk prefix: what is put before the number is ours
    (SETTINGS, (5,)),
    # 24 rejected by a feature of the destination, 55 incoming calls barred within the closed user group
    (REJECTED, (24, 55)),
    # 8, 9 pre-emption, 39, 40 permanent frame connection, 46 precedence call blocked, 47 resource unavailable, 49 quality of
    # service unavailable
    (CONGESTED, (8, 9, 39, 40, 46, 47, 49)),
    # 14 ported number, 91 invalid transit network
    (CARRIER, (14, 91)),
    # 26 not the line that was selected
    (TAKEN, (26,)),
    # 53 outgoing calls barred, 62 inconsistent access information, 70 restricted digital bearer, 87, 90 closed user group
    (SERVICE, (53, 62, 70, 87, 90)),
    # 82 no such channel, 83 to 86 suspended calls, 110 message with an unknown parameter
    (PROTOCOL, (82, 83, 84, 85, 86, 110)),
)

CAUSES: Final[Mapping[str, Cause]] = MappingProxyType(
    {name: Cause(name=name, number=number, verdict=verdict) for verdict, names in _GROUPS for name, number in names.items()}
)
"""Every cause that FreeSWITCH has a name for."""

Q850: Final[Mapping[int, Verdict]] = MappingProxyType(
    {cause.number: cause.verdict for cause in CAUSES.values() if 1 <= cause.number <= 127}
    | {code: verdict for verdict, codes in _UNNAMED for code in codes}
)
"""Every code that Q.850 defines, and the few that FreeSWITCH adds below 128."""

OWN_CAUSES: Final[Mapping[str, Verdict]] = MappingProxyType(
    {
        OwnCause.NOT_SENT: NOT_TRIED,
        OwnCause.LATE: TOO_LATE,
        OwnCause.REFUSED: NOT_TRIED,
        OwnCause.NEVER_DIALLED: NEVER_DIALLED,
        OwnCause.LOST_SWITCH: LOST,
        OwnCause.UNKNOWN: UNKNOWN,
    }
)
"""The causes that the dialer itself gives."""
