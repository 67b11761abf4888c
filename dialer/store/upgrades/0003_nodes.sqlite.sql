-- The dialling processes that share this database, and the limits that hold over all of them. On SQLite there is one node.

CREATE TABLE node (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL CONSTRAINT node_name CHECK (length(name) BETWEEN 1 AND 64),
    epoch INTEGER NOT NULL CONSTRAINT node_epoch CHECK (epoch >= 1),
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    version TEXT NOT NULL,
    switch TEXT NOT NULL,
    core_uuid TEXT NOT NULL,
    ready INTEGER NOT NULL CONSTRAINT node_ready CHECK (ready IN (0, 1)),
    started_at TEXT NOT NULL CONSTRAINT node_started_at CHECK (length(started_at) = 26),
    seen_at TEXT NOT NULL CONSTRAINT node_seen_at CHECK (length(seen_at) = 26),
    lease_until TEXT NOT NULL CONSTRAINT node_lease_until CHECK (length(lease_until) = 26),
    stopped_at TEXT CONSTRAINT node_stopped_at CHECK (length(stopped_at) = 26),
    session INTEGER,
    commits INTEGER NOT NULL,
    figures TEXT NOT NULL CONSTRAINT node_figures CHECK (json_valid(figures)),
    UNIQUE (name)
);

ALTER TABLE gateway ADD COLUMN next_call_at TEXT CONSTRAINT gateway_next_call_at CHECK (length(next_call_at) = 26);

-- The end of a call as its call detail record tells it, which came to another process than the attempt's own.
ALTER TABLE attempt ADD COLUMN record TEXT;

-- What is open through a gateway and of a campaign: counted where these have a limit.
CREATE INDEX attempt_open_gateway ON attempt (gateway_id) WHERE ended_at IS NULL;
CREATE INDEX attempt_open_campaign ON attempt (campaign_id) WHERE ended_at IS NULL;
