"""Settings of the doors over HTTP: the API, the call detail records, the metrics."""

from __future__ import annotations

from attrs import frozen

from dialer.settings.declaration import setting
from dialer.settings.networks import Network, networks


@frozen(kw_only=True)
class HttpSettings:
    """The REST API."""

    endpoint: str = setting(
        "tcp:8000:interface=127.0.0.1",
        "where it listens, a Twisted endpoint: tcp:PORT[:interface=ADDRESS], ssl:PORT:privateKey=FILE:certKey=FILE, "
        "unix:PATH[:mode=660][:group=NAME], systemd:domain=INET:name=NAME",
        min_length=1,
    )
    max_connections: int = setting(
        1000,
        "connections at the same time, as far as a quarter of the open files of the process allows; beyond them, one without "
        "a login gives way",
        unit="connections",
        live=True,
        ge=1,
        le=100_000,
    )
    max_connections_per_address: int = setting(
        800, "the same from one address; a proxy is one", unit="connections", live=True, ge=1, le=100_000
    )
    proxies: tuple[Network, ...] = setting(
        (),
        'the networks of proxies before the API, such as ["10.20.0.7/32"]: what these say in X-Forwarded-For is the address '
        "whose wrong passwords are counted, and that the audit log has; a Unix socket is always a proxy's",
        live=True,
        given=tuple[str, ...],
        converter=networks("http.proxies"),
        max_length=200,
    )
    max_streams: int = setting(
        500,
        "streams of live events at the same time, as far as half of the connections; beyond them the answer is 503",
        unit="streams",
        live=True,
        ge=1,
        le=50_000,
    )
    max_streams_per_user: int = setting(
        100, "the same of one user; beyond them the answer is 429", unit="streams", live=True, ge=1, le=50_000
    )
    max_body: int = setting(
        2_097_152, "longest request body; beyond it the answer is 413", unit="bytes", live=True, ge=1024, le=2**30
    )
    max_import: int = setting(
        536_870_912,
        "longest file of contacts that is uploaded; beyond it the answer is 413",
        unit="bytes",
        live=True,
        ge=1024,
        le=2**40,
    )
    request_timeout: float = setting(
        30.0,
        "time in which a whole request has to arrive; of a file of contacts, each 256 KiB of it",
        unit="seconds",
        live=True,
        gt=0,
        le=3600,
    )
    idle_timeout: float = setting(
        60.0, "time between two requests of a connection, before it is closed", unit="seconds", live=True, gt=0, le=3600
    )
    requests_per_minute: int = setting(
        1000, "requests of one user; beyond them the answer is 503; 0 for no limit", unit="per minute", live=True, ge=0
    )
    login_memory: float = setting(
        10.0,
        "how long a right password needs no hash again; a change of the user acts at once all the same",
        unit="seconds",
        live=True,
        ge=0,
        le=3600,
    )
    failed_logins_per_user: int = setting(
        10, "wrong passwords of one user, before further ones are refused; 0 for no limit", unit="per minute", live=True, ge=0
    )
    failed_logins_per_address: int = setting(20, "the same for one address", unit="per minute", live=True, ge=0)
    page: bool = setting(True, "true: a page for browsers is served, too, at /ui/")
    page_idle: float = setting(
        3600.0,
        "how long nothing may be asked for by somebody who is signed in to the page, before that is over; live figures do not "
        "count",
        unit="seconds",
        live=True,
        ge=60,
        le=2_592_000,
    )
    page_lifetime: float = setting(
        43_200.0,
        "after which one has to sign in to the page again in any case",
        unit="seconds",
        live=True,
        ge=60,
        le=31_536_000,
    )


@frozen(kw_only=True)
class CdrSettings:
    """Where FreeSWITCH's mod_json_cdr posts its call detail records (url, cred): a second account of how calls ended."""

    endpoint: str = setting(
        "tcp:8085:interface=127.0.0.1", "where records are taken, at /cdr/; a Twisted endpoint", min_length=1
    )
    username: str = setting("freeswitch", "who may post them", min_length=1, pattern="^[^:]*$")
    password: str = setting(
        "", "the password for that, 8 characters or more; empty: no records are taken", pattern="^(.{8,})?$", secret=True
    )
    max_body: int = setting(1_048_576, "longest record; beyond it the answer is 413", unit="bytes", ge=1024, le=2**30)


@frozen(kw_only=True)
class MetricsSettings:
    """Metrics for Prometheus (docs/metrics.md). Health is told wherever the API or the metrics are."""

    endpoint: str = setting(
        "",
        "where /metrics and /health are served on a port of their own, a Twisted endpoint such as "
        "tcp:8086:interface=127.0.0.1; empty: nowhere",
    )
    username: str = setting("prometheus", "who may read the metrics there", min_length=1, pattern="^[^:]*$")
    password: str = setting(
        "",
        "the password for that, 8 characters or more; empty: whoever reaches the endpoint may read them",
        pattern="^(.{8,})?$",
        secret=True,
    )
    on_api: bool = setting(False, "true: /metrics is served on the API's port, too, for superusers with their passwords")
