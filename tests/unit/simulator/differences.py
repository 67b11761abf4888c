"""Where the simulator differs from the recordings, and why. Nothing else may differ: the tests check both directions.

What no recording covers is served by the nearest template, or not at all:
- `event xml` is accepted as recorded (32b), but such events are not made;
- a call that nobody answered at all ends with the templates of one that rang, and so does one that ends after a 183;
- `uuid_broadcast` acts on the first leg alone; `uuid_answer`, `uuid_park`, `uuid_send_dtmf` and `log` are answered, without
  effect;
- CHANNEL_BRIDGE and CHANNEL_UNBRIDGE lack what a FreeSWITCH tells of the other leg;
- a conference sends no events of its own, `record_session` writes no file, `speak` lasts as long as its text is;
- `sendevent`, users of their own (`userauth`) and CUSTOM events do not exist.
"""

from __future__ import annotations

# By what differs, by recording.
DIFFERENCES: dict[str, dict[str, str]] = {
    "bytes": {  # some of its events are of no template
        "10-json-dead-port": "nothing answers there: FreeSWITCH reports no far end, the simulator's 503 comes from one",
        "10-json-early-media": "after a 183 some headers of the answered call stand in another order",
        "50-dtmf": "1.10.12 adds a header to an answered call; only its DTMF events are used",
        "52-ringing-busy": "1.10.12 writes other source lines into the events that the 1.11.2 templates cover",
    },
    "headers": {  # names or order of an event's headers
        "10-json-early-media": "after a 183 some headers of the answered call stand in another order",
        "10-json-loopback-busy": "a late CHANNEL_CREATE shows the hangup (see the order)",
        "51-execute-on-answer": "FreeSWITCH 1.10.12 has one header more in an answered call than 1.11.2",
    },
    "order": {  # of the events
        "10-json-loopback-answer": "the two halves run at the same time; they interleave in another way",
        "10-json-loopback-busy": "the far half is refused before the near half's CHANNEL_CREATE, a race that is not simulated",
        "10-json-loopback-noanswer": "the near half progresses before its CHANNEL_CREATE, a race that is not simulated",
    },
}
