"""The address of a second leg."""

from __future__ import annotations

import pytest

from dialer.esl import bridging
from dialer.model.flow import Transfer


@pytest.mark.parametrize(
    ("address", "complete"),
    [
        ("loopback/9000", "loopback/9000/default/XML"),
        ("Loopback/9000", "Loopback/9000/default/XML"),
        ("loopback/9000/agents", "loopback/9000/agents/XML"),
        ("loopback/9000/agents/", "loopback/9000/agents/XML"),
        ("LOOPBACK/9000//", "LOOPBACK/9000/default/XML"),
        ("loopback/9000/agents/enum", "loopback/9000/agents/enum"),
        ("sofia/external/9000", "sofia/external/9000"),
    ],
)
def test_a_loopback_address_never_has_the_dialplan_of_the_leg_that_dials(address: str, complete: str) -> None:
    argument = bridging.argument(Transfer(dial_string=address, timeout=30))
    assert argument == f"{{originate_timeout=30,ignore_early_media=true}}{complete}"
