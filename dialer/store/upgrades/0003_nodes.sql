-- The dialling processes that share this database, and the limits that hold over all of them. On SQLite there is one node.

CREATE TABLE node (
    id {id},
    name {text} NOT NULL CONSTRAINT node_name CHECK (length(name) BETWEEN 1 AND 64),
    epoch {integer} NOT NULL CONSTRAINT node_epoch CHECK (epoch >= 1),
    host TEXT NOT NULL,
    pid {integer} NOT NULL,
    version TEXT NOT NULL,
    switch TEXT NOT NULL,
    core_uuid TEXT NOT NULL,
    ready {flag} NOT NULL CONSTRAINT node_ready CHECK (ready IN (0, 1)),
    started_at {moment node.started_at NOT NULL},
    seen_at {moment node.seen_at NOT NULL},
    lease_until {moment node.lease_until NOT NULL},
    stopped_at {moment node.stopped_at},
    session {integer},
    commits {integer} NOT NULL,
    figures TEXT NOT NULL CONSTRAINT node_figures CHECK ({json figures}),
    {unique node_name_key} (name)
-- only sqlite
);
-- only postgresql
) WITH (fillfactor = 50);
-- both

ALTER TABLE gateway ADD COLUMN next_call_at {moment gateway.next_call_at};

-- The end of a call as its call detail record tells it, which came to another process than the attempt's own.
ALTER TABLE attempt ADD COLUMN record TEXT;

-- What is open through a gateway and of a campaign: counted where these have a limit.
CREATE INDEX attempt_open_gateway ON attempt (gateway_id) WHERE ended_at IS NULL;
CREATE INDEX attempt_open_campaign ON attempt (campaign_id) WHERE ended_at IS NULL;
