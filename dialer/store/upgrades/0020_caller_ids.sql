-- Pools of caller ids. An attempt names the number that it showed and the day for which it counts, by the pool's zone; what came of
-- the calls of a number and a day is kept by triggers in the transaction of whatever begins, ends, corrects or deletes one, as the
-- statistics of campaigns are: what is deleted moves to the twin of its count (`purged` 1).

CREATE TABLE caller_id_pool (
    id {id},
    user_id {integer} NOT NULL REFERENCES user_account (id),
    name {text} NOT NULL CONSTRAINT caller_id_pool_name CHECK (name <> ''),
    description TEXT NOT NULL,
    strategy {text} NOT NULL CONSTRAINT caller_id_pool_strategy CHECK (strategy IN ('sticky', 'rotating', 'nearest')),
    foreign_callees {text} NOT NULL CONSTRAINT caller_id_pool_foreign_callees CHECK (foreign_callees IN ('refuse', 'allow')),
    time_zone TEXT NOT NULL,
    turn {integer} NOT NULL,
    created_at {moment caller_id_pool.created_at NOT NULL},
    updated_at {moment caller_id_pool.updated_at NOT NULL},
    archived_at {moment caller_id_pool.archived_at}
);
CREATE UNIQUE INDEX caller_id_pool_name_key ON caller_id_pool (user_id, name) WHERE archived_at IS NULL;

CREATE TABLE caller_id (
    id {id},
    pool_id {integer} NOT NULL REFERENCES caller_id_pool (id),
    number {text} NOT NULL CONSTRAINT caller_id_number CHECK (number <> ''),
    identity {text} NOT NULL CONSTRAINT caller_id_identity CHECK (identity <> ''),
    country {text} NOT NULL,
    name {text} NOT NULL,
    note TEXT NOT NULL,
    daily_cap {integer} CONSTRAINT caller_id_daily_cap CHECK (daily_cap >= 1),
    warm_up_start {integer} NOT NULL CONSTRAINT caller_id_warm_up_start CHECK (warm_up_start >= 1),
    warm_up_days {integer} NOT NULL CONSTRAINT caller_id_warm_up_days CHECK (warm_up_days >= 0),
    first_used_at {moment caller_id.first_used_at},
    rest_until {moment caller_id.rest_until},
    active {flag} NOT NULL CONSTRAINT caller_id_active CHECK (active IN (0, 1)),
    created_at {moment caller_id.created_at NOT NULL},
    updated_at {moment caller_id.updated_at NOT NULL},
    archived_at {moment caller_id.archived_at}
);
CREATE UNIQUE INDEX caller_id_identity_key ON caller_id (identity);
CREATE INDEX caller_id_of_pool ON caller_id (pool_id, id);

CREATE TABLE caller_id_gateway (
    caller_id_id {integer} NOT NULL REFERENCES caller_id (id) ON DELETE CASCADE,
    gateway_id {integer} NOT NULL REFERENCES gateway (id),
-- only sqlite
    PRIMARY KEY (caller_id_id, gateway_id)
-- only postgresql
    CONSTRAINT caller_id_gateway_key PRIMARY KEY (caller_id_id, gateway_id)
-- both
);
CREATE INDEX caller_id_gateway_gateway ON caller_id_gateway (gateway_id);

ALTER TABLE campaign ADD COLUMN caller_id_pool_id {integer} REFERENCES caller_id_pool (id);
CREATE INDEX campaign_caller_id_pool ON campaign (caller_id_pool_id) WHERE caller_id_pool_id IS NOT NULL;

ALTER TABLE attempt ADD COLUMN pooled_caller_id {integer} REFERENCES caller_id (id);
ALTER TABLE attempt ADD COLUMN caller_day {text};
CREATE INDEX attempt_pooled_caller ON attempt (identity, id) WHERE pooled_caller_id IS NOT NULL;

-- Contacts for which no number of their campaign's pool could be used: when they are looked at again, and when one can, if known.
CREATE TABLE caller_id_wait (
    subscriber_id {integer} NOT NULL REFERENCES subscriber (id) ON DELETE CASCADE,
    campaign_id {integer} NOT NULL REFERENCES campaign (id) ON DELETE CASCADE,
    country {text} NOT NULL,
    ready_at {moment caller_id_wait.ready_at NOT NULL},
    until {moment caller_id_wait.until},
-- only sqlite
    PRIMARY KEY (subscriber_id)
) WITHOUT ROWID;
-- only postgresql
    CONSTRAINT caller_id_wait_key PRIMARY KEY (subscriber_id)
);
-- both
CREATE INDEX caller_id_wait_campaign ON caller_id_wait (campaign_id, ready_at);

-- The share of an attempt in the counts.
CREATE VIEW caller_id_share (
    attempt_id, caller_id_id, day, unsent, ended, answered, short, talk_ms, refused_403, refused_603, refused_607, refused_608
) AS SELECT a.id, a.pooled_caller_id, a.caller_day,
    CASE WHEN a.cause IN ('NOT_SENT', 'LATE', 'REFUSED') THEN 1 ELSE 0 END,
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
CREATE TABLE caller_id_count (
    caller_id_id INTEGER NOT NULL REFERENCES caller_id (id) ON DELETE CASCADE,
    day TEXT NOT NULL,
    purged INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    unsent INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    short INTEGER NOT NULL,
    talk_ms INTEGER NOT NULL,
    refused_403 INTEGER NOT NULL,
    refused_603 INTEGER NOT NULL,
    refused_607 INTEGER NOT NULL,
    refused_608 INTEGER NOT NULL,
    PRIMARY KEY (caller_id_id, day, purged)
) WITHOUT ROWID;

-- {share_added}:
    INSERT INTO caller_id_count
    SELECT caller_id_id, day, {1}, 1, unsent, ended, answered, short, talk_ms, refused_403, refused_603, refused_607, refused_608
    FROM caller_id_share WHERE attempt_id = {0}.id
    ON CONFLICT DO UPDATE SET calls = calls + 1, unsent = unsent + excluded.unsent, ended = ended + excluded.ended,
        answered = answered + excluded.answered, short = short + excluded.short, talk_ms = talk_ms + excluded.talk_ms,
        refused_403 = refused_403 + excluded.refused_403, refused_603 = refused_603 + excluded.refused_603,
        refused_607 = refused_607 + excluded.refused_607, refused_608 = refused_608 + excluded.refused_608;
-- end
-- {share_taken}:
    UPDATE caller_id_count SET calls = caller_id_count.calls - 1, unsent = caller_id_count.unsent - s.unsent,
        ended = caller_id_count.ended - s.ended, answered = caller_id_count.answered - s.answered,
        short = caller_id_count.short - s.short, talk_ms = caller_id_count.talk_ms - s.talk_ms,
        refused_403 = caller_id_count.refused_403 - s.refused_403, refused_603 = caller_id_count.refused_603 - s.refused_603,
        refused_607 = caller_id_count.refused_607 - s.refused_607, refused_608 = caller_id_count.refused_608 - s.refused_608
    FROM (SELECT * FROM caller_id_share WHERE attempt_id = old.id) AS s
    WHERE caller_id_count.caller_id_id = s.caller_id_id AND caller_id_count.day = s.day AND caller_id_count.purged = 0;
-- end
CREATE TRIGGER caller_id_begun AFTER INSERT ON attempt WHEN new.pooled_caller_id IS NOT NULL BEGIN
    {share_added new 0}
END;

CREATE TRIGGER caller_id_before BEFORE UPDATE OF pooled_caller_id, caller_day, ended_at, cause, disposition, talk_ms, sip_status
ON attempt WHEN old.pooled_caller_id IS NOT NULL BEGIN
    {share_taken}
END;

CREATE TRIGGER caller_id_after AFTER UPDATE OF pooled_caller_id, caller_day, ended_at, cause, disposition, talk_ms, sip_status
ON attempt WHEN new.pooled_caller_id IS NOT NULL BEGIN
    {share_added new 0}
END;

CREATE TRIGGER caller_id_purged BEFORE DELETE ON attempt WHEN old.pooled_caller_id IS NOT NULL BEGIN
    {share_taken}
    {share_added old 1}
END;
-- only postgresql
-- In parts: transactions that run at the same time write different ones.
CREATE TABLE caller_id_count_part (
    caller_id_id BIGINT NOT NULL REFERENCES caller_id (id) ON DELETE CASCADE,
    day TEXT COLLATE "C" NOT NULL,
    purged SMALLINT NOT NULL,
    part INTEGER NOT NULL,
    calls BIGINT NOT NULL,
    unsent BIGINT NOT NULL,
    ended BIGINT NOT NULL,
    answered BIGINT NOT NULL,
    short BIGINT NOT NULL,
    talk_ms BIGINT NOT NULL,
    refused_403 BIGINT NOT NULL,
    refused_603 BIGINT NOT NULL,
    refused_607 BIGINT NOT NULL,
    refused_608 BIGINT NOT NULL,
    PRIMARY KEY (caller_id_id, day, purged, part)
);
ALTER TABLE caller_id_count_part SET (
    fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000
);

CREATE VIEW caller_id_count (
    caller_id_id, day, purged, calls, unsent, ended, answered, short, talk_ms, refused_403, refused_603, refused_607, refused_608
) AS SELECT caller_id_id, day, purged, CAST(sum(calls) AS BIGINT), CAST(sum(unsent) AS BIGINT), CAST(sum(ended) AS BIGINT),
    CAST(sum(answered) AS BIGINT), CAST(sum(short) AS BIGINT), CAST(sum(talk_ms) AS BIGINT),
    CAST(sum(refused_403) AS BIGINT), CAST(sum(refused_603) AS BIGINT), CAST(sum(refused_607) AS BIGINT),
    CAST(sum(refused_608) AS BIGINT)
FROM caller_id_count_part GROUP BY caller_id_id, day, purged;

CREATE FUNCTION caller_id_count_add(of_attempt BIGINT, sign INTEGER, to_purged INTEGER) RETURNS VOID LANGUAGE sql AS $$
    INSERT INTO caller_id_count_part AS p
    SELECT s.caller_id_id, s.day, to_purged, count_part(), sign, sign * s.unsent, sign * s.ended, sign * s.answered,
        sign * s.short, sign * s.talk_ms, sign * s.refused_403, sign * s.refused_603, sign * s.refused_607, sign * s.refused_608
    FROM caller_id_share s WHERE s.attempt_id = of_attempt
    ON CONFLICT (caller_id_id, day, purged, part) DO UPDATE
    SET calls = p.calls + excluded.calls, unsent = p.unsent + excluded.unsent, ended = p.ended + excluded.ended,
        answered = p.answered + excluded.answered, short = p.short + excluded.short, talk_ms = p.talk_ms + excluded.talk_ms,
        refused_403 = p.refused_403 + excluded.refused_403, refused_603 = p.refused_603 + excluded.refused_603,
        refused_607 = p.refused_607 + excluded.refused_607, refused_608 = p.refused_608 + excluded.refused_608
$$;

CREATE FUNCTION caller_id_count_keep() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_WHEN = 'AFTER' THEN
        PERFORM caller_id_count_add(new.id, 1, 0);
        RETURN NULL;
    END IF;
    PERFORM caller_id_count_add(old.id, -1, 0);
    IF TG_OP = 'DELETE' THEN
        PERFORM caller_id_count_add(old.id, 1, 1);
        RETURN old;
    END IF;
    RETURN new;
END $$;

CREATE TRIGGER caller_id_begun AFTER INSERT ON attempt FOR EACH ROW WHEN (new.pooled_caller_id IS NOT NULL)
    EXECUTE FUNCTION caller_id_count_keep();
CREATE TRIGGER caller_id_before
    BEFORE UPDATE OF pooled_caller_id, caller_day, ended_at, cause, disposition, talk_ms, sip_status
    ON attempt FOR EACH ROW WHEN (old.pooled_caller_id IS NOT NULL) EXECUTE FUNCTION caller_id_count_keep();
CREATE TRIGGER caller_id_after
    AFTER UPDATE OF pooled_caller_id, caller_day, ended_at, cause, disposition, talk_ms, sip_status
    ON attempt FOR EACH ROW WHEN (new.pooled_caller_id IS NOT NULL) EXECUTE FUNCTION caller_id_count_keep();
CREATE TRIGGER caller_id_purged BEFORE DELETE ON attempt FOR EACH ROW WHEN (old.pooled_caller_id IS NOT NULL)
    EXECUTE FUNCTION caller_id_count_keep();
-- both
