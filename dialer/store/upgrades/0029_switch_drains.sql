-- Switches on which no dialer begins calls, until somebody takes them back. They are named as nodes know them.
CREATE TABLE switch_drain (
    id {id},
    switch {text} NOT NULL CONSTRAINT switch_drain_switch CHECK (switch <> ''),
    drained_by TEXT NOT NULL,
    drained_at {moment switch_drain.drained_at NOT NULL},
    {unique switch_drain_switch_key} (switch)
);
