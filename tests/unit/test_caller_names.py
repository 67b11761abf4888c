"""Names that a callee may see, where they are entered."""

from __future__ import annotations

import pytest

from dialer.declare import entered
from dialer.errors import BadValue
from dialer.model import Campaign


@pytest.mark.parametrize("name", ["O'Brien", "Smith, Jones & Co", "50% off", "100%", "%", "a;b=c", "Zoë ☎", "undef", "_"])
def test_a_name_that_sip_carries_is_taken(name: str) -> None:
    assert entered(Campaign, {"caller_name": f"  {name} "}) == {"caller_name": name}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Smith/Jones", "may not contain '/', at which the switch cuts"),
        ("Bank: info@bank", "may not contain ':' '@'"),
        ("50% apples", "may not contain '% a', a percent sign before a hexadecimal digit"),
        ("%0d%0aX-Evil%3a 1", "may not contain '%0'"),
        ("_Undef_", "may not be _undef_, which stands for no name"),
        ('a"b', "may not contain '\"'"),
        ("ARRAY::a", "may not begin with ARRAY::"),
    ],
)
def test_a_name_that_sip_would_cut_or_decode_is_refused_with_a_reason(name: str, reason: str) -> None:
    with pytest.raises(BadValue, match="caller_name") as refused:
        entered(Campaign, {"caller_name": name})
    assert reason in str(refused.value)
