"""The shipped files: well-formed as FreeSWITCH reads them, and with no name that it does not know."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from attrs import evolve

from dialer.config import parse_config
from dialer.errors import BadValue
from dialer.esl import commands
from dialer.freeswitch.content import FILES, MARKER, ConfFile, known_modules, missing_modules, render, session_limits, shipped
from dialer.settings import Config
from tests.unit.freeswitch import vocabulary

ROOT = Path(__file__).resolve().parents[3] / "freeswitch_conf"
BY_PATH = {"dialplan/dialer.xml": "", "dialer/session_limits.xml": "switch.conf"}


def config(password: str = "secret", **more: object) -> Config:
    switch = {"password": password} | more.pop("switch", {})  # type: ignore[operator]
    return parse_config({"database": {"url": "sqlite:///d"}, "switch": [switch], **more})


FILLED = render(config())
each_file = pytest.mark.parametrize("file", FILLED, ids=[file.path for file in FILLED])


def preprocessed(text: str) -> str:
    """What FreeSWITCH's preprocessor leaves of a file: it drops lines with `<include>` whole."""
    return "\n".join(line for line in text.splitlines() if "<include>" not in line and "</include>" not in line)


def elements(file: ConfFile) -> ET.Element:
    return ET.fromstring(f"<all>{preprocessed(file.text)}</all>")


def named(path: str) -> ConfFile:
    return next(file for file in FILLED if file.path == path)


def test_what_is_installed_is_what_is_shipped() -> None:
    found = {str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file()}
    assert found - set(FILES) == {"README.md", "modules.txt"}
    assert set(FILES) <= found
    assert shipped().joinpath("modules.txt").read_text() == (ROOT / "modules.txt").read_text()


@each_file
def test_a_file_is_well_formed_both_as_it_is_and_as_freeswitch_reads_it(file: ConfFile) -> None:
    assert ET.fromstring(file.text) is not None
    assert len(elements(file)) >= 1


@each_file
def test_a_file_says_whose_it_is_and_holds_nothing_unfilled(file: ConfFile) -> None:
    assert file.text.startswith("<!--\n")
    assert file.text.count(MARKER) == 1
    assert re.findall(r"@[A-Z_]+@", file.text) == []


@each_file
def test_include_stands_alone_on_its_line_and_no_comment_holds_what_the_preprocessor_acts_on(file: ConfFile) -> None:
    for line in file.text.splitlines():
        if "include>" in line:
            assert line.strip() in ("<include>", "</include>")
    for comment in re.findall(r"<!--.*?-->", file.text, re.DOTALL):
        assert not re.search(r"X-PRE-PROCESS|<\?|\$\$\{|#", comment, re.IGNORECASE)


@each_file
def test_every_name_is_one_that_freeswitch_knows(file: ConfFile) -> None:
    root = elements(file)
    for action in (*root.iter("action"), *root.iter("anti-action")):
        assert action.get("application") in vocabulary.APPLICATIONS
        for variable in re.findall(r"\$\{(\w+)\}", action.get("data", "")):
            assert variable in vocabulary.VARIABLES | vocabulary.SWITCHS_OWN
    for condition in root.iter("condition"):
        field = condition.get("field")
        assert field is None or field in vocabulary.FIELDS or set(re.findall(r"\$\{(\w+)\}", field)) & vocabulary.VARIABLES
        re.compile(condition.get("expression", ""))
    for cause in re.findall(r"\b[A-Z]+_[A-Z]+\b", " ".join(a.get("data", "") for a in root.iter("action"))):
        assert cause in vocabulary.CAUSES
    known = vocabulary.PARAMETERS.get(kind_of(file, root), frozenset())
    assert {param.get("name") for param in root.iter("param")} <= known


def kind_of(file: ConfFile, root: ET.Element) -> str:
    if file.path in BY_PATH:
        return BY_PATH[file.path]
    configuration = root.find("configuration")
    return "gateway" if configuration is None else str(configuration.get("name"))


def test_the_dialplan_uses_what_every_originate_sets() -> None:
    assert vocabulary.VARIABLES <= commands.OWN_VARIABLES


def test_a_call_in_the_context_is_limited_comes_again_and_again_and_is_never_left_parked() -> None:
    first, again, _ = elements(named("dialplan/dialer.xml")).iter("extension")
    conditions = list(first.iter("condition"))
    assert [one.get("break") for one in conditions] == [None, None, "never", "never", None]
    assert {one.get("application") for one in conditions[2]} == {"sched_hangup"}
    run = [(one.get("application"), one.get("data")) for one in conditions[4]]
    assert run[0] == ("set", "socket_resume=true")
    assert run.count(("socket", "${dialer_socket} async full")) == 2
    assert run[-1] == ("transfer", "dialer_away XML dialer")
    turn = [one.get("application") for one in again.iter("action")]
    assert turn == ["sleep", "socket", "set", "unset", "set", "transfer"]
    assert [one.get("application") for one in again.iter("anti-action")] == ["playback", "hangup"]


def test_values_are_escaped_for_xml() -> None:
    text = next(file.text for file in render(config('a<b&"c"')) if "event_socket" in file.path)
    param = next(one for one in ET.fromstring(text).iter("param") if one.get("name") == "password")
    assert param.get("value") == 'a<b&"c"'


@pytest.mark.parametrize("password", ["a$b", "$${hidden}", "a\nb", " a", "a\x07", "\ud800"])
def test_a_password_that_cannot_be_carried_is_refused(password: str) -> None:
    settings = evolve(config(), switch=(evolve(config().switch[0], password=password),))
    with pytest.raises(BadValue, match=r"switch\.password"):
        render(settings)


def parameter(file_of: Config, name: str) -> str:
    text = next(file.text for file in render(file_of) if "event_socket" in file.path)
    return next(str(one.get("value")) for one in ET.fromstring(text).iter("param") if one.get("name") == name)


def test_a_switch_on_this_machine_listens_to_this_machine_only() -> None:
    assert parameter(config(), "listen-ip") == "127.0.0.1"
    assert parameter(config(), "apply-inbound-acl") == "loopback.auto"


def test_a_switch_elsewhere_listens_to_the_dialers_address_only() -> None:
    there = config(switch={"host": "192.0.2.9", "port": 8022}, outbound={"advertise": "192.0.2.1:8084"})
    assert parameter(there, "listen-ip") == "192.0.2.9"
    assert parameter(there, "listen-port") == "8022"
    assert parameter(there, "apply-inbound-acl") == "192.0.2.1/32"


@pytest.mark.parametrize("advertise", ["", "dialer.example.net:8084", "127.0.0.1:8084", "0.0.0.0:8084"])
def test_for_a_switch_elsewhere_the_dialer_must_say_its_address(advertise: str) -> None:
    with pytest.raises(BadValue, match=r"outbound\.advertise"):
        render(config(switch={"host": "192.0.2.9"}, outbound={"advertise": advertise}))


def test_a_simulator_cannot_be_set_up() -> None:
    with pytest.raises(BadValue, match="simulator"):
        render(parse_config({"database": {"url": "sqlite:///d"}, "simulator": {}}))


def test_the_limits_have_room_for_calls_that_are_put_through() -> None:
    assert session_limits(25) == (52, 3120)
    assert session_limits(0.5) == (4, 1000)


def test_a_module_is_missing_when_it_is_needed_and_not_loaded() -> None:
    needed = {module.name for module in known_modules() if module.need == "needed"}
    assert missing_modules(needed, ()) == []
    assert [module.name for module in missing_modules(needed - {"mod_loopback"}, ())] == ["mod_loopback"]
    assert [module.name for module in missing_modules(needed, {"sip"})] == ["mod_sofia"]
