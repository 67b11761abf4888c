"""Which classes are apps, what they ask for, and why others are refused."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from dialer.errors import BadValue
from dialer.marks.app import Mark, load, load_all


def test_marks_are_read_in_the_order_in_which_they_are_called() -> None:
    app = load("tests.hooked:Recorder")
    assert app.marks[0] == Mark(event="HEARTBEAT", kind="handler", method="on_heartbeat")
    assert Mark(event="conference::maintenance", kind="callback", method="on_conference") in app.marks
    assert app.kinds == {"HEARTBEAT", "CHANNEL_ANSWER", "CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY", "DTMF"}
    assert app.subclasses == {"conference::maintenance"}


def test_a_coroutine_asks_for_what_it_waits_for_and_a_subclass_for_what_it_inherits() -> None:
    assert load("tests.hooked:Waits").kinds >= {"PLAYBACK_STOP", "CHANNEL_ANSWER", "HEARTBEAT"}
    assert load("tests.hooked:Registered").kinds == {"CHANNEL_PARK", "CHANNEL_CREATE", "PLAYBACK_STOP"}


def test_an_object_is_an_app_as_well_as_a_class() -> None:
    app = load("tests.hooked:there_already")
    assert app.made() is app.found


REFUSED = {
    "tests.hooked": "is not package.module:Class",
    "tests.hooked:": "is not package.module:Class",
    "tests.hooked:nobody": "has no attribute 'nobody'",
    "tests.nowhere:Class": "No module named 'tests.nowhere'",
    "tests.hooked:marks": "is a module; expected a class, or an object, in it",
    "tests.hooked:Unmarked": "has no marked method; expected one such as @event_callback('CHANNEL_ANSWER')",
    "tests.hooked:NeedsMore": "cannot be made without arguments (missing a required argument: 'number')",
    "tests.hooked:Misspelt": "'CHANNEL_ANSWERED' is neither an event of FreeSWITCH nor a subclass such as "
    "conference::maintenance; did you mean CHANNEL_ANSWER?",
    "tests.hooked:MisspeltLater": "subscribe: 'PLAYBACK_END' is neither an event of FreeSWITCH",
    "tests.hooked:All": "'ALL' is neither an event",
    "tests.hooked:NoCoroutine": "on_event is marked as coroutine; expected an async def",
    "tests.hooked:NoCallback": "on_event is marked as callback; expected no async def, or the mark coroutine",
    "tests.hooked:OfAnotherKind": "is marked as 'wish'; expected handler, callback, coroutine",
    "switchio.apps.call_gen:Originator": "cannot be loaded: AttributeError",
}


@pytest.mark.parametrize(("name", "problem"), REFUSED.items(), ids=list(REFUSED))
def test_what_is_no_app_is_refused_with_the_reason(name: str, problem: str) -> None:
    with pytest.raises(BadValue) as refused:
        load(name)
    assert refused.value.field == "hooks.apps"
    assert problem in refused.value.problem


def test_an_app_that_is_named_twice_is_refused() -> None:
    with pytest.raises(BadValue, match="is named twice; a subclass is another app"):
        load_all(["tests.hooked:Raises", "tests.hooked:Raises"])
    assert load_all([]) == ()


def in_a_new_process(code: str) -> str:
    done: Any = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return str(done.stdout).strip()


def test_the_package_of_the_marks_is_never_executed_and_nothing_else_is_set_up() -> None:
    code = """
import logging, sys
from dialer.marks.app import load
load("switchio.apps.players:TonePlay")
print([name for name in sys.modules if name in ("switchio.api", "switchio.loop", "switchio.handlers")], logging.root.handlers)
try:
    from switchio import get_client
except ImportError as error:
    print(str(error).partition(" (")[0])
"""
    assert in_a_new_process(code).splitlines() == ["[] []", "cannot import name 'get_client' from 'switchio'"]


def test_a_dialer_without_hooks_does_not_import_switchio() -> None:
    assert in_a_new_process("import sys, dialer.host; print([name for name in sys.modules if 'switchio' in name])") == "[]"


def test_without_switchio_the_error_says_what_is_missing() -> None:
    code = """
import sys
from dialer.errors import BadValue
from dialer.marks import package
package.NAME = "switchio_that_is_not_there"
try:
    package.module("marks")
except BadValue as error:
    print(error)
"""
    assert "is not installed: pip install switchio==0.1.0a1" in in_a_new_process(code)
