"""Write what is generated in the documentation: `python docs/write.py`. Tests compare it with the declarations.

The schemas of the APIs go to `openapi.json` and `openapi-v2.json`, the code of the client to `dialer/client`; tables stand
between two comments in `api.md`, `api-v2.md`, `events.md`, `metrics.md`, `operations.md` and `outcomes.md`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
CLIENT = FOLDER.parent / "dialer" / "client"
sys.path[:0] = [str(FOLDER.parent), str(FOLDER)]

import client_code  # noqa: E402 - beside this

from api import openapi  # noqa: E402 - of this checkout, installed or not
from api.v2 import openapi as openapi_v2  # noqa: E402
from api.v2 import problems  # noqa: E402
from api.v2.table import all_routes  # noqa: E402
from dialer.calls import sip_answers  # noqa: E402
from dialer.declare import documentation  # noqa: E402
from dialer.model import Campaign  # noqa: E402
from dialer.model.event import documentation as event_kinds  # noqa: E402
from dialer.monitoring import declarations as monitoring  # noqa: E402
from dialer.settings_file import settings_tables  # noqa: E402
from dialer.store.record_columns import documentation as record_columns  # noqa: E402


def between(text: str, name: str, generated: str) -> str:
    """`text` with what stands between the comments of that name replaced. Raises `ValueError` when they are not there."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"expected one {begin.strip()} and one {end}")
    return re.sub(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: f"{begin}\n{generated}\n\n{end}", text, flags=re.DOTALL)


def main() -> None:
    """Write all of it."""
    (FOLDER / "openapi.json").write_bytes(openapi.text())
    (FOLDER / "openapi-v2.json").write_bytes(openapi_v2.text(all_routes()))
    for name, code in client_code.files(openapi_v2.document("2", all_routes())).items():
        (CLIENT / name).parent.mkdir(exist_ok=True)
        (CLIENT / name).write_text(code, encoding="utf-8")
    for page, name, generated in (
        ("api.md", "settings of a campaign", documentation(Campaign)),
        ("events.md", "kinds", event_kinds()),
        ("api-v2.md", "columns of call records", record_columns()),
        ("api-v2.md", "kinds of problems", problems.documentation()),
        ("outcomes.md", "answers of SIP", sip_answers.documentation()),
        ("operations.md", "settings", settings_tables().strip("\n")),
        ("metrics.md", "metrics", monitoring.documentation()),
    ):
        path = FOLDER / page
        path.write_text(between(path.read_text(encoding="utf-8"), name, generated), encoding="utf-8")


if __name__ == "__main__":
    main()
