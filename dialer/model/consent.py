"""Consents: what a contact has agreed to, and what a campaign asks for."""

from __future__ import annotations

import enum


class ConsentBasis(enum.StrEnum):
    """What a consent rests on. The first two are express ones: the contact has agreed itself to be called, in the second case
    over its signature (47 CFR 64.1200(f)(9) has the difference)."""

    EXPRESS = "express"
    WRITTEN = "written"
    RELATIONSHIP = "relationship"
    OTHER = "other"


class ConsentPolicy(enum.StrEnum):
    """Which contacts a campaign calls: all, those of whom any consent is recorded and in force, or those with an express
    one."""

    NOT_ASKED = "not-asked"
    RECORDED = "recorded"
    EXPRESS = "express"
