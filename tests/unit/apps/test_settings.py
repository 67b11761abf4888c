"""The settings of voice applications: what is refused, and what an application gets of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.config import load_config
from dialer.errors import BadValue
from dialer.model import VoipAppType

SMALLEST = '[database]\nurl = "sqlite:///dialer.db"\n[simulator]\n[apps]\n'


def test_settings_reach_the_applications(tmp_path: Path) -> None:
    file = tmp_path / "dialer.toml"
    file.write_text(
        SMALLEST + 'opt_out_digit = "9"\nopt_out_kinds = ["dial", "speak"]\nformats = ["local_stream"]\nplay_limit = 90\n'
        'recordings = "/srv/my recordings"\n'
    )
    settings = load_config(file).apps
    assert settings.opt_out_kinds == {VoipAppType.DIAL, VoipAppType.SPEAK}
    assert (settings.opt_out_digit, settings.formats, settings.recordings) == ("9", {"local_stream"}, "/srv/my recordings")
    assert settings.limit(VoipAppType.PLAY_AUDIO) == 90


@pytest.mark.parametrize(
    "line",
    [
        'opt_out_digit = "12"',
        'opt_out_kinds = ["sing"]',
        'recordings = "relative"',
        'recordings = "/srv/../etc"',
        'recordings = "/srv/${x}"',
        'sounds = "/srv/{x}"',
        'engine = "flite|x"',
        'voice = ""',
        'conference_profile = "a@b"',
        'conference_prefix = "bridge:"',
        'ringback = "a b"',
        "dial_timeout = 0",
        "conference_members = 1",
        "play_limit = 0",
    ],
)
def test_a_setting_that_would_be_syntax_or_nonsense_is_refused_by_name(tmp_path: Path, line: str) -> None:
    file = tmp_path / "dialer.toml"
    file.write_text(f"{SMALLEST}{line}\n")
    with pytest.raises(BadValue, match=f"apps.{line.split()[0]}"):
        load_config(file)
