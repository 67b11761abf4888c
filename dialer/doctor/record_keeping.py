"""For how long call records are there, and will be."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from dialer.doctor.diagnosis import Diagnosis, ok, warning
from dialer.settings import FIVE_YEARS

CHECK: Final = "records"


def judge_keeping(oldest: datetime | None, keep: int) -> Diagnosis:
    """`oldest` is when the oldest attempt that is stored was begun; `keep` is the setting, in days."""
    told = "there is no call record yet" if oldest is None else f"the oldest call record is of {oldest:%Y-%m-%d}"
    if keep < FIVE_YEARS:
        return warning(
            CHECK,
            f"{told}; each is removed after {keep} days, before the five years are over that 16 CFR 310.5 demands",
            "raise records.keep, unless you know that you may",
        )
    return ok(CHECK, f"{told}; each is kept for {keep} days")
