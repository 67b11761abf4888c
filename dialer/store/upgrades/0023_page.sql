-- The page in the browser: what a user's logins may do, who is signed in, and who has changed what there.

ALTER TABLE user_account ADD COLUMN role {text} NOT NULL DEFAULT 'operator'
    CONSTRAINT user_account_role CHECK (role IN ('viewer', 'operator', 'admin'));
UPDATE user_account SET role = 'admin' WHERE is_superuser = 1;

-- Of the secret in a browser's cookie, a hash is kept; `proof` is a hash of the password's hash, so that a new password ends
-- the sessions of the old one.
CREATE TABLE page_session (
    id {id},
    user_id {integer} NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    secret_hash TEXT NOT NULL CONSTRAINT page_session_secret_hash CHECK (length(secret_hash) = 64),
    proof TEXT NOT NULL CONSTRAINT page_session_proof CHECK (length(proof) = 64),
    created_at {moment page_session.created_at NOT NULL},
    seen_at {moment page_session.seen_at NOT NULL},
    {unique page_session_secret_hash_key} (secret_hash)
);

CREATE INDEX page_session_user ON page_session (user_id, id);
CREATE INDEX page_session_created ON page_session (created_at);

-- Each is good for one sign-in.
CREATE TABLE sign_in_link (
    id {id},
    user_id {integer} NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    secret_hash TEXT NOT NULL CONSTRAINT sign_in_link_secret_hash CHECK (length(secret_hash) = 64),
    expires_at {moment sign_in_link.expires_at NOT NULL},
    {unique sign_in_link_secret_hash_key} (secret_hash)
);

CREATE INDEX sign_in_link_user ON sign_in_link (user_id);

-- It names users without referring to them, and outlives them.
CREATE TABLE audit_entry (
    id {id},
    at {moment audit_entry.at NOT NULL},
    user_id {integer} NOT NULL,
    username {text} NOT NULL,
    address TEXT NOT NULL,
    action {text} NOT NULL CONSTRAINT audit_entry_action CHECK (action <> ''),
    subject TEXT NOT NULL,
    details TEXT NOT NULL CONSTRAINT audit_entry_details CHECK ({json details})
);

CREATE INDEX audit_entry_user ON audit_entry (user_id, id);
