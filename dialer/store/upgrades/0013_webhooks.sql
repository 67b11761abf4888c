-- Addresses that are told of events, and the requests that were made to them. Deliveries only come and go, as events do: they name
-- their webhook without referring to it, and go in small steps after it.

CREATE TABLE webhook (
    id {id},
    user_id {integer} NOT NULL REFERENCES user_account (id),
    url TEXT NOT NULL CONSTRAINT webhook_url CHECK (url <> ''),
    kinds TEXT NOT NULL CONSTRAINT webhook_kinds CHECK (kinds <> ''),
    campaign_id {integer},
    batch_size {integer} NOT NULL CONSTRAINT webhook_batch_size CHECK (batch_size BETWEEN 1 AND 100),
    secret TEXT NOT NULL CONSTRAINT webhook_secret CHECK (secret <> ''),
    old_secret TEXT NOT NULL,
    old_secret_until {moment webhook.old_secret_until},
    status {text} NOT NULL CONSTRAINT webhook_status CHECK (status IN ('active', 'disabled')),
    reason TEXT NOT NULL,
    position {integer} NOT NULL CONSTRAINT webhook_position CHECK (position >= 0),
    failing_since {moment webhook.failing_since},
    created_at {moment webhook.created_at NOT NULL}
);

CREATE INDEX webhook_user ON webhook (user_id);

CREATE TABLE webhook_delivery (
    id {id},
    webhook_id {integer} NOT NULL,
    events TEXT NOT NULL CONSTRAINT webhook_delivery_events CHECK ({json events}),
    attempts TEXT NOT NULL,
    status {text} NOT NULL CONSTRAINT webhook_delivery_status CHECK (status IN ('due', 'delivered', 'dead')),
    tries {integer} NOT NULL CONSTRAINT webhook_delivery_tries CHECK (tries >= 0),
    next_try_at {moment webhook_delivery.next_try_at},
    http_status {integer},
    milliseconds {integer},
    error TEXT NOT NULL,
    created_at {moment webhook_delivery.created_at NOT NULL},
    updated_at {moment webhook_delivery.updated_at NOT NULL}
);

CREATE INDEX webhook_delivery_webhook ON webhook_delivery (webhook_id, id);
CREATE INDEX webhook_delivery_due ON webhook_delivery (webhook_id, id) WHERE status = 'due';
