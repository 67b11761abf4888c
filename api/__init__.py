"""The HTTP API: Klein resources."""

from api.site import ApiSite, build_site

__all__ = ["ApiSite", "build_site"]
