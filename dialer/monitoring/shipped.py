"""Files for Prometheus and Grafana: alert rules and a dashboard."""

from __future__ import annotations

import enum
from importlib.resources import files


class Shipped(enum.StrEnum):
    """The files, by their kind. Rules are read as YAML by Prometheus, of which JSON is a part."""

    RULES = "rules.json"
    DASHBOARD = "dashboard.json"

    def text(self) -> str:
        """The content of the file."""
        return files("dialer.monitoring").joinpath(self.value).read_text(encoding="utf-8")
