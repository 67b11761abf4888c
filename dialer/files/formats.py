"""How a file of contacts is written, as far as its type and its name tell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from dialer.model.import_job import ImportFormat

CSV_TYPES: Final = ("text/csv", "text/tab-separated-values", "text/plain")
JSON_TYPES: Final = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-lines")
CONTENT_TYPES: Final[Mapping[ImportFormat, str]] = {
    ImportFormat.CSV: "text/csv",
    ImportFormat.JSON_LINES: "application/x-ndjson",
}
ENDINGS: Final[Mapping[ImportFormat, str]] = {ImportFormat.CSV: "csv", ImportFormat.JSON_LINES: "ndjson"}
_JSON_NAME: Final = re.compile(r".*\.(?:ndjson|jsonl|json)", re.IGNORECASE)


def format_of(content_type: str, name: str) -> ImportFormat:
    """By its media type, or else by its name; a table where neither tells."""
    if content_type in JSON_TYPES or (content_type not in CSV_TYPES and _JSON_NAME.fullmatch(name)):
        return ImportFormat.JSON_LINES
    return ImportFormat.CSV
