"""Texts that are syntax to FreeSWITCH, to its Event Socket, to SIP or to an engine that speaks, or nearly are."""

from __future__ import annotations

from tests.unit.apps.test_kinds import DEAD_DATA

PLAIN = "plain"

TEXTS = (
    PLAIN, *DEAD_DATA,
    "O'Brien", "''", "a'b'c", "it\\'s", "\\\\", "a\\nb", "a\\sb", "\\$x", "a\\,b", "a,b=c", ", x = y", "=", "==a",
    "ARRAY:", "x ARRAY::a|:b", ":_", "_:", "origination_nested_vars=true", "^^,x=1,y=2", "undef", "_undef_", "_body", "-",
    "$${x}", "%{x}", "%,[a=b]x", "50%20off", "50% off", "50% apples", "100%", "%0d%0aX-Evil%3a%201", "%22%3csip%3aevil%3e",
    "sofia/external/1&sofia/external/2", "loopback/a,loopback/b", "&park()", "a & b", "inline", "default XML public", "#",
    "api_on_answer=uuid_kill x", "execute_on_answer=hangup", "execute_on_originate='system touch x'", "sip_h_X-Evil: 1",
    "a  b   c", "Zoë ☎ 😀", "a@b", "x/y", "sip:1@h;fs_path=sip:evil", "`id`", "!", "~", "a=", ";x=y", "a\n\nb", "%00",
    "tone_stream://v=-7;l=2;%( 100 , 0 , 440.5 )1#(50,50);>=1;+=.5;loops=-1", "tone_stream://l=-1;%(100,0,440)",
    "a\nX-Evil: 1", "é" * 60, "x" * 60, "x" * 500, "." * 500, "." * 5000, "1," * 250, "!?" * 250,
)  # fmt: skip
"""Anything that somebody may be called, or that a setting may hold."""

NUMBERS = (
    "+1 (555) 010-0123", "*31", "#5550100", "*31#", "#31#5550100", "+15550100", "5550100;x=y", "1@2", "1&2", "$1", "${x}",
    "{a=b}1", "1,2", "1|2", "_undef_", "anonymous", "1 :_: 2", "1%2b", "1\n2", "1'2", '1"2', "<1>", "۱۲۳۴۵۶۷", "1" * 30,
)  # fmt: skip
NUMBERS_TAKEN = ("+15550100123", "*31", "#5550100", "+15550100")
"""Those of them that are numbers, as they are dialled."""

PLAIN_ADDRESSES = ("loopback/answer/default", "loopback/nobody/default")
"""Harmless ones of somebody, and of nobody."""

ADDRESSES = (
    "Loopback/answer/default", "LOOPBACK/answer//", "loopback/answer/default/", "loopback/answer", "Loopback/hangup",
    "loopback/answer/default&loopback/busy/default", "loopback/answer/default,loopback/busy/default",
    "loopback/answer/default|loopback/busy/default", "loopback/answer/default:_:loopback/busy/default",
    "{a=b}loopback/answer/default", "[a=b]loopback/answer/default", "<a=b>loopback/answer/default", "%[a=b]loopback/answer",
    "^^:loopback/answer", "loopback/app=system:touch", "loopback/system:touch/default/inline", "loopback/answer'/default",
    "loopback/hangup/default/", "Loopback/hangup:USER_BUSY", "loopback/${uuid_kill(x)}/default",
    "loopback/answer/default/inline", "loopback/answer/default origination_uuid=x",
)  # fmt: skip
"""Those that an administrator may enter for a second leg, or try to."""
