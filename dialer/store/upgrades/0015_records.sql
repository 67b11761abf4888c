-- Call records: when the originate was sent and what the contact saw of its caller; lists of them by time, by campaign and by
-- number; and what is known of records that were removed because of their age: a contact's attempts count all the same.

ALTER TABLE attempt ADD COLUMN sent_at {moment attempt.sent_at};
ALTER TABLE attempt ADD COLUMN caller_id {text} NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN caller_name {text} NOT NULL DEFAULT '';

CREATE TABLE purged_attempts (
    subscriber_id {integer} NOT NULL REFERENCES subscriber (id),
    counted {integer} NOT NULL CONSTRAINT purged_attempts_counted CHECK (counted >= 0),
    {unique purged_attempts_subscriber_key} (subscriber_id)
);

DROP INDEX attempt_campaign;
CREATE INDEX attempt_campaign ON attempt (campaign_id, planned_at, id);
CREATE INDEX attempt_planned ON attempt (planned_at, id);
CREATE INDEX attempt_identity ON attempt (identity, planned_at, id);
