-- A call that the switch has never dialled (NEVER_DIALLED) has shown no caller id, and counts in no daily cap.
-- only sqlite
DROP VIEW caller_id_share;
CREATE VIEW caller_id_share (
-- only postgresql
CREATE OR REPLACE VIEW caller_id_share (
-- both
    attempt_id, caller_id_id, day, unsent, ended, answered, short, talk_ms, refused_403, refused_603, refused_607, refused_608
) AS SELECT a.id, a.pooled_caller_id, a.caller_day,
    CASE WHEN a.cause IN ('NOT_SENT', 'LATE', 'REFUSED', 'NEVER_DIALLED') THEN 1 ELSE 0 END,
    CASE WHEN a.ended_at IS NOT NULL THEN 1 ELSE 0 END,
    CASE WHEN a.disposition IN ('ANSWERED', 'MACHINE') THEN 1 ELSE 0 END,
    CASE WHEN a.disposition IN ('ANSWERED', 'MACHINE') AND coalesce(a.talk_ms, 0) < 6000 THEN 1 ELSE 0 END,
    CASE WHEN a.disposition IN ('ANSWERED', 'MACHINE') THEN coalesce(a.talk_ms, 0) ELSE 0 END,
    CASE WHEN a.sip_status = 403 THEN 1 ELSE 0 END,
    CASE WHEN a.sip_status = 603 THEN 1 ELSE 0 END,
    CASE WHEN a.sip_status = 607 THEN 1 ELSE 0 END,
    CASE WHEN a.sip_status = 608 THEN 1 ELSE 0 END
FROM attempt a WHERE a.pooled_caller_id IS NOT NULL;

-- only sqlite
UPDATE caller_id_count SET unsent = caller_id_count.unsent + s.calls
FROM (
    SELECT a.pooled_caller_id, a.caller_day, count(*) AS calls FROM attempt a
    WHERE a.pooled_caller_id IS NOT NULL AND a.cause = 'NEVER_DIALLED' GROUP BY a.pooled_caller_id, a.caller_day
) AS s
WHERE caller_id_count.caller_id_id = s.pooled_caller_id AND caller_id_count.day = s.caller_day AND caller_id_count.purged = 0;
-- only postgresql
INSERT INTO caller_id_count_part AS p
SELECT a.pooled_caller_id, a.caller_day, 0, 0, 0, count(*), 0, 0, 0, 0, 0, 0, 0, 0 FROM attempt a
WHERE a.pooled_caller_id IS NOT NULL AND a.cause = 'NEVER_DIALLED' GROUP BY a.pooled_caller_id, a.caller_day
ON CONFLICT (caller_id_id, day, purged, part) DO UPDATE SET unsent = p.unsent + excluded.unsent;
-- both

-- The campaigns that are shown: a few, beside a hundred thousand calls without one.
CREATE INDEX campaign_live ON campaign (user_id, id) WHERE archived_at IS NULL;

-- Contacts that wait for an entry of a do-not-call list that is on what their gateway makes of their numbers.
CREATE INDEX subscriber_dialled_form ON subscriber (id) WHERE blocked_by = 'dialled-form' AND status = 1;

-- Contacts whose consent begins later were refused for it; they wait for that.
UPDATE campaign SET recheck = recheck + 1 WHERE archived_at IS NULL AND consent <> 'not-asked';
