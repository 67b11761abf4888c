"""Sounds and recordings: files that come, go, and are read in parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from dialer.audio import check_name, read_audio
from dialer.errors import BadValue
from dialer.management.management import Folders
from tests.unit.api.v2.support import Client, furnish, problem, wav, with_files
from tests.unit.api.world import World

OGG = b"OggS\0\2" + bytes(20) + b"\1\x1e" + b"\1vorbis" + bytes(4) + b"\1" + (8000).to_bytes(4, "little") + bytes(14)
FLAC = b"fLaC\x80\0\0\x22" + bytes(10) + (8000 << 44 | 15 << 36 | 16000).to_bytes(8, "big") + bytes(17)


async def upload(client: Client, name: str, content: bytes, more: str = "", kind: str = "audio/wav") -> Any:
    return await client.ask("POST", f"sounds?name={name}{more}", data=content, content_type=kind)


@pytest_twisted.ensureDeferred
async def test_a_sound_is_there_whole_with_what_it_is(api: World) -> None:
    root, folder = Client(api, "root"), with_files(api) / "sounds"
    made = await upload(root, "menu.wav", wav(2.0))
    assert made.json | {"changed_at": ""} == {
        "name": "menu.wav", "size": 32044, "changed_at": "", "is_audio": True, "rate": 8000, "channels": 1, "seconds": 2.0,
    }  # fmt: skip
    assert (folder / "menu.wav").read_bytes() == wav(2.0)
    assert (await Client(api).get("sounds/menu.wav/content")).text == wav(2.0)
    assert [each["name"] for each in (await Client(api).get("sounds")).json["data"]] == ["hello.wav", "menu.wav"]
    first = (await root.get("sounds?sort=-name&limit=1")).json
    assert [each["name"] for each in first["data"]] == ["menu.wav"]
    last = (await root.get(f"sounds?sort=-name&limit=1&cursor={first['next_cursor']}")).json
    assert [each["name"] for each in last["data"]] == ["hello.wav"]
    assert problem(await upload(root, "menu.wav", wav())) == (409, "already-exists")
    assert (await upload(root, "menu.wav", wav(), "&replace=yes")).json["seconds"] == 0.1
    assert (await root.delete("sounds/menu.wav")).status == 204
    assert problem(await root.delete("sounds/menu.wav")) == (404, "not-found")


@pytest.mark.parametrize(
    "name",
    [
        "..%2Fhello.wav",
        "%2Fetc%2Fpasswd",
        ".hidden.wav",
        "x.exe",
        "a..wav",
        "%00.wav",
        "",
        "x" * 200 + ".wav",
        "a%20b.wav",
        "x.flac",
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_name_that_leads_elsewhere_is_refused(api: World, name: str) -> None:
    root, folder = Client(api, "root"), with_files(api) / "sounds"
    before = sorted(folder.iterdir())
    assert problem(await upload(root, name, wav())) == (400, "bad-value")
    assert (await root.get(f"sounds/{name or 'x'}/content")).status == 404
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"RIFF",
        wav()[:44],
        wav()[:100],
        b"<?php ?>",
        b"RIFF\0\0\0\0WAVEfmt \xff\xff\xff\xff",
        OGG[:40],
        FLAC[:30],
        wav(rate=4000),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_is_no_audio_is_refused_and_nothing_is_written(api: World, content: bytes) -> None:
    root, folder = Client(api, "root"), with_files(api) / "sounds"
    before = sorted(folder.iterdir())
    assert problem(await upload(root, "new.wav", content)) == (400, "bad-value")
    assert sorted(folder.iterdir()) == before


def test_audio_is_told_by_its_content() -> None:
    assert (read_audio(FLAC).kind, read_audio(FLAC).rate, read_audio(FLAC).seconds) == ("flac", 8000, 2.0)
    assert (read_audio(OGG).kind, read_audio(OGG).rate) == ("ogg", 8000)
    assert check_name("hello-1_a.wav") == "hello-1_a.wav"
    with pytest.raises(BadValue):
        check_name("hello.wav\n")


@pytest_twisted.ensureDeferred
async def test_no_link_is_followed(api: World, tmp_path: Path) -> None:
    ann = await furnish(api)
    folder = with_files(api)
    (tmp_path / "secret").write_bytes(b"secret")
    for name in ("sounds/linked.wav", "recordings/call-1.wav"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(tmp_path / "secret")
    assert (await ann.get("sounds/linked.wav/content")).status == 404
    assert (await ann.get("attempts/call-1/recording")).status == 404


@pytest_twisted.ensureDeferred
async def test_a_part_of_a_recording_is_what_was_asked_for(api: World) -> None:
    ann = await furnish(api)
    whole = await ann.get("attempts/call-1/recording")
    size, tag = len(whole.text), whole.headers["etag"]
    assert (whole.status, whole.headers["accept-ranges"], whole.length) == (200, "bytes", size)

    async def part(wanted: str, **more: str) -> tuple[int, bytes, str]:
        reply = await ann.get("attempts/call-1/recording", headers={"Range": wanted, **more})
        return reply.status, reply.text, reply.headers.get("content-range", "")

    assert await part("bytes=0-3") == (206, b"RIFF", f"bytes 0-3/{size}")
    assert await part("bytes=8-11") == (206, b"WAVE", f"bytes 8-11/{size}")
    assert await part(f"bytes={size - 2}-") == (206, whole.text[-2:], f"bytes {size - 2}-{size - 1}/{size}")
    assert await part("bytes=-5") == (206, whole.text[-5:], f"bytes {size - 5}-{size - 1}/{size}")
    assert await part("bytes=0-999999") == (206, whole.text, f"bytes 0-{size - 1}/{size}")
    for all_of_it in ("bytes=0-1,3-4", "bytes=5-2", "lines=1-2", "bytes=-", "bytes=x"):
        assert (await part(all_of_it))[:2] == (200, whole.text), all_of_it
    for none in (f"bytes={size}-", "bytes=-0"):
        reply = await ann.get("attempts/call-1/recording", headers={"Range": none})
        assert (problem(reply), reply.headers["content-range"]) == ((416, "range-not-satisfiable"), f"bytes */{size}")
    assert (await part("bytes=0-3", **{"If-Range": tag}))[0] == 206
    assert (await part("bytes=0-3", **{"If-Range": '"other"'}))[0] == 200
    assert (await ann.get("attempts/call-1/recording", headers={"If-None-Match": tag})).status == 304
    for _ in range(5):  # none of them is counted as being sent for ever
        assert (await part("bytes=0-3"))[0] == 206
        assert (await ann.get("attempts/call-1/recording", headers={"If-None-Match": tag})).status == 304


@pytest_twisted.ensureDeferred
async def test_a_recording_goes_with_its_owners_wish_and_its_record_stays(api: World) -> None:
    ann = await furnish(api)
    assert (await ann.delete("attempts/call-1/recording")).status == 204
    assert problem(await ann.get("attempts/call-1/recording")) == (404, "not-found")
    assert (await ann.get("attempts/call-1")).status == 200


@pytest_twisted.ensureDeferred
async def test_an_installation_without_the_folders_says_which_setting_is_missing(api: World) -> None:
    ann = await furnish(api)
    for folders in (Folders(), Folders(sounds="/nowhere", recordings="/nowhere")):
        api.management.folders = folders
        for path, setting in (("sounds", "apps.sounds"), ("attempts/call-1/recording", "apps.recordings")):
            reply = await ann.get(path)
            assert problem(reply) == (409, "not-set-up")
            assert setting in reply.json["detail"]


@pytest_twisted.ensureDeferred
async def test_recordings_are_never_sounds_which_everybody_hears(api: World) -> None:
    ann = await furnish(api)
    folder = str(with_files(api) / "recordings")
    api.management.folders = Folders(sounds=f"{folder}/../recordings", recordings=folder)
    for path in ("sounds", "sounds/call-1.wav", "sounds/call-1.wav/content"):
        assert problem(await ann.of("bob").get(path)) == (409, "not-set-up")
