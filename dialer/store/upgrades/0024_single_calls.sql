-- A call without a campaign is a campaign of its own of one contact, archived from the beginning: it is in no list of these.
ALTER TABLE campaign ADD COLUMN single {flag} NOT NULL DEFAULT 0 CONSTRAINT campaign_single CHECK (single IN (0, 1));

-- The calls of a user, the newest first.
CREATE INDEX campaign_single_user ON campaign (user_id, id) WHERE single = 1;
-- How many of them a user has for some minute.
CREATE INDEX campaign_single_starting ON campaign (user_id, starting_at) WHERE single = 1;
-- Those that are not over: they are woken when their time has come, and ended when they are done or too late.
CREATE INDEX campaign_single_open ON campaign (starting_at, id) WHERE single = 1 AND status < 3;
