"""The HTTP API: Klein resources."""

from api.settings import HttpSettings
from api.site import ApiSite, build_site

__all__ = ["ApiSite", "HttpSettings", "build_site"]
