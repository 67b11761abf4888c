-- Several FreeSWITCH servers: the one that has the call of an attempt, and those of a node with their processes ("" for one that
-- is away).

ALTER TABLE attempt ADD COLUMN switch TEXT NOT NULL DEFAULT '';
UPDATE attempt SET switch = coalesce((SELECT n.switch FROM node n WHERE n.name = attempt.owner), '') WHERE ended_at IS NULL;

ALTER TABLE node ADD COLUMN switches TEXT NOT NULL DEFAULT '{}' CONSTRAINT node_switches CHECK ({json switches});
UPDATE node SET switches = CAST({json_object}(switch, core_uuid) AS TEXT) WHERE switch <> '';
ALTER TABLE node DROP COLUMN switch;
ALTER TABLE node DROP COLUMN core_uuid;
