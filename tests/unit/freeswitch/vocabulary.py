"""The names that FreeSWITCH 1.10.12 knows, as far as the shipped files may use them."""

from __future__ import annotations

APPLICATIONS = frozenset(
    {"answer", "hangup", "log", "playback", "sched_hangup", "set", "sleep", "socket"}
    | {"reuse_caller_profile", "transfer", "unset"}
)
"""Those of mod_dptools and mod_event_socket that make sense here."""

VARIABLES = frozenset({"dialer_socket", "dialer_until", "dialer_wait", "park_timeout", "socket_resume"})
"""What an originate sets, or the context itself (`dialer.esl.commands.OWN_VARIABLES`)."""

SWITCHS_OWN = frozenset({"current_application"})
"""What FreeSWITCH sets."""

FIELDS = frozenset({"destination_number"})
CAUSES = frozenset({"ALLOTTED_TIMEOUT", "CALL_REJECTED", "NORMAL_CLEARING"})

PARAMETERS = {
    "event_socket.conf": frozenset(
        {"apply-inbound-acl", "debug", "listen-ip", "listen-port", "nat-map", "password", "stop-on-bind-error"}
    ),
    "json_cdr.conf": frozenset(
        {
            "auth-scheme",
            "cred",
            "delay",
            "disable-100-continue",
            "enable-cacert-check",
            "enable-ssl-verifyhost",
            "encode",
            "encode-values",
            "err-log-dir",
            "log-b-leg",
            "log-dir",
            "log-errors-to-disk",
            "log-http-and-disk",
            "prefix-a-leg",
            "queue-capacity",
            "retries",
            "rotate",
            "timeout",
            "url",
        }
    ),
    "gateway": frozenset(
        {
            "caller-id-in-from",
            "context",
            "expire-seconds",
            "extension",
            "from-domain",
            "from-user",
            "password",
            "ping",
            "ping-max",
            "ping-min",
            "proxy",
            "realm",
            "register",
            "retry-seconds",
            "username",
        }
    ),
    "switch.conf": frozenset({"max-sessions", "sessions-per-second"}),
}
