"""Texts that are syntax to the switch, or to SIP: each is refused where it is entered, or reaches the other side as it is, and
nothing else comes of it: no variable, no application, no leg, no command."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from attrs import define, evolve, field, frozen
from pytest_twisted import ensureDeferred

from dialer import declare
from dialer.appdata import check_data, filled_in
from dialer.apps.basic import tags
from dialer.apps.dial import headers
from dialer.errors import BadValue
from dialer.model import Campaign, Contact, Gateway, VoipApp, VoipAppType
from tests.contract.client import Event
from tests.real.conftest import Exchange
from tests.real.hostile_texts import ADDRESSES, NUMBERS, NUMBERS_TAKEN, PLAIN, PLAIN_ADDRESSES, TEXTS
from tests.real.refusing_callee import RefusingCallee
from tests.real.stage import needs
from tests.unit.apps.world import AGENTS

DIAL, PLAY, ROOM, SPEAK = VoipAppType.DIAL, VoipAppType.PLAY_AUDIO, VoipAppType.CONFERENCE, VoipAppType.SPEAK

END = 30.0
"""Seconds until a call is gone: flite makes the sound of a whole text before it looks whether anybody is there."""


@frozen
class Trace:
    """The outcome of a call beside the texts: its legs, the applications that ran, the commands that nobody here gave; and the
    variables of each leg."""

    legs: int
    applications: Counter[str]
    commands: Counter[str]
    variables: tuple[Mapping[str, str], ...]

    def also(self, other: Trace) -> Trace:
        """What is usual in one of both."""
        applications, commands = self.applications | other.applications, self.commands | other.commands
        return Trace(max(self.legs, other.legs), applications, commands, (*self.variables, *other.variables))

    def beyond(self, usual: Trace, text: str, *wanted: str) -> list[str]:
        """The things that have come of `text` beside those of a harmless one and the variables that are wanted. Which
        variables FreeSWITCH itself sets depends on the moment; the name of one that was smuggled in stands in the text."""
        known = {name for variables in usual.variables for name in variables} | set(wanted)
        added = {name for variables in self.variables for name in variables if name.lower() in text.lower()} - known
        return [
            *([f"{self.legs} legs"] if self.legs > usual.legs else []),
            *(f"the application {name}" for name in self.applications - usual.applications),
            *(f"the command {name}" for name in self.commands - usual.commands),
            *(f"the variable {name}" for name in sorted(added)),
        ]


@define(eq=False)
class Watch:
    """Looks at what happens on the switch, one call after the other."""

    exchange: Exchange
    given: list[tuple[str, str]] = field(factory=list)
    since: int = 0

    @classmethod
    async def on(cls, exchange: Exchange) -> Watch:
        await exchange.peer.command("event json API")
        return cls(exchange)

    async def command(self, name: str, argument: str) -> str:
        """Give a command, which then does not count."""
        self.given.append((name, argument))
        return await self.exchange.ask(f"{name} {argument}")

    async def dump(self, leg: str) -> Mapping[str, str]:
        """The headers of a living channel."""
        found: Mapping[str, str] = json.loads(await self.command("uuid_dump", f"{leg} json"))
        return found

    def new(self, name: str) -> list[Event]:
        return [event for event in self.exchange.peer.events[self.since :] if event.name == name]

    def legs(self) -> list[str]:
        """The channels that were created since the last trace, in that order."""
        created = sorted(self.new("CHANNEL_CREATE"), key=lambda event: int(event["Event-Sequence"]))
        return list(dict.fromkeys(event.uuid for event in created))

    async def dumps(self, count: int) -> Sequence[Mapping[str, str]]:
        """The headers of so many channels, all of which live."""
        await self.exchange.peer.until(lambda: len(self.legs()) >= count)
        return [await self.dump(leg) for leg in self.legs()]

    async def given_to(self, application: str, call: str, wanted: str) -> tuple[list[str], Trace]:
        """Wait until an application was given its data, and end the call; how the data differs, and what came of the call."""
        begun = await self.exchange.peer.event("CHANNEL_EXECUTE", Unique_ID=call, Application=application)
        await self.command("uuid_kill", call)
        seen = begun["Application-Data"]
        return ([] if seen == wanted else [f"{seen!r} is not {wanted!r}"]), await self.trace()

    async def trace(self) -> Trace:
        """Wait until every leg is gone; what has come of them."""
        for leg in self.legs():
            await self.exchange.peer.event("CHANNEL_DESTROY", END, Unique_ID=leg)
        ends = self.new("CHANNEL_HANGUP_COMPLETE")
        calls = [(event["API-Command"], event.get("API-Command-Argument")) for event in self.new("API")]
        found = Trace(
            len(self.legs()),
            Counter(event["Application"] for event in self.new("CHANNEL_EXECUTE")),
            Counter(name for name, argument in calls if (name, argument) not in self.given),
            tuple(_variables(event.headers) for event in ends),
        )
        self.since = len(self.exchange.peer.events)
        return found


def _variables(headers: Mapping[str, str]) -> Mapping[str, str]:
    return {name.removeprefix("variable_"): value for name, value in headers.items() if name.startswith("variable_")}


def _set(given: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """Variables without those that have no value, of which FreeSWITCH sets none."""
    return {name: value for name, value in given if value}


def _headers(given: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """The headers of SIP that variables become."""
    return {name.removeprefix("sip_h_"): value for name, value in _set(given).items() if name.startswith("sip_h_")}


def differences(leg: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """The variables of a leg that are not as they should be."""
    seen = {name: leg.get(f"variable_{name}") for name in wanted}
    return [f"{name} is {seen[name]!r}, not {value!r}" for name, value in wanted.items() if seen[name] != value]


def entered(kind: type, name: str, text: str) -> str:
    """The setting as it is stored, "" when it is refused where it is entered: with a reason, by its name."""
    try:
        value: str = declare.entered(kind, {name: text})[name]
    except BadValue as refused:
        assert refused.field == name
        assert len(refused.problem) > 10
        return ""
    return value


@contextmanager
def refusing_callee() -> Iterator[tuple[RefusingCallee, str]]:
    """Somebody to be called, and the host and port."""
    from twisted.internet import reactor

    callee = RefusingCallee()
    port = reactor.listenUDP(0, callee, interface="127.0.0.1")  # type: ignore[attr-defined]
    yield callee, f"127.0.0.1:{port.getHost().port}"
    port.stopListening()


def taken(kind: VoipAppType, text: str, *, by_admin: bool = False) -> bool:
    """Whether the data is taken where it is entered, for a campaign or, by an administrator, for an application."""
    owner, name = (VoipApp, "data") if by_admin else (Campaign, "voip_app_data")
    value = entered(owner, name, text)
    try:
        check_data(kind, value, by_admin=by_admin)
    except BadValue as refused:
        assert len(refused.problem) > 10
        return False
    return value == text


def batches(texts: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Several texts at once, so that the tests end sooner."""
    return (texts[start : start + size] for start in range(0, len(texts), size))


def parameters(texts: Sequence[str], names: str) -> tuple[tuple[str, str], ...]:
    """The channel variables of a gateway, of which each text is one, as far as they are taken where they are entered."""
    lines = [entered(Gateway, "addparameter", f"{names}{index}={text}") for index, text in enumerate(texts)]
    return evolve(AGENTS, addparameter="\n".join(lines)).parameters


def contact(texts: Sequence[str]) -> Contact:
    """Somebody of whom that is known, and whose further settings have such names."""
    more = {f"value {index}": text for index, text in enumerate(texts)} | dict.fromkeys(texts, "x")
    return Contact(number=texts[0], first_name=texts[-1], last_name=texts[0], additional_vars=more)


def first_legs(names_of_variables: str) -> Iterator[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """The caller's name and number and the variables of calls, until every text was all that it may be."""
    names = [name for text in TEXTS if (name := entered(Campaign, "caller_name", text))]
    numbers = [number for text in NUMBERS if (number := entered(Campaign, "caller_id", text))]
    assert numbers == list(NUMBERS_TAKEN)
    for index, name in enumerate(names):
        yield name, numbers[index % len(numbers)], parameters(TEXTS[index :: len(names)], names_of_variables)


# --- the first leg ----------------------------------------------------------------------------------------------------------


@ensureDeferred
async def test_names_numbers_and_parameters_reach_both_ends_of_a_call(exchange: Exchange) -> None:
    watch = await Watch.on(exchange)
    broken: dict[str, list[str]] = {}
    usual: Trace | None = None
    for name, number, given in first_legs("note"):
        more = {"caller_id_name": name, "caller_id_number": number, "variables": given}
        call = await exchange.call(PLAY, "silence_stream://-1", **more)
        await exchange.began(call, "playback")
        wanted = {"origination_caller_id_number": number, "origination_caller_id_name": name} | _set(given)
        seen = await watch.dumps(2)
        wrong = [problem for leg in seen for problem in differences(leg, wanted)]
        callee = next(leg for leg in seen if leg["Unique-ID"] != call)
        if (callee["Caller-Orig-Caller-ID-Name"], callee["Caller-ANI"]) != (name, number):
            wrong.append(f"the callee sees {callee['Caller-Orig-Caller-ID-Name']!r} <{callee['Caller-ANI']}>")
        await watch.command("uuid_kill", call)
        trace = await watch.trace()
        usual = usual or trace
        if found := wrong + trace.beyond(usual, f"{name} {given}", *wanted):
            broken[f"{name} {given}"] = found
    assert broken == {}


@needs()  # the simulator writes no SIP
@ensureDeferred
async def test_a_carrier_gets_names_numbers_and_headers_as_they_are(exchange: Exchange, freeswitch: bool) -> None:
    usual: set[str] = set()
    broken: dict[str, list[str]] = {}
    with refusing_callee() as (callee, address):
        for name, number, given in first_legs("sip_h_X-Note"):
            more = {"caller_id_name": name, "caller_id_number": number, "variables": given}
            _, answer = await exchange.place(PLAY, "", "", f"sofia/external/{number}@{address}", **more)
            (invite, *others), callee.invites = callee.invites, []
            usual = usual or set(invite.standard)
            seen = (answer, len(others), invite.dialled, invite.caller, dict(invite.extra), set(invite.standard))
            wanted = ("-ERR USER_BUSY\n", 0, number, (name, number), _headers(given), usual)
            if seen != wanted:
                broken[name] = [f"{one} is not {other}" for one, other in zip(seen, wanted, strict=True) if one != other]
    assert broken == {}


# --- the second leg ---------------------------------------------------------------------------------------------------------


@ensureDeferred
async def test_a_contact_reaches_both_ends_of_a_transfer(exchange: Exchange) -> None:
    watch = await Watch.on(exchange)
    broken: dict[str, list[str]] = {}
    usual: Trace | None = None
    for texts in batches(TEXTS, 8):
        exchange.store.contacts[1] = contact(texts)
        call = await exchange.call(DIAL, "", "loopback/answer/default")
        await exchange.peer.event("CHANNEL_BRIDGE", Unique_ID=call)
        wanted = dict(headers(contact(texts)))
        assert len(wanted) >= len(texts)
        wrong = [problem for leg in (await watch.dumps(4))[2:] for problem in differences(leg, wanted)]
        await watch.command("uuid_kill", call)
        trace = await watch.trace()
        usual = usual or trace
        if found := wrong + trace.beyond(usual, "".join(texts), *wanted):
            broken[str(texts)] = found
    assert broken == {}


@needs()  # the simulator writes no SIP
@ensureDeferred
async def test_an_agent_gets_a_contact_and_parameters_as_they_are(exchange: Exchange, freeswitch: bool) -> None:
    usual: set[str] = set()
    broken: dict[str, object] = {}
    with refusing_callee() as (callee, address):
        for texts in batches(TEXTS, 8):
            exchange.store.contacts[1] = contact(texts)
            given = "\n".join(f"{name}={value}" for name, value in parameters(texts, "sip_h_X-Note"))
            gateway = evolve(AGENTS, dial_string=f"sofia/external/{{number}}@{address}", addparameter=given)
            exchange.store.known[7] = gateway
            notes = await exchange.over(await exchange.call(DIAL, "15551234"))
            (invite, *others), callee.invites = callee.invites, []
            usual = usual or set(invite.standard)
            seen = (notes["transfer_cause"], len(others), dict(invite.extra), set(invite.standard))
            wanted = ("USER_BUSY", 0, _headers((*gateway.parameters, *headers(contact(texts)))), usual)
            if seen != wanted:
                broken[str(texts)] = [f"{one} is not {other}" for one, other in zip(seen, wanted, strict=True) if one != other]
    assert broken == {}


@ensureDeferred
async def test_an_address_is_one_second_leg_or_is_refused(exchange: Exchange) -> None:
    watch = await Watch.on(exchange)

    async def transferred(address: str) -> Trace:
        call = await exchange.call(DIAL, "", address)
        await exchange.peer.until(lambda: call in exchange.notes or watch.new("CHANNEL_BRIDGE"))
        await watch.command("uuid_kill", call)
        return await watch.trace()

    somebody, nobody = [await transferred(address) for address in PLAIN_ADDRESSES]
    usual = somebody.also(nobody)
    taken_ones = [text for text in ADDRESSES if taken(DIAL, text, by_admin=True)]
    found = {text: (await transferred(text)).beyond(usual, text) for text in taken_ones}
    assert {text: problems for text, problems in found.items() if problems} == {}
    assert len(found) >= 5


# --- what is done for the callee --------------------------------------------------------------------------------------------


@ensureDeferred
async def test_a_text_is_spoken_and_nothing_else(exchange: Exchange) -> None:
    await exchange.ask("load mod_flite")
    texts = [text for text in TEXTS if taken(SPEAK, text)]
    assert len(texts) > len(TEXTS) / 2
    await spoken(exchange, [", ".join(some) for some in batches(texts, 3)])  # at most 2000 characters
    with_tags = "{first_name}, {last_name}, {number}, {value 0}, {value 1}, {value 2}, {value 3}"
    await spoken(exchange, [with_tags] * len(list(batches(TEXTS, 4))), list(batches(TEXTS, 4)))


async def spoken(exchange: Exchange, said: Sequence[str], known: Sequence[Sequence[str]] = ()) -> None:
    """Each of these reaches the speaker, filled in with what is known of the contact."""
    watch = await Watch.on(exchange)
    usual: Trace | None = None
    broken: dict[str, list[str]] = {}
    for text, texts in zip(said, known or [[PLAIN]] * len(said), strict=True):
        who = exchange.store.contacts[1] = contact(texts)
        wanted = f"flite|slt|{filled_in(text, tags(who) if '{' in text else {})}"
        found = await watch.given_to("speak", await exchange.call(SPEAK, text), wanted)
        usual = usual or found[1]
        if wrong := found[0] + found[1].beyond(usual, f"{text} {texts}"):
            broken[f"{text} {texts}"] = wrong
    assert broken == {}


@ensureDeferred
async def test_the_names_of_sounds_and_rooms_are_that_and_nothing_else(exchange: Exchange) -> None:
    watch = await Watch.on(exchange)
    broken: dict[str, list[str]] = {}
    for kind, application, behind in ((PLAY, "playback", ""), (ROOM, "conference", "@default")):
        usual: Trace | None = None
        for text in [text for text in TEXTS if taken(kind, text)]:
            wrong, trace = await watch.given_to(application, await exchange.call(kind, text), text + behind)
            usual = usual or trace
            if found := wrong + trace.beyond(usual, text):
                broken[f"{application} {text}"] = found
        assert usual is not None
    assert broken == {}
