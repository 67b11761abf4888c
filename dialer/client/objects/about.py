"""Objects of the API v2: about.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from typing import TypedDict


class ProblemKindsProblemsObject(TypedDict):
    """Part of an answer."""

    status: int
    title: str
    description: str


class ProblemKindsObject(TypedDict):
    """The kinds of problems, by the `type` that a problem has."""

    problems: dict[str, ProblemKindsProblemsObject]
