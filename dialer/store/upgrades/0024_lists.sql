-- Whom not to call: several do-not-call lists, for everybody, for the campaigns of one user, or for one campaign. An entry is never
-- changed and never deleted: it is removed, and another one may follow, so that who put a number on a list and took it off, and when,
-- is there for good. Only entries that were not removed, have not expired, and whose list was not removed, hold.
-- A contact can have a consent, for which a campaign may ask; a subscriber that is blocked, or waits because of a list, tells what for.

CREATE TABLE do_not_call_list (
    id {id},
    name {text} NOT NULL CONSTRAINT do_not_call_list_name CHECK (length(name) BETWEEN 1 AND 255),
    description {text} NOT NULL,
    user_id {integer} REFERENCES user_account (id),
    campaign_id {integer} REFERENCES campaign (id),
    created_at {moment do_not_call_list.created_at NOT NULL},
    added_by {text} NOT NULL,
    archived_at {moment do_not_call_list.archived_at},
    removed_by {text} NOT NULL,
    CONSTRAINT do_not_call_list_scope CHECK (campaign_id IS NULL OR user_id IS NOT NULL)
);
CREATE UNIQUE INDEX do_not_call_list_name_key ON do_not_call_list (coalesce(user_id, 0), name);
CREATE INDEX do_not_call_list_campaign ON do_not_call_list (campaign_id) WHERE campaign_id IS NOT NULL;
-- The one that was there: its id is 1.
INSERT INTO do_not_call_list (name, description, created_at, added_by, removed_by)
-- only sqlite
SELECT 'do not call', 'holds for everybody; callees put themselves on it', strftime('%Y-%m-%d %H:%M:%f', 'now') || '000', '', '';
-- only postgresql
SELECT 'do not call', 'holds for everybody; callees put themselves on it', CURRENT_TIMESTAMP AT TIME ZONE 'UTC', '', '';
-- both

DROP INDEX do_not_call_identity_key;
ALTER TABLE do_not_call RENAME TO do_not_call_before;
CREATE TABLE do_not_call (
    id {id of many},
    list_id {integer} NOT NULL REFERENCES do_not_call_list (id),
-- only sqlite
    number TEXT NOT NULL CONSTRAINT do_not_call_number CHECK (
        length(number) BETWEEN 1 AND 64 AND substr(number, 1, 1) GLOB '[+0-9*#]' AND substr(number, 2) NOT GLOB '*[^0-9*#]*'
    ),
-- only postgresql
    number TEXT COLLATE "C" NOT NULL CONSTRAINT do_not_call_number CHECK (number ~ '^[+0-9*#][0-9*#]{0,63}$'),
-- both
    identity {text} NOT NULL,
    reason {text} NOT NULL DEFAULT '',
    source {text} NOT NULL DEFAULT '',
    expires_at {moment do_not_call.expires_at},
    created_at {moment do_not_call.created_at NOT NULL},
    added_by {text} NOT NULL DEFAULT '',
    removed_at {moment do_not_call.removed_at},
    removed_by {text} NOT NULL DEFAULT ''
);
INSERT INTO do_not_call (list_id, number, identity, reason, created_at)
SELECT 1, number, identity, reason, created_at FROM do_not_call_before ORDER BY created_at, number;
DROP TABLE do_not_call_before;

CREATE UNIQUE INDEX do_not_call_identity_key ON do_not_call (identity, list_id) WHERE removed_at IS NULL;
CREATE INDEX do_not_call_listed ON do_not_call (list_id, number) WHERE removed_at IS NULL;
CREATE INDEX do_not_call_history ON do_not_call (list_id, id);
CREATE INDEX do_not_call_removed ON do_not_call (identity) WHERE removed_at IS NOT NULL;

ALTER TABLE contact ADD COLUMN consent_basis {text}
    CONSTRAINT contact_consent_basis CHECK (consent_basis IN ('express', 'written', 'relationship', 'other'));
ALTER TABLE contact ADD COLUMN consent_given_at {moment contact.consent_given_at};
ALTER TABLE contact ADD COLUMN consent_expires_at {moment contact.consent_expires_at};
ALTER TABLE contact ADD COLUMN consent_proof {text} NOT NULL DEFAULT '';
ALTER TABLE campaign ADD COLUMN consent {text} NOT NULL DEFAULT 'not-asked'
    CONSTRAINT campaign_consent CHECK (consent IN ('not-asked', 'recorded', 'express'));

ALTER TABLE subscriber ADD COLUMN blocked_by {text};
CREATE INDEX subscriber_blocked ON subscriber (campaign_id, blocked_by, status) WHERE blocked_by IS NOT NULL;
CREATE INDEX subscriber_listed ON subscriber (identity) WHERE blocked_by = 'do-not-call' AND status = 1;
UPDATE subscriber SET blocked_by = 'calling-rules' WHERE held_from IS NOT NULL;
