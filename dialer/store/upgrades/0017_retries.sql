-- Retries by outcome: a campaign's table of them, and of each contact how often its calls have ended in which way. The order of
-- calls: a contact's priority, 9 first; and an index in which new contacts and retries are found apart from each other.

ALTER TABLE campaign ADD COLUMN retry TEXT NOT NULL DEFAULT '{}' CONSTRAINT campaign_retry CHECK ({json retry});
ALTER TABLE contact ADD COLUMN priority INTEGER NOT NULL DEFAULT 5 CONSTRAINT contact_priority CHECK (priority BETWEEN 0 AND 9);
ALTER TABLE subscriber ADD COLUMN priority INTEGER NOT NULL DEFAULT 5
    CONSTRAINT subscriber_priority CHECK (priority BETWEEN 0 AND 9);
ALTER TABLE subscriber ADD COLUMN tally TEXT NOT NULL DEFAULT '{}' CONSTRAINT subscriber_tally CHECK ({json tally});

CREATE INDEX subscriber_lane ON subscriber (
    campaign_id, priority, (CASE WHEN count_attempt = 0 AND free_retries = 0 THEN 0 ELSE 1 END), ready_at, id
) WHERE status = 1;
