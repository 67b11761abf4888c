"""`conference`: channels that hear each other. A room opens with its first member and closes with its last."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import Factory, define

from dialer.simulator.channel import Channel
from dialer.simulator.dialstring import leading_int
from dialer.simulator.runner import Runner, Running


@define(eq=False)
class Room:
    """The most members are what the first one's `conference_max_members` says; 0 for any number."""

    most: int = 0
    members: list[Channel] = Factory(list)


def conference(runner: Runner, running: Running) -> None:
    """The application: `NAME[@PROFILE][+FLAGS]`. It ends at once when the room is full, else with the call."""
    channel = runner.channel
    rooms = channel.switch.rooms
    name = running.action.argument.partition("+")[0].partition("@")[0]
    room = rooms.setdefault(name, Room(leading_int(channel.variable("conference_max_members") or "")))
    if room.most and len(room.members) >= room.most:
        running.finish()
        return
    room.members.append(channel)

    def left() -> None:
        room.members.remove(channel)
        if not room.members:
            del rooms[name]

    def finished() -> None:
        left()
        runner.end(running)

    running.finish = finished
    running.on_hangup = left


def command(rooms: Mapping[str, Room], text: str) -> str:
    """`conference NAME get count|max_members`."""
    name, _, rest = text.partition(" ")
    room = rooms.get(name)
    if room is None:
        return f"-ERR Conference {name} not found\n"
    values = {"get count": len(room.members), "get max_members": room.most}
    return str(values[rest]) if rest in values else f"-ERR Conference command '{rest}' not found.\n"
