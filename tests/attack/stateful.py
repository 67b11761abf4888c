"""Requests to the API v2 that follow from one another: what one answer made or told of is named by the next ones, along the
links that schemathesis finds in the document. A superuser asks, so that most of it is done."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, suppress
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.errors import Flaky
from schemathesis import Case

from api.v2 import openapi as openapi_v2
from api.v2.table import all_routes
from tests.attack.fuzz import ALLOWED, SUPERUSER, Found, furnish, judge, narrowed, route_of
from tests.attack.place import Place, Sections, opened
from tests.postgresql import Server
from tests.unit.api.v2.support import wav

STEPS: Final = 12
"""Requests that follow from one another, at most."""
AT_ONCE: Final = 4
"""Chains that are made up together."""
ROUND: Final = 100
"""Such chains to one dialer."""
WITHOUT_END: Final = ("/api/v2/events",)
"""Streams, on which one would wait for ever."""


def chains(place: Place, found: Found, number: int, at: int) -> None:
    """Ask one dialer so many chains of requests; `at` is the seed of everything."""
    document = narrowed(openapi_v2.document("2", all_routes()))
    for path in WITHOUT_END:
        del document["paths"][path]
    machine: Any = schemathesis.openapi.from_dict(document).as_state_machine()
    base, rng, session = f"http://127.0.0.1:{place.port('http')}", random.Random(at), requests.Session()

    class Chain(machine):  # type: ignore[misc]
        """Does not stop at a defect: others come behind it."""

        def before_call(self, case: Case) -> None:
            login = SUPERUSER.login(rng)
            kept = {name: text for name, text in (case.headers or {}).items() if name.lower() != "authorization"}
            case.headers = {**kept, "Authorization": login}

        def get_call_kwargs(self, case: Case) -> dict[str, Any]:
            return {"base_url": base, "session": session, "timeout": 20}

        def validate_response(self, response: Any, case: Case, *_: Any, **more: Any) -> None:
            found.asked["stateful"] += 1
            found.statuses["stateful", response.status_code] += 1
            found.done[route_of(case)] += response.status_code < 300
            for kind, text in judge(case, response, SUPERUSER):
                told = f"{text}\n{case.as_curl_command(base_url=base)[:2000]}"
                found.defects.setdefault(f"{kind}: {route_of(case)}", told)

    for done in range(0, number, AT_ONCE):
        wanted = settings(
            max_examples=min(AT_ONCE, number - done),
            stateful_step_count=STEPS,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        with suppress(Flaky):  # a dialer remembers what it was asked, and answers otherwise the next time
            seed(rng.getrandbits(32))(Chain).run(settings=wanted)


def one_round(number: int, at: int, on_server: bool) -> Found:
    """So many chains to a new dialer, on a file or on a server."""
    found, began = Found(), time.monotonic()
    with ExitStack() as stack:
        sounds, folder, recordings = (
            stack.enter_context(TemporaryDirectory(prefix=f"dialer-{name}-")) for name in ("sounds", "fuzz", "recordings")
        )
        url = stack.enter_context(Server.running()).new_database() if on_server else ""
        sections: Sections = {
            "simulator": {},
            "http": {"requests_per_minute": 0},
            "log": {"format": "text"},
            "webhooks": {"allow": [ALLOWED]},
            "apps": {"sounds": sounds, "recordings": recordings},
        }
        place = stack.enter_context(opened(Path(folder), sections, furnish, url))
        (Path(sounds) / "hello.wav").write_bytes(wav())
        chains(place, found, number, at)
        found.defects |= {f"complaint: {text[:80]}": text for text in place.complaints()}
        if place.node.stop() != 0:
            found.defects["did not stop"] = place.node.last_words()
    found.seconds = time.monotonic() - began
    return found


def rounds(number: int, at: int, processes: int) -> Iterator[tuple[int, Found]]:
    """So many chains in rounds, shared by processes, every second round on PostgreSQL."""
    sizes = [min(ROUND, number - done) for done in range(0, number, ROUND)]
    seeds = range(at, at + len(sizes))
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from zip(seeds, pool.map(one_round, sizes, seeds, [bool(each % 2) for each in seeds]), strict=True)
