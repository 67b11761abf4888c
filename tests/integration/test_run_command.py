"""`dialer run`: a real process, from its start to its exit status."""

from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
import sys
from contextlib import closing

import pytest

from dialer.cli.blocking import database_url
from dialer.store.connection import Dialect
from tests.grounds import new_database, on_sqlite, rows
from tests.integration.run_support import (
    PASSWORD,
    change,
    good,
    headers,
    move_to,
    new_folder,
    notify_socket,
    ran,
    refused,
    started,
)
from tests.processes import environment, lasting_port

CAMPAIGN = "name=spring&frequency=600&aleg_gateway=1&voipapp=1&voipapp_data=2000"


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return new_folder(tmp_path_factory.mktemp("template") / "dialer")


@pytest.fixture
def folder(template, tmp_path, database_kind):
    """A copy of the template, which is not running. Its database is on a server when that is the kind."""
    copy = tmp_path / "my dialer"
    copy.mkdir()
    for file in template.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
        (copy / file.name).chmod(stat.S_IMODE(file.stat().st_mode))
    if database_kind is Dialect.POSTGRESQL:
        move_to(copy, new_database(tmp_path))
    return copy


def campaigns(folder):
    """The names of the campaigns that are stored."""
    return [name for (name,) in rows(database_url(folder / "dialer.toml"), "SELECT name FROM campaign")]


def test_a_new_folder_is_a_complete_dialling_service(folder):
    with started(folder, interpreted=True) as running:
        status, campaign = running.request("POST", "campaign/", CAMPAIGN)
        assert (status, campaign["status"]) == (200, 1)
        phonebook = campaign["phonebook"][0]["id"]
        assert running.request("POST", "bulkcontact/", f"phonebook_id={phonebook}&phoneno_list=15550001,15550002") == (200, 2)
        entries = [{"status": None}]
        while any(entry["status"] is None for entry in entries):
            status, entries = running.request("GET", f"contact/{campaign['id']}/?status=all")
            assert status == 200, "nobody was called before the user had to make a pause"
        running.send(signal.SIGTERM)
        assert running.end() == 0


def test_sigterm_ends_it_with_status_zero_and_the_ready_file_goes(folder):
    with started(folder) as running:
        assert running.addresses["pid"] == running.process.pid
        running.send(signal.SIGTERM)
        assert running.end() == 0
        assert running.lines[-1].endswith("dialer: stopped")
        assert not (folder / "ready").exists()
        assert not [line for line in running.lines if "WARNING" in line or "ERROR" in line]


@on_sqlite
def test_a_second_signal_at_the_same_time_is_the_same_wish(folder):
    with started(folder) as running:
        running.send(signal.SIGINT)
        running.send(signal.SIGINT)
        assert running.end() == 0


@on_sqlite
def test_a_signal_during_the_start_is_obeyed_after_it(folder):
    with started(folder, ready=False, interpreted=True) as running:
        running.wait_for("starting")
        running.send(signal.SIGTERM)
        assert running.end() == 0
        assert running.lines[-1].endswith("dialer: stopped")


def test_requests_in_flight_are_answered_before_the_end(folder):
    with started(folder) as running, closing(running.connection()) as connection:
        body = "name=late&aleg_gateway=1&voipapp=1&voipapp_data=2000"
        whole = {**headers(body=body), "Content-Length": str(len(body))}
        connection.putrequest("POST", "/api/dialer_campaign/campaign/")
        for name, value in whole.items():
            connection.putheader(name, value)
        connection.endheaders(body[:10].encode())
        # The server has the beginning of the request once it answers another one on its one thread.
        running.request("GET", "campaign/")
        running.send(signal.SIGTERM)
        running.wait_for("stopping")
        with pytest.raises(ConnectionError):
            running.request("GET", "campaign/")
        connection.send(body[10:].encode())
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())["name"]) == (200, "late")
        assert running.end() == 0
    assert campaigns(folder) == ["late"]


@on_sqlite
def test_a_request_that_does_not_end_is_cut_off_in_time(folder):
    change(folder, timeout="2.0")
    with started(folder) as running, closing(running.connection()) as connection:
        connection.putrequest("POST", "/api/dialer_campaign/campaign/")
        connection.putheader("Content-Length", "100")
        connection.endheaders(b"half")
        running.request("GET", "campaign/")
        running.send(signal.SIGTERM)
        running.wait_for("requests were cut off")
        assert running.end() == 0


# --- what is wrong ----------------------------------------------------------------------------------------------------------


@on_sqlite
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[http", "is not TOML"),
        ('[database]\nurl = "sqlite:///dialer.db"\n[simulator]\nprot = 1\n', "simulator.prot is not a setting"),
        ('[database]\nurl = "mysql://x"\n[simulator]\n', "database: expected sqlite:///PATH"),
        ('[database]\nurl = "sqlite:///dialer.db"\n[simulator]\n[http]\nendpoint = "tcp:x"\n', "http.endpoint: 'tcp:x'"),
        (
            '[database]\nurl = "sqlite:///dialer.db"\n[simulator]\n[outbound]\nendpoint = "systemd:domain=INET:name=api"\n',
            "outbound.endpoint: 'systemd:domain=INET:name=api': systemd has passed no such socket",
        ),
        ('[database]\nurl = "sqlite:///dialer.db"\n[simulator]\nmix = "nobody=1"\n', "simulator.mix: "),
    ],
)
def test_a_wrong_configuration_is_one_line_and_status_two(folder, text, problem):
    (folder / "dialer.toml").write_text(text)
    status, line = refused(folder)
    assert status == 2
    assert problem in line


@on_sqlite
@pytest.mark.parametrize(("section", "setting"), [("http", "http.endpoint"), ("outbound", "outbound.endpoint")])
def test_a_port_in_use_is_one_line_and_status_one(folder, section, setting):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        other = "outbound" if section == "http" else "http"
        (folder / "dialer.toml").write_text(
            f'[database]\nurl = "sqlite:///dialer.db"\n[simulator]\n[{section}]\nendpoint = "tcp:{port}:interface=127.0.0.1"\n'
            f'[{other}]\nendpoint = "tcp:0:interface=127.0.0.1"\n'
        )
        status, line = refused(folder)
    assert (status, line) == (1, f"{setting}: cannot listen on 127.0.0.1:{port}: Address already in use")


@on_sqlite
def test_a_second_dialer_on_the_database_is_refused_and_the_first_goes_on(folder):
    with started(folder) as first:
        status, line = refused(folder)
        assert status == 1
        assert f"another dialer (process {first.process.pid}) is dialling with" in line
        assert first.request("GET", "campaign/?status=all")[0] in (200, 404)


@on_sqlite
def test_a_second_dialer_is_refused_as_such_when_the_port_of_the_simulator_is_given(folder):
    port = lasting_port()
    (folder / "dialer.toml").write_text(
        f'[database]\nurl = "sqlite:///dialer.db"\n[simulator]\nport = {port}\n'
        '[http]\nendpoint = "tcp:0:interface=127.0.0.1"\n[outbound]\nendpoint = "tcp:0:interface=127.0.0.1"\n'
    )
    with started(folder) as first:
        status, line = refused(folder)
        assert status == 1
        assert f"another dialer (process {first.process.pid}) is dialling with" in line


@on_sqlite
def test_a_file_that_is_not_there_or_damaged_is_one_line_and_status_one(folder):
    (folder / "dialer.db").write_bytes(b"this is no database" * 100)
    assert refused(folder)[0] == 1
    (folder / "dialer.db").unlink()
    status, line = refused(folder)
    assert status == 1
    assert "there is no database at" in line


# --- while it runs ----------------------------------------------------------------------------------------------------------


def test_the_garbage_collector_does_not_look_at_a_started_dialer_again():
    program = "import gc; from dialer.cli.run import keep_loaded; keep_loaded(); print(len(gc.get_objects()))"
    ran = subprocess.run([sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=True)
    assert int(ran.stdout) < 1000


@on_sqlite
def test_sighup_reads_the_live_settings_and_names_those_that_need_a_restart(folder):
    with started(folder) as running:
        change(folder, requests_per_minute="2", level='"warning"', mask_numbers="true", seed="7")
        running.send(signal.SIGHUP)
        line = running.wait_for("configuration read again")
        assert "changed='http.requests_per_minute, log.level, log.mask_numbers' needs_restart=simulator.seed" in line
        answers = [running.request("GET", "campaign/?status=all")[0] for _ in range(4)]
        assert 503 in answers
        (folder / "dialer.toml").write_text("[")
        running.send(signal.SIGHUP)
        assert "is not TOML" in running.wait_for("the configuration stays as it was")
        (folder / "dialer.toml").write_text("[log]\nn15551230001 = 1\n")
        running.send(signal.SIGHUP)
        assert "log.n********001 is not a setting" in running.wait_for("the configuration stays as it was")
        running.send(signal.SIGTERM)
        assert running.end() == 0


def test_the_tools_work_beside_it(folder):
    with started(folder) as running:
        password = folder.parent / "password"
        adding = ("user", "add", "ann", "--password-file", password)
        assert ran(folder, *adding)[0] == 2  # the file is not there
        password.write_text(PASSWORD)
        good(folder, *adding)
        assert running.request("POST", "campaign/", CAMPAIGN, user="ann")[0] == 400
        good(folder, "user", "grant", "ann", "--gateway", "Default_Gateway", "--voip-app", "Default_VoIP_App")
        status, told = running.request("POST", "campaign/", CAMPAIGN, user="ann")
        assert (status, told["error"]) == (400, "Maximum Frequency limit of 100 exceeded.")
        good(folder, "user", "set", "ann", "--max-frequency", "none")
        status, campaign = running.request("POST", "campaign/", CAMPAIGN, user="ann")
        assert (status, campaign["name"]) == (200, "spring")
        status, _, told = ran(folder, "gateway", "remove", "Default_Gateway")
        assert (status, told.count("\n")) == (1, 1)
        assert "it is used by 1 campaign, 1 voip app" in told
        assert good(folder, "upgrade") == "the schema is up to date\n"
        url = database_url(folder / "dialer.toml")
        rows(url, "DELETE FROM schema_version WHERE version = (SELECT max(version) FROM schema_version)")
        status, _, told = ran(folder, "upgrade")
        assert status == 1
        assert "stop it first" in told


def test_a_stopped_dialers_database_is_brought_up_to_date(folder):
    assert good(folder, "upgrade") == "the schema is up to date\n"


# --- systemd ----------------------------------------------------------------------------------------------------------------


@on_sqlite
def test_systemd_is_told_of_everything(folder):
    with notify_socket(folder) as (systemd, variables), started(folder, **variables, WATCHDOG_USEC="200000") as running:
        assert systemd.recv(4096).decode().splitlines()[0] == "READY=1"
        assert systemd.recv(4096) == b"WATCHDOG=1"
        assert systemd.recv(4096) == b"WATCHDOG=1"
        running.send(signal.SIGHUP)
        told = []
        while not told or told[-1] != "READY=1":
            told += [line for line in systemd.recv(4096).decode().splitlines() if line != "WATCHDOG=1"]
        assert told[0] == "RELOADING=1"
        assert told[1].startswith("MONOTONIC_USEC=")
        running.send(signal.SIGTERM)
        while "STOPPING=1" not in systemd.recv(4096).decode():
            pass
        assert running.end() == 0


@on_sqlite
def test_the_api_listens_on_a_socket_that_systemd_holds(folder):
    change(folder, endpoint='"systemd:domain=INET:name=api"')
    with closing(socket.create_server(("127.0.0.1", 0))) as held, started(folder, pass_fds=(held.fileno(),)) as running:
        assert running.addresses["http"] == f"127.0.0.1:{held.getsockname()[1]}"
        assert running.request("GET", "campaign/?status=all")[0] in (200, 404)
