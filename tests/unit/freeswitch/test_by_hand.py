"""What an administrator is told to do after an installation."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.freeswitch.by_hand import INCLUDE_LIMITS, MODULES, SWITCH, hints, remains
from dialer.freeswitch.content import EVENT_SOCKET, known_modules
from dialer.settings import SwitchSettings

HERE = SwitchSettings(password="secret")
ALL = "".join(f'<load module="{module.name}"/>' for module in known_modules())
GOOD_MODULES = f"<configuration><modules>{ALL}</modules></configuration>".encode()
GOOD_LIMITS = b'<configuration><settings><param name="sessions-per-second" value="100"/></settings></configuration>'


def told(event_socket: str = "", modules: bytes | None = GOOD_MODULES, limits: bytes | None = GOOD_LIMITS) -> list[str]:
    return remains({EVENT_SOCKET: event_socket.encode() or None, MODULES: modules, SWITCH: limits}, HERE)


def hinted(event_socket: str = "", limits: bytes | None = GOOD_LIMITS) -> list[str]:
    return hints({EVENT_SOCKET: event_socket.encode() or None, MODULES: GOOD_MODULES, SWITCH: limits}, HERE)


def socket_with(**params: str) -> str:
    inside = "".join(f'<param name="{name.replace("_", "-")}" value="{value}"/>\n' for name, value in params.items())
    return f"<include>\n<configuration><settings>{inside}</settings></configuration>\n</include>\n"


def test_of_a_folder_that_fits_nothing_is_told() -> None:
    assert told(socket_with(password="secret", listen_ip="127.0.0.1", listen_port="8021")) == []


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"password": "other"}, "password is not that of"),
        ({"password": "secret", "listen_port": "8022"}, "listen-port is 8022"),
        ({"password": "$${secret}"}, "uses variables"),
    ],
)
def test_an_event_socket_of_somebody_elses_that_does_not_fit_is_told(params: dict[str, str], said: str) -> None:
    (sentence,) = told(socket_with(**params))
    assert said in sentence
    assert "--replace" in sentence
    assert "other" not in sentence.replace("the other", "")


def test_an_event_socket_that_is_no_xml_is_told() -> None:
    (sentence,) = told("<configuration>")
    assert "cannot be read as XML" in sentence


def test_a_switch_elsewhere_must_not_listen_on_loopback() -> None:
    there = SwitchSettings(password="secret", host="192.0.2.9")
    present = {EVENT_SOCKET: socket_with(password="secret", listen_ip="127.0.0.1").encode(), MODULES: GOOD_MODULES}
    assert "listen-ip is 127.0.0.1" in remains(present | {SWITCH: GOOD_LIMITS}, there)[0]


def test_each_module_that_is_not_loaded_is_told_with_its_line() -> None:
    without = GOOD_MODULES.replace(b'<load module="mod_loopback"/>', b'<!-- <load module="mod_loopback"/> -->')
    (sentence,) = told(modules=without)
    assert '<load module="mod_loopback"/>' in sentence
    assert "cannot be read" in told(modules=None)[0]


def test_an_event_socket_that_is_open_to_all_works_and_would_be_better_closed() -> None:
    stock = socket_with(password="secret", listen_ip="::", listen_port="8021")
    assert told(stock) == []
    (sentence,) = hinted(stock)
    assert "listens on all addresses (::); --replace closes that" in sentence
    assert hinted(socket_with(password="secret", listen_ip="::", apply_inbound_acl="loopback.auto")) == []


@pytest.mark.parametrize(
    ("per_second", "needed", "better"),
    [(None, 0, 1), (25, 1, 0), (26, 0, 1), (51, 0, 1), (52, 0, 0)],
)
def test_sessions_for_the_calls_are_needed_and_those_for_transfers_are_better(
    per_second: int | None, needed: int, better: int
) -> None:
    """Of N a second, FreeSWITCH lets N-1 through; stock is 30."""
    limits = GOOD_LIMITS.replace(b"100", b"%d" % per_second) if per_second else b"<configuration/>"
    required, hinted_at = told(limits=limits), hinted(limits=limits)
    assert (len(required), len(hinted_at)) == (needed, better)
    assert all(INCLUDE_LIMITS in sentence for sentence in required + hinted_at)
    included = f"<configuration>{INCLUDE_LIMITS}</configuration>".encode()
    assert told(limits=included) == hinted(limits=included) == []


def test_the_readme_shows_the_same_line() -> None:
    readme = Path(__file__).resolve().parents[3] / "freeswitch_conf" / "README.md"
    assert INCLUDE_LIMITS in readme.read_text()
