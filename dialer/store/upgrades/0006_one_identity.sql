-- Numbers are compared by their identities.

CREATE UNIQUE INDEX contact_identity_key ON contact (phonebook_id, identity) WHERE double_of IS NULL;
CREATE UNIQUE INDEX subscriber_identity_key ON subscriber (campaign_id, identity);
CREATE UNIQUE INDEX do_not_call_identity_key ON do_not_call (identity);
-- One person's telephone must not ring twice at once, whoever calls.
CREATE UNIQUE INDEX attempt_open_identity ON attempt (identity) WHERE ended_at IS NULL;
DROP INDEX IF EXISTS attempt_open_number;
