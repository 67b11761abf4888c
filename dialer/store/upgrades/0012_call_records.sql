-- The attempts of a campaign are read in the order of their begin, page by page.

DROP INDEX attempt_campaign;
CREATE INDEX attempt_campaign ON attempt (campaign_id, id);
