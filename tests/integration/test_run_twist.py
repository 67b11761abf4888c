"""`twist dialer`: the same process under Twisted's runner."""

from __future__ import annotations

import pytest
import pytest_twisted
import structlog
from twisted.internet.task import deferLater
from twisted.python.usage import UsageError

from dialer.settings_file import settings_file
from tests.grounds import new_database


@pytest.fixture
def tap():
    from dialer import tap

    before = structlog.get_config()
    yield tap
    structlog.configure(**before)


def options(tap, *arguments: object):
    parsed = tap.Options()
    parsed.parseOptions([str(argument) for argument in arguments])
    return parsed


@pytest_twisted.ensureDeferred
async def test_the_plugin_runs_what_a_configuration_describes(tap, tmp_path, database_kind):
    file = tmp_path / "dialer.toml"
    endpoint = {"endpoint": "tcp:0:interface=127.0.0.1"}
    values = {"database": {"url": new_database(tmp_path)}, "simulator": {}, "http": endpoint, "outbound": endpoint}
    file.write_text(settings_file(values))
    service = tap.makeService(options(tap, "--config", file))
    service.startService()
    while not (service.host.up and service.host.service.fleet.ready):
        await deferLater(service.host.reactor, 0.02)
    assert service.host.web.address.startswith("127.0.0.1:")
    await service.stopService()
    assert not service.host.up


def test_a_wrong_command_line_is_refused_before_anything_starts(tap, tmp_path):
    with pytest.raises(UsageError, match="--config FILE is needed"):
        options(tap)
    with pytest.raises(UsageError, match="cannot be read"):
        options(tap, "--config", tmp_path / "nowhere.toml")
