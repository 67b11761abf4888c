"""Why a dialer is not ready."""

from __future__ import annotations

import enum


class Unready(enum.StrEnum):
    """The reasons, each a stable word; those that a campaign may have, too, have the word of `IdleCode`."""

    STOPPING = "stopping"
    NO_DATABASE = "no-database"
    NO_SWITCH = "no-switch"

    @property
    def text(self) -> str:
        """The same as a sentence. It names nothing of the installation: anybody may read it."""
        return {
            Unready.STOPPING: "the dialer is stopping",
            Unready.NO_DATABASE: "the database does not serve",
            Unready.NO_SWITCH: "no switch is connected",
        }[self]
