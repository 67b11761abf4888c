"""`dialer callerpool` and `dialer callerid`."""

from __future__ import annotations

import pytest

from tests.unit.cli.support import Commands


@pytest.fixture
def pooled(unfurnished: Commands) -> Commands:
    return unfurnished.furnish(_add_pool)


def _add_pool(commands: Commands) -> None:
    commands.good("user", "add", "ann", "--generate-password", "--superuser")
    commands.good("gateway", "add", "carrier", "--hostname", "example.com")
    commands.good("callerpool", "add", "sales", "--user", "ann", "--strategy", "nearest")


def test_numbers_are_added_changed_listed_rested_and_removed(pooled):
    ran = pooled.good("callerid", "add", "+12125550100", "--pool", "sales", "--daily-cap", 50, "--gateways", "carrier")
    assert ran.out == "callerid +12125550100 added, id 1\n"
    pooled.good("callerid", "set", "+12125550100", "--gateways", "all", "--warm-up-days", 5, "--no-active")
    [shown] = pooled.good("callerid", "list", "--json").json
    assert (shown["pool"], shown["daily_cap"], shown["gateways"], shown["country"]) == ("sales", 50, [], "US")
    assert (shown["today"], shown["allowed"], shown["unusable"]) == (0, 1, "it is inactive")
    ran = pooled.good("callerid", "rest", "+12125550100", "2999-01-01 00:00:00")
    assert ran.out == "caller id +12125550100 rests until 2999-01-01 00:00:00 UTC\n"
    assert pooled.good("callerid", "rest", "1", "none").out == "caller id +12125550100 rests no more\n"
    assert pooled.good("callerid", "days", "1", "--json").json == []
    [pool] = pooled.good("callerpool", "list", "--json").json
    assert (pool["user"], pool["strategy"], pool["numbers"]) == ("ann", "nearest", 1)
    assert "it is used by 1 caller id" in pooled.failed("callerpool", "remove", "sales")
    pooled.good("callerid", "remove", "+12125550100")
    pooled.good("callerpool", "remove", "sales")
    assert pooled.good("callerid", "list", "--json").json == []


def test_what_is_wrong_is_named_by_its_option(pooled):
    assert pooled.refused("callerid", "add", "+12125550100") == "--pool: is needed: the pool that it stands in"
    assert pooled.refused("callerid", "add", "112", "--pool", "sales").startswith("number: ")
    assert pooled.refused("callerid", "add", "+12125550100", "--pool", "other") == "--pool: there is no caller id pool other"
    wanted = "--daily-cap: is needed: the warm-up grows to it"
    assert pooled.refused("callerid", "add", "+12125550100", "--pool", "sales", "--warm-up-days", 3).endswith(wanted[13:])
    assert pooled.refused("callerpool", "add", "more") == "--user: is needed: the user that it belongs to"
    pooled.good("callerid", "add", "+12125550100", "--pool", "sales")
    assert pooled.refused("callerid", "rest", "1", "soon").startswith("TIME: expected")
    assert pooled.refused("callerid", "days", "1", "--limit", "0").startswith("--limit: ")
