"""Whom a final answer of SIP blames: the callee, the number, the caller (our account, identity or settings) or the carrier.

One table, from which the documentation's is made. FreeSWITCH turns many answers into one cause (403, 407 and 603 are all
CALL_REJECTED), so the answer counts where the cause says less (`dialer.calls.verdict`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from attrs import frozen

from dialer.calls import causes
from dialer.calls.causes import Verdict
from dialer.model import RetryClass


@frozen
class SipAnswer:
    """A final answer, by the name that its `source` gives it."""

    status: int
    name: str
    verdict: Verdict
    source: str


ANSWERS: Final = (
    SipAnswer(400, "Bad Request", causes.CONGESTED, "RFC 3261 21.4.1, RFC 3398 8.2.6.1 (cause 41)"),
    SipAnswer(401, "Unauthorized", causes.ACCOUNT, "RFC 3261 21.4.2"),
    SipAnswer(402, "Payment Required", causes.ACCOUNT, "RFC 3261 21.4.3; carriers: no credit left"),
    SipAnswer(403, "Forbidden", causes.FORBIDDEN, "RFC 3261 21.4.4: authorization will not help"),
    SipAnswer(404, "Not Found", causes.INVALID, "RFC 3261 21.4.5, RFC 3398 (cause 1)"),
    SipAnswer(405, "Method Not Allowed", causes.SERVICE, "RFC 3261 21.4.6, RFC 3398 (cause 63)"),
    SipAnswer(406, "Not Acceptable", causes.SERVICE, "RFC 3261 21.4.7, RFC 3398 (cause 79)"),
    SipAnswer(407, "Proxy Authentication Required", causes.ACCOUNT, "RFC 3261 21.4.8"),
    SipAnswer(408, "Request Timeout", causes.CONGESTED, "RFC 3261 21.4.9, RFC 3398 (cause 102)"),
    SipAnswer(410, "Gone", causes.INVALID, "RFC 3261 21.4.10, RFC 3398 (cause 22)"),
    SipAnswer(415, "Unsupported Media Type", causes.SERVICE, "RFC 3261 21.4.13, RFC 3398 (cause 79)"),
    SipAnswer(428, "Use Identity Header", causes.ACCOUNT, "RFC 8224 6.2.2"),
    SipAnswer(429, "Provide Referrer Identity", causes.ACCOUNT, "RFC 3892 5"),
    SipAnswer(433, "Anonymity Disallowed", causes.REJECTED, "RFC 5079 5"),
    SipAnswer(436, "Bad Identity Info", causes.ACCOUNT, "RFC 8224 6.2.2"),
    SipAnswer(437, "Unsupported Credential", causes.ACCOUNT, "RFC 8224 6.2.2"),
    SipAnswer(438, "Invalid Identity Header", causes.ACCOUNT, "RFC 8224 6.2.2"),
    SipAnswer(480, "Temporarily Unavailable", causes.NO_ANSWER, "RFC 3261 21.4.18, RFC 3398 (cause 18)"),
    SipAnswer(481, "Call/Transaction Does Not Exist", causes.CONGESTED, "RFC 3261 21.4.19, RFC 3398 (cause 41)"),
    SipAnswer(482, "Loop Detected", causes.CARRIER, "RFC 3261 21.4.20, RFC 3398 (cause 25)"),
    SipAnswer(483, "Too Many Hops", causes.CARRIER, "RFC 3261 21.4.21, RFC 3398 (cause 25)"),
    SipAnswer(484, "Address Incomplete", causes.INVALID, "RFC 3261 21.4.22, RFC 3398 (cause 28)"),
    SipAnswer(485, "Ambiguous", causes.INVALID, "RFC 3261 21.4.23, RFC 3398 (cause 1)"),
    SipAnswer(486, "Busy Here", causes.BUSY, "RFC 3261 21.4.24, RFC 3398 (cause 17)"),
    SipAnswer(487, "Request Terminated", causes.NO_ANSWER, "RFC 3261 21.4.25; not asked for: the network gave up ringing"),
    SipAnswer(488, "Not Acceptable Here", causes.SERVICE, "RFC 3261 21.4.26: no common codec, with them or with anybody"),
    SipAnswer(500, "Server Internal Error", causes.CONGESTED, "RFC 3261 21.5.1, RFC 3398 (cause 41)"),
    SipAnswer(501, "Not Implemented", causes.SERVICE, "RFC 3261 21.5.2, RFC 3398 (cause 79)"),
    SipAnswer(502, "Bad Gateway", causes.CONGESTED, "RFC 3261 21.5.3, RFC 3398 (cause 38)"),
    SipAnswer(503, "Service Unavailable", causes.CONGESTED, "RFC 3261 21.5.4, RFC 3398 (cause 41)"),
    SipAnswer(504, "Server Time-out", causes.CONGESTED, "RFC 3261 21.5.5, RFC 3398 (cause 102)"),
    SipAnswer(580, "Precondition Failure", causes.SERVICE, "RFC 3312 8"),
    SipAnswer(600, "Busy Everywhere", causes.BUSY, "RFC 3261 21.6.1, RFC 3398 (cause 17)"),
    SipAnswer(603, "Decline", causes.REJECTED, "RFC 3261 21.6.2, RFC 3398 (cause 21)"),
    SipAnswer(604, "Does Not Exist Anywhere", causes.INVALID, "RFC 3261 21.6.3, RFC 3398 (cause 1)"),
    SipAnswer(606, "Not Acceptable", causes.SERVICE, "RFC 3261 21.6.4"),
    SipAnswer(607, "Unwanted", causes.UNWANTED, "RFC 8197 4"),
    SipAnswer(608, "Rejected", causes.UNWANTED, "RFC 8688 3"),
)

SIP: Final[Mapping[int, Verdict]] = MappingProxyType({answer.status: answer.verdict for answer in ANSWERS})
"""The meaning of a final SIP status."""


def by_status(status: int | None, otherwise: Verdict) -> Verdict:
    """The meaning of a status; an unlisted one of a server is that of a server without capacity."""
    if status is None:
        return otherwise
    return SIP.get(status, causes.CONGESTED if 500 <= status < 600 else otherwise)


_FATES: Final[Mapping[RetryClass, str]] = MappingProxyType(
    {
        RetryClass.RETRY: "counts; called again by the campaign's retries",
        RetryClass.STOP: "counts; not called again",
        RetryClass.REQUEUE: "not charged; called again after a growing pause",
    }
)


def documentation() -> str:
    """A table of the answers: Markdown."""
    lines = ["| answer | blames | the contact | source |", "|---|---|---|---|"]
    for answer in ANSWERS:
        verdict = answer.verdict
        blamed = f"the {verdict.blame}, or the number" if verdict.doubtful else f"the {verdict.blame}"
        fate = _FATES[verdict.retry]
        lines.append(f"| {answer.status} {answer.name} | {blamed}: {verdict.reason} | {fate} | {answer.source} |")
    return "\n".join(lines)
