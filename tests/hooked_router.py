"""Apps of switchio's own package, set up as its documentation does it. Only `dialer.marks` may import this module."""

from __future__ import annotations

from queue import SimpleQueue
from typing import Any

from switchio.apps.measure.cdr import CDR
from switchio.apps.routers import Router

router = Router()


@router.route("5551.*")
async def to_the_agents(sess: Any, match: Any, router: Any) -> None:
    await router.bridge(sess, match, router)


class Rows:
    """In place of a storer that starts a process."""

    def __init__(self, rows: SimpleQueue[Any]) -> None:
        self.append_row = rows.put


class Records(CDR):  # type: ignore[misc]
    """Call records of switchio, kept in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: SimpleQueue[Any] = SimpleQueue()

    def new_storer(self) -> Rows:
        return Rows(self.rows)
