"""`dialer user|gateway|voipapp add|list|set|remove`."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from dialer.accounts import verify_password
from tests.grounds import on_postgresql, on_sqlite, rows
from tests.unit.cli.support import Commands

SECRET = "correct horse"


@pytest.fixture
def password_file(tmp_path):
    file = tmp_path / "password"
    file.write_text(f"{SECRET}\nsecond line\n")
    return file


def stored_hash(commands: Commands, username: str) -> str:
    ((text,),) = rows(commands.url, "SELECT password_hash FROM user_account WHERE username = ?", username)
    return text


# --- users ------------------------------------------------------------------------------------------------------------------


def test_a_user_is_added_with_the_password_of_a_file_which_is_stored_as_a_hash(commands, password_file):
    ran = commands.good("user", "add", "ann", "--password-file", password_file, "--superuser", "--max-frequency", 100)
    assert ran.out == "user ann added, id 1\n"
    assert ran.err == ""
    assert verify_password(stored_hash(commands, "ann"), SECRET)
    [ann] = commands.good("user", "list", "--json").json
    assert (ann["is_superuser"], ann["is_active"], ann["max_frequency"], ann["max_timeout"]) == (True, True, 100, None)
    assert "password_hash" not in ann


def test_a_generated_password_is_told_once_and_works(commands):
    ran = commands.good("user", "add", "ann", "--generate-password")
    password = ran.err.removeprefix("password of ann: ").strip()
    assert len(password) == 20
    assert verify_password(stored_hash(commands, "ann"), password)


def test_a_password_is_asked_for_twice(commands, monkeypatch):
    answers = iter([SECRET, SECRET, SECRET, "another one"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))
    commands.good("user", "add", "ann")
    assert verify_password(stored_hash(commands, "ann"), SECRET)
    assert commands.refused("user", "add", "ben") == "password: the two are not the same"


def test_nobody_can_be_asked_in_a_script(commands, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    assert "--password-file" in commands.refused("user", "add", "ann")


def test_a_password_has_a_shortest_length_and_is_not_shown(commands, password_file):
    password_file.write_text("short")
    line = commands.refused("user", "add", "ann", "--password-file", password_file)
    assert line == "password: expected 8 to 1024 characters, got 5"


def test_a_password_file_that_is_not_there_is_named(commands, tmp_path):
    assert "nowhere cannot be read: No such file" in commands.refused(
        "user", "add", "ann", "--password-file", tmp_path / "nowhere"
    )


def test_a_user_is_changed_where_it_is_told_to(commands):
    commands.good("user", "add", "ann", "--generate-password", "--max-retries", 2, "--blacklist", "0900,=112")
    before = stored_hash(commands, "ann")
    commands.good("user", "set", "ann", "--max-retries", "none", "--no-active", "--whitelist", "+49x")
    [ann] = commands.good("user", "list", "--json").json
    assert (ann["max_retries"], ann["is_active"]) == (None, False)
    assert (ann["blacklist"], ann["whitelist"]) == (["0900", "=112"], ["49x"])
    assert stored_hash(commands, "ann") == before
    commands.good("user", "set", "1", "--username", "anna", "--generate-password", "--blacklist", "")
    [anna] = commands.good("user", "list", "--json").json
    assert (anna["username"], anna["blacklist"]) == ("anna", [])
    assert stored_hash(commands, "anna") != before


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("add", "a:b", "--generate-password"), "username: may not contain a colon"),
        (("add", " ", "--generate-password"), "username: expected a text of 1 to 150 characters"),
        (("add", "x" * 151, "--generate-password"), "username: expected a text of 1 to 150 characters"),
        (
            ("add", "a\nb", "--generate-password"),
            "username: expected a text of 1 to 150 characters, without control characters",
        ),
        (
            ("add", "b", "--generate-password", "--max-frequency", "0"),
            "--max-frequency: expected a whole number from 1 to 2147483647, or none",
        ),
        (("add", "b", "--generate-password", "--max-duration", "9" * 30), "--max-duration: expected a whole number"),
        (("add", "b", "--generate-password", "--blacklist", "(1+)+"), "--blacklist: '(1+)+' is not a pattern"),
        (("set", "ann"), "set: name what shall be changed"),
    ],
)
@on_sqlite
def test_what_cannot_be_a_user_is_refused_in_one_line(commands, arguments, problem):
    commands.good("user", "add", "ann", "--generate-password")
    assert problem in commands.refused("user", *arguments)
    assert len(commands.good("user", "list", "--json").json) == 1


def test_a_name_that_is_taken_is_refused_in_one_line(commands):
    commands.good("user", "add", "ann", "--generate-password")
    commands.good("user", "add", "ben", "--generate-password")
    assert commands.refused("user", "add", "ann", "--generate-password") == "username: exists already"
    assert commands.refused("user", "set", "ben", "--username", "ann") == "username: exists already"
    assert [user["username"] for user in commands.good("user", "list", "--json").json] == ["ann", "ben"]


def test_a_new_user_has_limits_which_an_administrator_lifts(commands):
    commands.good("user", "add", "ann", "--generate-password")
    commands.good("user", "add", "ben", "--generate-password", "--max-frequency", "none", "--max-number-campaign", 3)
    commands.good("user", "add", "root", "--generate-password", "--superuser")
    limits = ("max_number_campaign", "max_number_subscriber_campaign", "max_frequency")
    found = {each["username"]: tuple(each[name] for name in limits) for each in commands.good("user", "list", "--json").json}
    assert found == {"ann": (100, 100_000, 100), "ben": (3, 100_000, None), "root": (None, None, None)}
    commands.good("user", "set", "ann", "--max-frequency", "none")
    assert commands.good("user", "show", "ann", "--json").json["max_frequency"] is None


def test_a_superuser_that_is_one_no_more_has_the_limits_of_a_new_user_where_it_has_none(commands):
    limits = ("max_number_campaign", "max_number_subscriber_campaign", "max_frequency")

    def shown(name):
        found = commands.good("user", "show", name, "--json").json
        return tuple(found[limit] for limit in limits)

    for name in ("root", "ann"):
        commands.good("user", "add", name, "--generate-password", "--superuser", "--max-frequency", 500)
    commands.good("user", "set", "root", "--no-superuser")
    assert shown("root") == (100, 100_000, 500)
    commands.good("user", "set", "ann", "--no-superuser", "--max-number-campaign", "none", "--max-frequency", "none")
    assert shown("ann") == (None, 100_000, None)
    commands.good("user", "set", "root", "--max-number-campaign", "none")
    commands.good("user", "set", "root", "--no-superuser")
    assert shown("root") == (None, 100_000, 500)
    listed = commands.good("user", "list").out
    assert "100000" in listed
    commands.good("gateway", "add", "carrier", "--protocol", "local")
    commands.good("voipapp", "add", "hello", "--type", "play-audio", "--data", "hello.wav")
    commands.good("user", "set", "root", "--superuser")
    commands.good("campaign", "add", "spring", "--user", "root", "--gateway", "carrier", "--voip-app", "hello")
    commands.good("user", "set", "root", "--no-superuser")
    assert commands.good("user", "show", "root", "--json").json["gateways"] == ["carrier"]
    assert "nothing is wrong" in commands.good("check").out


def test_gateways_and_applications_are_granted_to_users_and_revoked(commands):
    commands.good("user", "add", "ann", "--generate-password")
    commands.good("user", "add", "root", "--generate-password", "--superuser")
    for name in ("carrier", "spare"):
        commands.good("gateway", "add", name, "--protocol", "local")
    commands.good("voipapp", "add", "hello", "--type", "play-audio", "--data", "hello.wav")
    granted = commands.good("user", "grant", "ann", "--gateway", "carrier", "--gateway", 2, "--voip-app", "hello")
    assert granted.out == "user ann changed\n"
    shown = commands.good("user", "show", "ann", "--json").json
    assert (shown["gateways"], shown["voip_apps"]) == (["carrier", "spare"], ["hello"])
    assert commands.good("user", "show", "root", "--json").json["gateways"] == "all"
    assert [each["users"] for each in commands.good("gateway", "list", "--json").json] == [["ann"], ["ann"]]
    assert commands.good("voipapp", "list", "--json").json[0]["users"] == ["ann"]
    commands.good("user", "revoke", "ann", "--gateway", "spare")
    assert "carrier" in commands.good("user", "list").out
    assert [each["users"] for each in commands.good("gateway", "list", "--json").json] == [["ann"], []]
    assert commands.refused("user", "grant", "ann") == "grant: name a --gateway or a --voip-app"
    assert commands.refused("user", "grant", "ann", "--gateway", "x") == "--gateway: there is no gateway x"
    assert commands.failed("user", "revoke", "ann", "--gateway", "spare") == "there is no grant for ann of the gateway spare"
    assert commands.failed("user", "grant", "eve", "--gateway", "spare") == "there is no user eve"
    commands.good("gateway", "remove", "carrier")
    commands.good("user", "remove", "ann")


def test_what_an_administrator_gives_a_users_campaign_is_granted_and_stays_while_it_is_used(commands):
    commands.good("user", "add", "ann", "--generate-password")
    commands.good("gateway", "add", "carrier", "--protocol", "local")
    commands.good("voipapp", "add", "hello", "--type", "play-audio", "--data", "hello.wav")
    commands.good("campaign", "add", "spring", "--user", "ann", "--gateway", "carrier", "--voip-app", "hello")
    assert commands.good("user", "show", "ann", "--json").json["gateways"] == ["carrier"]
    refused = commands.failed("user", "revoke", "ann", "--gateway", "carrier")
    assert refused == "grant for ann of the gateway carrier cannot be removed: it is used by 1 campaign"
    commands.good("campaign", "remove", "spring")
    commands.good("user", "revoke", "ann", "--gateway", "carrier", "--voip-app", "hello")


def test_who_is_not_there_cannot_be_changed_or_removed(commands):
    assert commands.failed("user", "set", "ann", "--superuser") == "there is no user ann"
    assert commands.failed("user", "remove", "ann") == "there is no user ann"


# --- gateways ---------------------------------------------------------------------------------------------------------------


def test_a_gateway_has_all_that_was_entered(commands):
    commands.good("gateway", "add", "spare", "--protocol", "local")
    commands.good(
        "gateway", "add", "carrier", "--dial-string", "sofia/gateway/carrier/{number}", "--removeprefix", "+", "--addprefix",
        "00", "--addparameter", "codec=PCMA,PCMU , x=1", "--maximum-call", 30, "--calls-per-second", 5, "--failover", "spare",
        "--status", "inactive", "--description", "the carrier",
    )  # fmt: skip
    carrier = commands.good("gateway", "list", "--json").json[1]
    assert carrier["dial_string"] == "sofia/gateway/carrier/{number}"
    assert (carrier["removeprefix"], carrier["addprefix"], carrier["addparameter"]) == ("+", "00", "codec=PCMA,PCMU,x=1")
    assert (carrier["maximum_call"], carrier["calls_per_second"], carrier["failover"]) == (30, 5, "spare")
    assert (carrier["status"], carrier["description"]) == ("inactive", "the carrier")


PARAMETERS = "sip_auth_password=hunter2,absolute_codec_string=PCMA,PCMU,sip_h_X-API-Key=k3y"
MASKED = "sip_auth_password=********,absolute_codec_string=PCMA,PCMU,sip_h_X-API-Key=********"


def stored_parameters(commands: Commands) -> str:
    ((text,),) = rows(commands.url, "SELECT addparameter FROM gateway")
    return text


def test_secrets_of_a_gateway_come_from_a_file_are_never_shown_and_stay_where_the_mask_is_entered(commands, tmp_path):
    file = tmp_path / "parameters"
    file.write_text(PARAMETERS.replace(",sip", "\nsip") + "\n")
    commands.good("gateway", "add", "carrier", "--protocol", "local", "--addparameter-file", file)
    assert stored_parameters(commands) == PARAMETERS
    assert commands.good("gateway", "list", "--json").json[0]["addparameter"] == MASKED
    assert "hunter2" not in commands.good("gateway", "list").out
    commands.good("gateway", "set", "carrier", "--addparameter", f"{MASKED},x=1")
    assert stored_parameters(commands) == f"{PARAMETERS},x=1"
    commands.good("gateway", "set", "carrier", "--addparameter", "sip_auth_password=********,x=2")
    assert stored_parameters(commands) == "sip_auth_password=hunter2,x=2"


def test_a_secret_on_the_command_line_and_a_mask_of_nothing_are_refused_without_showing_them(commands, tmp_path):
    sentence = "--addparameter: holds a secret, which others see in the list of processes: use --addparameter-file"
    add = ("gateway", "add", "carrier", "--protocol", "local")
    assert commands.refused(*add, "--addparameter", PARAMETERS) == sentence
    missing = commands.refused(*add, "--addparameter", "sip_auth_password=********")
    assert missing == (
        "--addparameter: ******** stands for the value that sip_auth_password has, and it has none; expected its value"
    )
    file = tmp_path / "parameters"
    for text in ("sip auth password=hunter2", "sip_auth_password=" + "hunter2" * 1000):
        file.write_text(text)
        assert "hunter2" not in commands.refused(*add, "--addparameter-file", file)
    both = commands.refused(*add, "--addparameter-file", file, "--addparameter", "a=1")
    assert both == "--addparameter-file: give this or --addparameter"
    assert commands.good("gateway", "list", "--json").json == []


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ((), "hostname: '' is not a host"),
        (("--hostname", "a b"), "hostname: 'a b' is not a host"),
        (("--protocol", "h323"), "--protocol: expected SIP or LOCAL"),
        (("--dial-string", "sofia/gateway/c/"), "--dial-string: must hold {number} once"),
        (("--dial-string", "user/{number},user/1"), "--dial-string: may not contain ','"),
        (("--hostname", "h", "--addprefix", "x"), "--addprefix: 'x' is not a prefix"),
        (("--hostname", "h", "--addparameter", "a"), "--addparameter: 'a' is not name=value"),
        (("--hostname", "h", "--addparameter", "a=${b}"), "--addparameter: the value of a may not contain '$'"),
        (("--hostname", "h", "--addparameter", "OriginatE_Timeout=1"), "--addparameter: OriginatE_Timeout is set by"),
        (("--hostname", "h", "--addparameter", "originate_retries=3"), "--addparameter: originate_retries is set by"),
        (("--hostname", "h", "--maximum-call", "-1"), "--maximum-call: expected a whole number from 0 to 2147483647, or none"),
        (
            ("--hostname", "h", "--calls-per-second", "0"),
            "--calls-per-second: expected a whole number from 1 to 2147483647, or none",
        ),
        (("--hostname", "h", "--failover", "nobody"), "--failover: there is no gateway nobody"),
        (("--hostname", "h", "--status", "2"), "--status: expected one of inactive, active"),
    ],
)
@on_sqlite
def test_what_cannot_be_dialled_is_refused_in_one_line(commands, options, problem):
    arguments = [f"{options[index]}={options[index + 1]}" for index in range(0, len(options), 2)]
    assert problem in commands.refused("gateway", "add", "g", *arguments)
    assert commands.good("gateway", "list", "--json").json == []


def test_a_change_that_would_leave_a_gateway_without_an_address_is_refused(commands):
    commands.good("gateway", "add", "carrier", "--dial-string", "user/{number}")
    assert "hostname" in commands.refused("gateway", "set", "carrier", "--dial-string", "")
    commands.good("gateway", "set", "carrier", "--dial-string", "", "--hostname", "sip.example.net:5060")
    [carrier] = commands.good("gateway", "list", "--json").json
    assert (carrier["dial_string"], carrier["hostname"]) == ("", "sip.example.net:5060")


def test_a_gateway_that_is_used_stays_and_the_line_says_by_what(commands):
    commands.good("gateway", "add", "carrier", "--hostname", "h")
    commands.good("gateway", "add", "other", "--hostname", "h", "--failover", "carrier")
    assert commands.failed("gateway", "remove", "carrier") == "gateway carrier cannot be removed: it is used by 1 gateway"
    commands.good("gateway", "set", "other", "--failover", "none")
    commands.good("gateway", "remove", "1")
    assert [entry["name"] for entry in commands.good("gateway", "list", "--json").json] == ["other"]


# --- voice applications -----------------------------------------------------------------------------------------------------


def test_a_voice_application_is_added_changed_and_removed(commands):
    commands.good("gateway", "add", "carrier", "--hostname", "h")
    commands.good("voipapp", "add", "hello", "--type", "play_audio", "--data", "hello.wav")
    commands.good("voipapp", "set", "hello", "--type", "1", "--gateway", "carrier", "--data", "2000")
    [app] = commands.good("voipapp", "list", "--json").json
    assert (app["type"], app["gateway"], app["data"]) == ("dial", "carrier", "2000")
    commands.good("voipapp", "remove", "hello")
    assert commands.good("voipapp", "list", "--json").json == []


def test_a_voice_application_must_say_what_it_does(commands):
    assert "--type: is needed" in commands.refused("voipapp", "add", "hello")
    assert "--type: expected one of dial, play-audio, conference, speak" in commands.refused(
        "voipapp", "add", "hello", "--type", "sing"
    )


# --- all ----------------------------------------------------------------------------------------------------


def test_a_table_shows_what_is_there_and_no_control_characters(commands):
    commands.good("gateway", "add", "[bold]x", "--hostname", "h", "--description", "ünï")
    table = commands.good("gateway", "list").out
    assert "[bold]x" in table
    assert "ünï" in table
    assert "failover" not in table


def test_ids_are_told_to_programs(commands):
    assert commands.good("gateway", "add", "g", "--hostname", "h", "--json").json == {"id": 1}


def test_a_configuration_that_is_not_there_is_told_in_one_line(commands):
    ran = commands.bare("user", "list", "--config", commands.folder / "other.toml")
    assert ran.status == 2
    assert "other.toml: cannot be read" in commands.one_line(ran)


@on_sqlite
def test_a_file_that_is_not_there_is_told_in_one_line(commands):
    (commands.folder / "dialer.db").unlink()
    assert "there is no database at" in commands.failed("user", "list")


@on_postgresql
def test_a_database_that_a_server_does_not_have_is_told_in_one_line(commands):
    commands.use(commands.url + "_of_somebody_else")
    assert "create it with createdb" in commands.failed("user", "list")


@on_sqlite
def test_a_locked_database_is_told_in_one_line(commands, monkeypatch):
    monkeypatch.setattr("dialer.store.sqlite.BUSY_SECONDS", 0.05)
    with closing(sqlite3.connect(commands.folder / "dialer.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "is locked by another program" in commands.failed("gateway", "add", "g", "--hostname", "h")


# --- campaigns --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def with_campaign(commands):
    commands.good("user", "add", "ann", "--generate-password")
    commands.good("gateway", "add", "carrier", "--hostname", "h")
    commands.good("voipapp", "add", "hello", "--type", "play-audio", "--data", "hello.wav")
    commands.good("campaign", "add", "spring", "--user", "ann", "--gateway", "carrier", "--voip-app", "hello",
                  "--time-zone", "Europe/Madrid", "--weekdays", "mon-fri", "--max-concurrent", 5)  # fmt: skip
    return commands


def test_a_campaign_has_the_settings_that_its_options_gave(with_campaign):
    shown = with_campaign.good("campaign", "show", "spring", "--json").json
    assert (shown["user"], shown["gateway"], shown["voip_app"], shown["phonebooks"]) == ("ann", "carrier", "hello", ["spring"])
    assert (shown["status"], shown["time_zone"], shown["max_concurrent"]) == ("start", "Europe/Madrid", 5)
    assert shown["weekdays"] == [True] * 5 + [False] * 2
    text = with_campaign.good("campaign", "show", "1").out
    assert "mon,tue,wed,thu,fri" in text
    assert "spring" in with_campaign.good("campaign", "list").out


def test_a_campaign_is_changed_and_what_is_not_named_stays(with_campaign):
    with_campaign.good(
        "campaign", "set", "spring", "--status", "pause", "--caller-name", "Ann & Co", "--max-concurrent", "none"
    )
    shown = with_campaign.good("campaign", "show", "spring", "--json").json
    assert (shown["status"], shown["caller_name"], shown["max_concurrent"]) == ("pause", "Ann & Co", None)
    assert shown["time_zone"] == "Europe/Madrid"


@on_sqlite
@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--time-zone", "Mars/Olympus"), "--time-zone: expected the name of a time zone such as Europe/Madrid or UTC"),
        (("--weekdays", "someday"), "--weekdays: expected days of the week such as mon-fri,sunday"),
        (("--frequency", "0"), "--frequency: expected a whole number from 1 to 1000000"),
        (("--caller-id", "x"), "--caller-id: 'x' is not a number"),
        (("--gateway", "nobody"), "--gateway: there is no gateway nobody"),
        (("--voip-app-data", "a|b"), "--voip-app-data: 'a|b' is not the name of a sound file"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_its_option(with_campaign, options, problem):
    assert problem in with_campaign.refused("campaign", "set", "spring", *options)


def test_campaigns_of_two_users_with_one_name_are_told_apart_by_their_ids(with_campaign):
    with_campaign.good("user", "add", "ben", "--generate-password")
    with_campaign.good("campaign", "add", "spring", "--user", "ben", "--gateway", "carrier", "--voip-app", "hello")
    assert "name one by its id (1, 2)" in with_campaign.refused("campaign", "set", "spring", "--status", "end")
    with_campaign.good("campaign", "set", "2", "--status", "end")


def test_a_campaign_needs_a_user_a_gateway_and_a_voice_application(commands):
    assert "--gateway: is needed" in commands.refused("campaign", "add", "spring", "--user", "ann")
    commands.good("gateway", "add", "carrier", "--hostname", "h")
    commands.good("voipapp", "add", "hello", "--type", "speak")
    given = ("campaign", "add", "spring", "--gateway", "carrier", "--voip-app", "hello")
    assert "--user: is needed" in commands.refused(*given)
    assert commands.failed(*given, "--user", "nobody") == "there is no user nobody"


def test_a_user_with_campaigns_is_removed_with_everything_or_not_at_all(with_campaign):
    assert "it has 1 campaign" in with_campaign.failed("user", "remove", "ann")
    assert with_campaign.good("user", "remove", "ann", "--everything").out == "user ann removed\n"
    assert [each["username"] for each in with_campaign.good("user", "list", "--json").json] == []
    assert with_campaign.good("campaign", "list", "--json").json == []
