"""Tells `twist` that there is a `dialer` service. Installed as `twisted.plugins.dialer_twist`."""

from twisted.application.service import ServiceMaker

dialer = ServiceMaker(
    name="dialer",
    module="dialer.tap",
    description="An outbound dialer for FreeSWITCH.",
    tapname="dialer",
)
