-- The statistics of campaigns: attempts that have ended, kept by triggers in the transaction of whatever ends, corrects or deletes
-- one. A bucket is an hour (UTC) of a campaign, by the begin of its attempts, with all by which they are told apart. What is
-- deleted moves to the bucket's twin (`purged` 1): the sum of both is what was ever counted, and what is not purged is what the
-- rows say. A bucket refers to its campaign, with which it goes, and names its gateway, which it may outlive.

-- only sqlite
CREATE TABLE attempt_count (
    campaign_id INTEGER NOT NULL REFERENCES campaign (id) ON DELETE CASCADE,
    hour {moment attempt_count.hour NOT NULL},
    gateway_id INTEGER NOT NULL,
    number_of_attempt INTEGER NOT NULL,
    disposition TEXT NOT NULL,
    cause TEXT NOT NULL,
    purged INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    counted INTEGER NOT NULL,
    talk_ms INTEGER NOT NULL,
    PRIMARY KEY (campaign_id, hour, gateway_id, number_of_attempt, disposition, cause, purged)
) WITHOUT ROWID;

INSERT INTO attempt_count
SELECT campaign_id, substr(planned_at, 1, 13) || ':00:00.000000' AS begun, gateway_id, number_of_attempt, disposition, cause, 0,
    count(*), sum(counts_as_attempt), coalesce(sum(talk_ms), 0)
FROM attempt WHERE ended_at IS NOT NULL GROUP BY campaign_id, begun, gateway_id, number_of_attempt, disposition, cause;

-- {attempt_added}:
    INSERT INTO attempt_count
    VALUES ({0}.campaign_id, substr({0}.planned_at, 1, 13) || ':00:00.000000', {0}.gateway_id, {0}.number_of_attempt,
        {0}.disposition, {0}.cause, {1}, 1, {0}.counts_as_attempt, coalesce({0}.talk_ms, 0))
    ON CONFLICT DO UPDATE SET attempts = attempts + 1, counted = counted + excluded.counted, talk_ms = talk_ms + excluded.talk_ms;
-- end
-- {attempt_taken}:
    UPDATE attempt_count SET attempts = attempts - 1, counted = counted - old.counts_as_attempt,
        talk_ms = talk_ms - coalesce(old.talk_ms, 0)
    WHERE campaign_id = old.campaign_id AND hour = substr(old.planned_at, 1, 13) || ':00:00.000000'
        AND gateway_id = old.gateway_id AND number_of_attempt = old.number_of_attempt AND disposition = old.disposition
        AND cause = old.cause AND purged = 0;
-- end
CREATE TRIGGER attempt_added AFTER INSERT ON attempt WHEN new.ended_at IS NOT NULL BEGIN
    {attempt_added new 0}
END;

CREATE TRIGGER attempt_over
AFTER UPDATE OF campaign_id, gateway_id, number_of_attempt, planned_at, ended_at, cause, disposition, counts_as_attempt, talk_ms
ON attempt WHEN old.ended_at IS NULL AND new.ended_at IS NOT NULL BEGIN
    {attempt_added new 0}
END;

CREATE TRIGGER attempt_corrected
AFTER UPDATE OF campaign_id, gateway_id, number_of_attempt, planned_at, ended_at, cause, disposition, counts_as_attempt, talk_ms
ON attempt WHEN old.ended_at IS NOT NULL BEGIN
    {attempt_taken}
    INSERT INTO attempt_count
    SELECT new.campaign_id, substr(new.planned_at, 1, 13) || ':00:00.000000', new.gateway_id, new.number_of_attempt,
        new.disposition, new.cause, 0, 1, new.counts_as_attempt, coalesce(new.talk_ms, 0)
    WHERE new.ended_at IS NOT NULL
    ON CONFLICT DO UPDATE SET attempts = attempts + 1, counted = counted + excluded.counted, talk_ms = talk_ms + excluded.talk_ms;
END;

CREATE TRIGGER attempt_purged AFTER DELETE ON attempt WHEN old.ended_at IS NOT NULL BEGIN
    {attempt_taken}
    {attempt_added old 1}
END;
-- only postgresql
-- In parts, as the counts of subscribers are: transactions that run at the same time write different ones.
CREATE TABLE attempt_count_part (
    campaign_id BIGINT NOT NULL REFERENCES campaign (id) ON DELETE CASCADE,
    hour TIMESTAMP(6) NOT NULL,
    gateway_id BIGINT NOT NULL,
    number_of_attempt BIGINT NOT NULL,
    disposition TEXT COLLATE "C" NOT NULL,
    cause TEXT COLLATE "C" NOT NULL,
    purged SMALLINT NOT NULL,
    part INTEGER NOT NULL,
    attempts BIGINT NOT NULL,
    counted BIGINT NOT NULL,
    talk_ms BIGINT NOT NULL,
    PRIMARY KEY (campaign_id, hour, gateway_id, number_of_attempt, disposition, cause, purged, part)
);
ALTER TABLE attempt_count_part SET (
    fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000
);

CREATE VIEW attempt_count
    (campaign_id, hour, gateway_id, number_of_attempt, disposition, cause, purged, attempts, counted, talk_ms) AS
    SELECT campaign_id, hour, gateway_id, number_of_attempt, disposition, cause, purged,
        CAST(sum(attempts) AS BIGINT), CAST(sum(counted) AS BIGINT), CAST(sum(talk_ms) AS BIGINT)
    FROM attempt_count_part GROUP BY campaign_id, hour, gateway_id, number_of_attempt, disposition, cause, purged;

INSERT INTO attempt_count_part
SELECT campaign_id, date_trunc('hour', planned_at), gateway_id, number_of_attempt, disposition, cause, 0, 0,
    count(*), sum(counts_as_attempt), coalesce(sum(talk_ms), 0)
FROM attempt WHERE ended_at IS NOT NULL
GROUP BY campaign_id, date_trunc('hour', planned_at), gateway_id, number_of_attempt, disposition, cause;

-- The part of this transaction, of either kind of count. The first free one is taken, so that there are few; a 65th transaction at
-- the same time takes the last one, and may have to wait for it.
CREATE FUNCTION count_part() RETURNS INTEGER LANGUAGE plpgsql AS $$
DECLARE
    own INTEGER := 0;
BEGIN
    WHILE own < 63 AND NOT pg_try_advisory_xact_lock('subscriber_count_part'::regclass::oid::integer, own) LOOP
        own := own + 1;
    END LOOP;
    RETURN own;
END $$;

CREATE OR REPLACE FUNCTION subscriber_count_add(in_campaign BIGINT, with_status INTEGER, more BIGINT) RETURNS VOID
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO subscriber_count_part AS p (campaign_id, status, part, subscribers)
    VALUES (in_campaign, with_status, count_part(), more)
    ON CONFLICT (campaign_id, status, part) DO UPDATE SET subscribers = p.subscribers + excluded.subscribers;
END $$;

CREATE FUNCTION attempt_count_keep() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND old.ended_at IS NOT NULL THEN
        INSERT INTO attempt_count_part AS p
        VALUES (old.campaign_id, date_trunc('hour', old.planned_at), old.gateway_id, old.number_of_attempt, old.disposition,
            old.cause, 0, count_part(), -1, -old.counts_as_attempt, -coalesce(old.talk_ms, 0))
        ON CONFLICT (campaign_id, hour, gateway_id, number_of_attempt, disposition, cause, purged, part) DO UPDATE
        SET attempts = p.attempts + excluded.attempts, counted = p.counted + excluded.counted, talk_ms = p.talk_ms + excluded.talk_ms;
    END IF;
    IF new.ended_at IS NOT NULL THEN
        INSERT INTO attempt_count_part AS p
        VALUES (new.campaign_id, date_trunc('hour', new.planned_at), new.gateway_id, new.number_of_attempt, new.disposition,
            new.cause, 0, count_part(), 1, new.counts_as_attempt, coalesce(new.talk_ms, 0))
        ON CONFLICT (campaign_id, hour, gateway_id, number_of_attempt, disposition, cause, purged, part) DO UPDATE
        SET attempts = p.attempts + excluded.attempts, counted = p.counted + excluded.counted, talk_ms = p.talk_ms + excluded.talk_ms;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER attempt_added AFTER INSERT ON attempt FOR EACH ROW WHEN (new.ended_at IS NOT NULL)
    EXECUTE FUNCTION attempt_count_keep();
CREATE TRIGGER attempt_over
    AFTER UPDATE OF campaign_id, gateway_id, number_of_attempt, planned_at, ended_at, cause, disposition, counts_as_attempt, talk_ms
    ON attempt FOR EACH ROW WHEN (old.ended_at IS NOT NULL OR new.ended_at IS NOT NULL) EXECUTE FUNCTION attempt_count_keep();

-- Once per statement: many are deleted at a time.
CREATE FUNCTION attempt_count_purge() RETURNS TRIGGER LANGUAGE plpgsql AS $$
DECLARE
    own INTEGER := count_part();
BEGIN
    INSERT INTO attempt_count_part AS p
    SELECT r.campaign_id, date_trunc('hour', r.planned_at), r.gateway_id, r.number_of_attempt, r.disposition, r.cause, m.purged,
        own, m.sign * count(*), m.sign * sum(r.counts_as_attempt), m.sign * coalesce(sum(r.talk_ms), 0)
    FROM removed r CROSS JOIN (VALUES (0, -1), (1, 1)) AS m (purged, sign)
    WHERE r.ended_at IS NOT NULL
    GROUP BY r.campaign_id, date_trunc('hour', r.planned_at), r.gateway_id, r.number_of_attempt, r.disposition, r.cause,
        m.purged, m.sign
    ON CONFLICT (campaign_id, hour, gateway_id, number_of_attempt, disposition, cause, purged, part) DO UPDATE
    SET attempts = p.attempts + excluded.attempts, counted = p.counted + excluded.counted, talk_ms = p.talk_ms + excluded.talk_ms;
    RETURN NULL;
END $$;

CREATE TRIGGER attempt_purged AFTER DELETE ON attempt
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION attempt_count_purge();
-- both
