-- The tokens of the API, of which a hash is kept and nothing else; and the answers to requests that may come a second time.

CREATE TABLE api_token (
    id {id},
    user_id {integer} NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    public_id {text} NOT NULL CONSTRAINT api_token_public_id CHECK (length(public_id) = 12),
    secret_hash TEXT NOT NULL CONSTRAINT api_token_secret_hash CHECK (length(secret_hash) = 64),
    name {text} NOT NULL CONSTRAINT api_token_name CHECK (length(name) BETWEEN 1 AND 255),
    scopes TEXT NOT NULL CONSTRAINT api_token_scopes CHECK (scopes <> ''),
    expires_at {moment api_token.expires_at},
    last_used_at {moment api_token.last_used_at},
    created_at {moment api_token.created_at NOT NULL},
    {unique api_token_public_id_key} (public_id)
);

CREATE INDEX api_token_user ON api_token (user_id, id);

-- `status` and `body` are the answer; they are there once the request has had its effect, which is the same transaction.
CREATE TABLE idempotency_key (
    id {id},
    user_id {integer} NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    key {text} NOT NULL CONSTRAINT idempotency_key_key CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint TEXT NOT NULL CONSTRAINT idempotency_key_fingerprint CHECK (length(fingerprint) = 64),
    status {integer},
    body TEXT,
    created_at {moment idempotency_key.created_at NOT NULL},
    {unique idempotency_key_key_key} (user_id, key)
);

CREATE INDEX idempotency_key_created ON idempotency_key (created_at, id);
CREATE INDEX idempotency_key_user ON idempotency_key (user_id, id);
