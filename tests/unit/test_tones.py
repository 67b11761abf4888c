"""How long tones last, and which ones there are."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer import tones


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("%(1000,500,440)", 1500),
        ("%(400,200,440);%(600,200,660)", 1400),
        ("%(330,30,950);%(330,30,1400);%(330,0,1800);loops=-1", 1050),
        ("%(500,500,440,480);loops=2", 1000),
        ("v=-7; %( 100 , 0 , 941.0, 1477.0 ) ", 100),
        ("%(100,0,440)%(200,0,880)", 300),
        ("12#", 7500),
        ("d=100;w=50;12*", 450),
        ("1(100,20)", 120),
        ("L=3;%(100,0,440)", 300),
        ("l=3;%(100,0,440);%(100,0,440)", 400),
        (">=10;+=.05;%(100,0,440)", 100),
        ("v=-7", 0),
    ],
)
def test_the_length_of_tones_is_known_before_they_are_played(text: str, length: int) -> None:
    assert tones.milliseconds(text) == length


@pytest.mark.parametrize(
    "text", ["x", "path=/etc/passwd", "c=2", "r=8000", "l=-1", "%(1,2)", "%(-1,0,440)", "1;loops=2;3", "%1", "(", "L=x"]
)
def test_anything_else_is_refused_with_what_it_is(text: str) -> None:
    with pytest.raises(ValueError, match="is no tone such as"):
        tones.milliseconds(text)


@given(st.text(st.sampled_from(list("%(),;=0123456789.440lLdwvcr<>+-*#A loops")), max_size=40))
def test_whatever_is_taken_has_a_length(text: str) -> None:
    try:
        length = tones.milliseconds(text)
    except ValueError:
        return
    assert length >= 0
    assert not re.search(r"[cr]=|[lLdw]=-", text)
