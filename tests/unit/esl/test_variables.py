"""Packed channel variables."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dialer.esl.events import ChannelData, VariablePacker, channel_data
from tests.unit.esl.recorded import frames_of, said_by_switch


def channel_of(recording: str) -> ChannelData:
    return channel_data(frames_of([said_by_switch(recording)])[0])


def test_every_variable_of_a_recorded_channel_comes_out_decoded() -> None:
    packer = VariablePacker()
    for recording in ("21-outbound-async-full-linger", "23-outbound-remote-bye-linger"):
        channel = channel_of(recording)
        packed = packer.pack(channel)
        variables = {name.removeprefix("variable_"): value for name, value in channel.items() if name.startswith("variable_")}
        assert variables["sip_req_uri"].startswith("5551000@127.0.0.1:")
        assert {name: packer.value(packed, name) for name in variables} == variables


def test_only_variables_are_kept() -> None:
    packer = VariablePacker()
    assert packer.value(packer.pack(channel_of("21-outbound-async-full-linger")), "Channel-State") == ""


def test_a_call_like_the_first_one_is_packed_to_a_tenth() -> None:
    packer = VariablePacker()
    packer.pack(channel_of("21-outbound-async-full-linger"))
    assert len(packer.pack(channel_of("23-outbound-remote-bye-linger"))) < 400


@given(st.lists(st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=5), min_size=1, max_size=4))
def test_calls_that_have_nothing_in_common_are_told_apart(calls: list[dict[str, str]]) -> None:
    packer = VariablePacker()
    packed = [packer.pack(ChannelData({f"variable_{name}": value for name, value in call.items()})) for call in calls]
    for call, bytes_of_it in zip(calls, packed, strict=True):
        for name, value in call.items():
            assert packer.value(bytes_of_it, name) == ChannelData({"x": value}).value("x")
