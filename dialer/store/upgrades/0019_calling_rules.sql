-- Where a contact is known to be, in place of what its number tells.
ALTER TABLE contact ADD COLUMN time_zone TEXT NOT NULL DEFAULT '';

-- A subscriber that the calling rules keep waiting, or refuse: when it would have been ready without them, and why it is not.
ALTER TABLE subscriber ADD COLUMN held_from {moment subscriber.held_from};
ALTER TABLE subscriber ADD COLUMN held_by TEXT;
CREATE INDEX subscriber_held ON subscriber (campaign_id, id) WHERE held_from IS NOT NULL;

-- Something changed by which held subscribers may have to be looked at again; the number grows with each such change.
ALTER TABLE campaign ADD COLUMN recheck {integer} NOT NULL DEFAULT 0;
CREATE INDEX campaign_recheck ON campaign (id) WHERE recheck > 0;

-- By which rules subscribers are held.
ALTER TABLE installation ADD COLUMN rule_book TEXT NOT NULL DEFAULT '';
