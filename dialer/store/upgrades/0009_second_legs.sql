-- The second leg of an answered call, while it lasts: it counts in the limits of its gateway, for every node and after a restart.

ALTER TABLE attempt ADD COLUMN second_gateway_id {integer} REFERENCES gateway (id);

-- Only live ones: it costs nothing where nobody is transferred.
CREATE INDEX attempt_second_gateway ON attempt (second_gateway_id) WHERE second_gateway_id IS NOT NULL;
