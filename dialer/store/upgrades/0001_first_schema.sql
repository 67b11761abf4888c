-- The first schema, for both kinds of database: the same tables and columns in the same order. Words in braces differ between
-- them (`dialer.store.schema`), and so does what stands between `-- only ...` and `-- both`.
--
-- Times are naive UTC, on SQLite as text of fixed width ('2026-11-23 10:00:00.000000'), so that they sort and compare as text;
-- flags are 0 and 1. A CHECK constraint is called <table>_<column>, a unique one <table>_<column>_key after its last column:
-- errors are led back to their field by them. What is compared or sorted on a server has the collation "C", which sorts as
-- SQLite does.

CREATE TABLE installation (
    id {integer} PRIMARY KEY CONSTRAINT installation_single CHECK (id = 1),
    installation_id TEXT NOT NULL CONSTRAINT installation_installation_id CHECK (length(installation_id) = 16)
);

-- only sqlite
INSERT INTO installation (id, installation_id) VALUES (1, lower(hex(randomblob(8))));
-- only postgresql
INSERT INTO installation (id, installation_id) VALUES (1, right(replace(gen_random_uuid()::text, '-', ''), 16));
-- both

CREATE TABLE user_account (
    id {id},
    username {text} NOT NULL CONSTRAINT user_account_username CHECK (length(username) BETWEEN 1 AND 150),
-- only sqlite
    password_hash TEXT NOT NULL CONSTRAINT user_account_password_hash CHECK (password_hash = '' OR password_hash LIKE '$argon2%'),
-- only postgresql
    password_hash TEXT NOT NULL
        CONSTRAINT user_account_password_hash CHECK (password_hash = '' OR password_hash LIKE '$argon2%'),
-- both
    is_superuser {flag} NOT NULL CONSTRAINT user_account_is_superuser CHECK (is_superuser IN (0, 1)),
    is_active {flag} NOT NULL CONSTRAINT user_account_is_active CHECK (is_active IN (0, 1)),
    max_number_campaign {integer} CONSTRAINT user_account_max_number_campaign CHECK (max_number_campaign >= 0),
    max_number_subscriber_campaign {integer}
        CONSTRAINT user_account_max_number_subscriber_campaign CHECK (max_number_subscriber_campaign >= 0),
    max_frequency {integer} CONSTRAINT user_account_max_frequency CHECK (max_frequency >= 1),
    max_duration {integer} CONSTRAINT user_account_max_duration CHECK (max_duration >= 1),
    max_retries {integer} CONSTRAINT user_account_max_retries CHECK (max_retries >= 0),
    max_timeout {integer} CONSTRAINT user_account_max_timeout CHECK (max_timeout >= 1),
    created_at {moment user_account.created_at NOT NULL},
    {unique user_account_username_key} (username)
);

CREATE TABLE gateway (
    id {id},
    name {text} NOT NULL CONSTRAINT gateway_name CHECK (length(name) BETWEEN 1 AND 255),
    description TEXT NOT NULL,
    protocol TEXT NOT NULL CONSTRAINT gateway_protocol CHECK (protocol IN ('SIP', 'LOCAL')),
    hostname TEXT NOT NULL,
-- only sqlite
    dial_string TEXT NOT NULL CONSTRAINT gateway_dial_string CHECK (dial_string = '' OR instr(dial_string, '{number}') > 0),
-- only postgresql
    dial_string TEXT NOT NULL CONSTRAINT gateway_dial_string CHECK (dial_string = '' OR strpos(dial_string, '{number}') > 0),
-- both
    removeprefix TEXT NOT NULL,
    addprefix TEXT NOT NULL,
    addparameter TEXT NOT NULL,
    maximum_call {integer} CONSTRAINT gateway_maximum_call CHECK (maximum_call >= 0),
    calls_per_second {integer} CONSTRAINT gateway_calls_per_second CHECK (calls_per_second >= 1),
    failover_id {integer} REFERENCES gateway (id),
    status INTEGER NOT NULL CONSTRAINT gateway_status CHECK (status IN (0, 1)),
    created_at {moment gateway.created_at NOT NULL},
    updated_at {moment gateway.updated_at NOT NULL},
    {unique gateway_name_key} (name),
    CONSTRAINT gateway_failover_id CHECK (failover_id <> id),
    CONSTRAINT gateway_reachable CHECK (dial_string <> '' OR protocol = 'LOCAL' OR hostname <> '')
);

CREATE TABLE voip_app (
    id {id},
    name {text} NOT NULL CONSTRAINT voip_app_name CHECK (length(name) BETWEEN 1 AND 255),
    description TEXT NOT NULL,
    type INTEGER NOT NULL CONSTRAINT voip_app_type CHECK (type IN (1, 2, 3, 4)),
    gateway_id {integer} REFERENCES gateway (id),
    data TEXT NOT NULL,
    created_at {moment voip_app.created_at NOT NULL},
    updated_at {moment voip_app.updated_at NOT NULL},
    {unique voip_app_name_key} (name)
);

CREATE TABLE campaign (
    id {id},
    user_id {integer} NOT NULL REFERENCES user_account (id),
    name {text} NOT NULL CONSTRAINT campaign_name CHECK (length(name) BETWEEN 1 AND 255),
    description TEXT NOT NULL,
    status INTEGER NOT NULL CONSTRAINT campaign_status CHECK (status IN (1, 2, 3, 4)),
    starting_at {moment campaign.starting_at NOT NULL},
    expires_at {moment campaign.expires_at NOT NULL},
-- only sqlite
    daily_start TEXT NOT NULL CONSTRAINT campaign_daily_start CHECK (daily_start GLOB '[0-2][0-9]:[0-5][0-9]:[0-5][0-9]'),
    daily_stop TEXT NOT NULL CONSTRAINT campaign_daily_stop CHECK (daily_stop GLOB '[0-2][0-9]:[0-5][0-9]:[0-5][0-9]'),
-- only postgresql
    daily_start TEXT NOT NULL CONSTRAINT campaign_daily_start CHECK (daily_start ~ '^[0-2][0-9]:[0-5][0-9]:[0-5][0-9]$'),
    daily_stop TEXT NOT NULL CONSTRAINT campaign_daily_stop CHECK (daily_stop ~ '^[0-2][0-9]:[0-5][0-9]:[0-5][0-9]$'),
-- both
    monday {flag} NOT NULL CONSTRAINT campaign_monday CHECK (monday IN (0, 1)),
    tuesday {flag} NOT NULL CONSTRAINT campaign_tuesday CHECK (tuesday IN (0, 1)),
    wednesday {flag} NOT NULL CONSTRAINT campaign_wednesday CHECK (wednesday IN (0, 1)),
    thursday {flag} NOT NULL CONSTRAINT campaign_thursday CHECK (thursday IN (0, 1)),
    friday {flag} NOT NULL CONSTRAINT campaign_friday CHECK (friday IN (0, 1)),
    saturday {flag} NOT NULL CONSTRAINT campaign_saturday CHECK (saturday IN (0, 1)),
    sunday {flag} NOT NULL CONSTRAINT campaign_sunday CHECK (sunday IN (0, 1)),
    time_zone TEXT NOT NULL CONSTRAINT campaign_time_zone CHECK (time_zone <> ''),
    frequency {integer} NOT NULL CONSTRAINT campaign_frequency CHECK (frequency BETWEEN 1 AND 1000000),
    call_max_duration {integer} NOT NULL CONSTRAINT campaign_call_max_duration CHECK (call_max_duration BETWEEN 1 AND 86400),
    max_retry {integer} NOT NULL CONSTRAINT campaign_max_retry CHECK (max_retry BETWEEN 0 AND 1000),
    interval_retry {integer} NOT NULL CONSTRAINT campaign_interval_retry CHECK (interval_retry BETWEEN 0 AND 31536000),
    call_timeout {integer} NOT NULL CONSTRAINT campaign_call_timeout CHECK (call_timeout BETWEEN 1 AND 3600),
    gateway_id {integer} NOT NULL REFERENCES gateway (id),
    voip_app_id {integer} NOT NULL REFERENCES voip_app (id),
    voip_app_data TEXT NOT NULL,
    caller_id TEXT NOT NULL,
    caller_name TEXT NOT NULL,
    unknown_policy TEXT NOT NULL CONSTRAINT campaign_unknown_policy CHECK (unknown_policy IN ('retry', 'never')),
    max_concurrent {integer} CONSTRAINT campaign_max_concurrent CHECK (max_concurrent >= 1),
    next_call_at {moment campaign.next_call_at},
    created_at {moment campaign.created_at NOT NULL},
    updated_at {moment campaign.updated_at NOT NULL},
    {unique campaign_name_key} (user_id, name)
);

CREATE INDEX campaign_started ON campaign (id) WHERE status = 1;

CREATE TABLE phonebook (
    id {id},
    user_id {integer} NOT NULL REFERENCES user_account (id),
    name {text} NOT NULL CONSTRAINT phonebook_name CHECK (length(name) BETWEEN 1 AND 255),
    description TEXT NOT NULL,
    created_at {moment phonebook.created_at NOT NULL},
    {unique phonebook_name_key} (user_id, name)
);

CREATE TABLE campaign_phonebook (
    campaign_id {integer} NOT NULL REFERENCES campaign (id) ON DELETE CASCADE,
    phonebook_id {integer} NOT NULL REFERENCES phonebook (id) ON DELETE CASCADE,
-- only sqlite
    PRIMARY KEY (campaign_id, phonebook_id)
-- only postgresql
    CONSTRAINT campaign_phonebook_phonebook_id_key PRIMARY KEY (campaign_id, phonebook_id)
-- both
);

CREATE INDEX campaign_phonebook_phonebook ON campaign_phonebook (phonebook_id);

CREATE TABLE contact (
    id {id of many},
    phonebook_id {integer} NOT NULL REFERENCES phonebook (id),
-- only sqlite
    number TEXT NOT NULL CONSTRAINT contact_number CHECK (
        length(number) BETWEEN 1 AND 64 AND substr(number, 1, 1) GLOB '[+0-9*#]' AND substr(number, 2) NOT GLOB '*[^0-9*#]*'
    ),
-- only postgresql
    number TEXT COLLATE "C" NOT NULL CONSTRAINT contact_number CHECK (number ~ '^[+0-9*#][0-9*#]{0,63}$'),
-- both
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    email TEXT NOT NULL,
    description TEXT NOT NULL,
    additional_vars TEXT NOT NULL CONSTRAINT contact_additional_vars CHECK ({json additional_vars}),
    created_at {moment contact.created_at NOT NULL},
    updated_at {moment contact.updated_at NOT NULL},
    {unique contact_number_key} (phonebook_id, number)
);

CREATE INDEX contact_phonebook ON contact (phonebook_id, id);

CREATE TABLE subscriber (
    id {id of many},
    campaign_id {integer} NOT NULL REFERENCES campaign (id),
    contact_id {integer} NOT NULL REFERENCES contact (id),
    number {text} NOT NULL CONSTRAINT subscriber_number CHECK (number <> ''),
    status INTEGER NOT NULL CONSTRAINT subscriber_status CHECK (status BETWEEN 1 AND 7),
    wanted_status INTEGER CONSTRAINT subscriber_wanted_status CHECK (wanted_status BETWEEN 1 AND 5),
    ready_at {moment subscriber.ready_at},
    count_attempt {integer} NOT NULL CONSTRAINT subscriber_count_attempt CHECK (count_attempt >= 0),
    count_requeue {integer} NOT NULL CONSTRAINT subscriber_count_requeue CHECK (count_requeue >= 0),
    last_attempt_at {moment subscriber.last_attempt_at},
    {unique subscriber_number_key} (campaign_id, number),
    CONSTRAINT subscriber_pending_is_ready_some_time CHECK (status <> 1 OR ready_at IS NOT NULL),
    CONSTRAINT subscriber_wish_only_while_in_process CHECK (wanted_status IS NULL OR status = 6)
);

-- What the scheduler looks at: it holds those that may be called, never those that are finished.
CREATE INDEX subscriber_pending ON subscriber (campaign_id, ready_at, id) WHERE status = 1;
CREATE INDEX subscriber_contact ON subscriber (contact_id);

-- only sqlite
-- How many subscribers of a campaign have which status, kept by triggers: asking for it must not read every subscriber.
CREATE TABLE subscriber_count (
    campaign_id INTEGER NOT NULL REFERENCES campaign (id) ON DELETE CASCADE,
    status INTEGER NOT NULL,
    subscribers INTEGER NOT NULL CHECK (subscribers >= 0),
    PRIMARY KEY (campaign_id, status)
) WITHOUT ROWID;

CREATE TRIGGER campaign_counts AFTER INSERT ON campaign BEGIN
    INSERT INTO subscriber_count (campaign_id, status, subscribers)
    VALUES (new.id, 1, 0), (new.id, 2, 0), (new.id, 3, 0), (new.id, 4, 0), (new.id, 5, 0), (new.id, 6, 0), (new.id, 7, 0);
END;

CREATE TRIGGER subscriber_added AFTER INSERT ON subscriber BEGIN
    UPDATE subscriber_count SET subscribers = subscribers + 1 WHERE campaign_id = new.campaign_id AND status = new.status;
END;

CREATE TRIGGER subscriber_changed AFTER UPDATE OF status ON subscriber WHEN old.status <> new.status BEGIN
    UPDATE subscriber_count SET subscribers = subscribers - 1 WHERE campaign_id = old.campaign_id AND status = old.status;
    UPDATE subscriber_count SET subscribers = subscribers + 1 WHERE campaign_id = new.campaign_id AND status = new.status;
END;

CREATE TRIGGER subscriber_removed AFTER DELETE ON subscriber BEGIN
    UPDATE subscriber_count SET subscribers = subscribers - 1 WHERE campaign_id = old.campaign_id AND status = old.status;
END;

CREATE TRIGGER subscriber_stays BEFORE UPDATE OF campaign_id, number ON subscriber
WHEN old.campaign_id <> new.campaign_id OR old.number <> new.number BEGIN
    SELECT RAISE(ABORT, 'a subscriber keeps its campaign and its number');
END;
-- only postgresql
-- How many subscribers of a campaign have which status, kept by triggers: asking for it must not read every subscriber. A
-- count is the sum of its parts, each of which may be negative. Transactions that run at the same time write different parts:
-- none waits for another, in whatever order they change what.
CREATE TABLE subscriber_count_part (
    campaign_id BIGINT NOT NULL REFERENCES campaign (id) ON DELETE CASCADE,
    status INTEGER NOT NULL,
    part INTEGER NOT NULL,
    subscribers INTEGER NOT NULL,
    PRIMARY KEY (campaign_id, status, part)
);

CREATE VIEW subscriber_count (campaign_id, status, subscribers) AS
    SELECT c.id, s.status, coalesce((
        SELECT sum(p.subscribers) FROM subscriber_count_part p WHERE p.campaign_id = c.id AND p.status = s.status
    ), 0)
    FROM campaign c CROSS JOIN (VALUES (1), (2), (3), (4), (5), (6), (7)) AS s (status);

-- A part belongs to the transaction that has its advisory lock. The first free one is taken, so that there are few; a 65th
-- transaction at the same time takes the last one, and may have to wait for it.
CREATE FUNCTION subscriber_count_add(in_campaign BIGINT, with_status INTEGER, more BIGINT) RETURNS VOID LANGUAGE plpgsql AS $$
DECLARE
    own INTEGER := 0;
BEGIN
    WHILE own < 63 AND NOT pg_try_advisory_xact_lock('subscriber_count_part'::regclass::oid::integer, own) LOOP
        own := own + 1;
    END LOOP;
    INSERT INTO subscriber_count_part AS p (campaign_id, status, part, subscribers)
    VALUES (in_campaign, with_status, own, more)
    ON CONFLICT (campaign_id, status, part) DO UPDATE SET subscribers = p.subscribers + excluded.subscribers;
END $$;

-- Once per statement: a trigger for each row would make the import of a large phonebook slow.
CREATE FUNCTION subscriber_count_keep() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM subscriber_count_add(campaign_id, status, count(*)) FROM added GROUP BY campaign_id, status;
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM subscriber_count_add(campaign_id, status, -count(*)) FROM removed GROUP BY campaign_id, status;
    ELSE
        PERFORM subscriber_count_add(campaign_id, status, sum(more)) FROM (
            SELECT campaign_id, status, 1 AS more FROM added UNION ALL SELECT campaign_id, status, -1 FROM removed
        ) AS changes
        GROUP BY campaign_id, status HAVING sum(more) <> 0;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER subscriber_added AFTER INSERT ON subscriber
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION subscriber_count_keep();
CREATE TRIGGER subscriber_changed AFTER UPDATE ON subscriber
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION subscriber_count_keep();
CREATE TRIGGER subscriber_removed AFTER DELETE ON subscriber
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION subscriber_count_keep();

CREATE FUNCTION subscriber_stays() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a subscriber keeps its campaign and its number'
        USING ERRCODE = 'integrity_constraint_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
END $$;

CREATE TRIGGER subscriber_stays BEFORE UPDATE OF campaign_id, number ON subscriber FOR EACH ROW
    WHEN (old.campaign_id <> new.campaign_id OR old.number <> new.number) EXECUTE FUNCTION subscriber_stays();
-- both

CREATE TABLE attempt (
    id {id of many},
    call_uuid {text} NOT NULL CONSTRAINT attempt_call_uuid CHECK (call_uuid <> ''),
    campaign_id {integer} NOT NULL REFERENCES campaign (id),
    subscriber_id {integer} NOT NULL REFERENCES subscriber (id),
    gateway_id {integer} NOT NULL REFERENCES gateway (id),
    number {text} NOT NULL CONSTRAINT attempt_number CHECK (number <> ''),
    dial_string TEXT NOT NULL,
    number_of_attempt {integer} NOT NULL CONSTRAINT attempt_number_of_attempt CHECK (number_of_attempt >= 1),
    state TEXT NOT NULL CONSTRAINT attempt_state CHECK (
        state IN ('planned', 'submitted', 'ringing', 'answered', 'connected', 'adrift', 'ended')
    ),
    owner {text} NOT NULL CONSTRAINT attempt_owner CHECK (owner <> ''),
    epoch {integer} NOT NULL CONSTRAINT attempt_epoch CHECK (epoch >= 1),
    core_uuid TEXT NOT NULL,
    planned_at {moment attempt.planned_at NOT NULL},
    due_at {moment attempt.due_at NOT NULL},
    deadline {moment attempt.deadline NOT NULL},
    moved_at {moment attempt.moved_at},
    rang_at {moment attempt.rang_at},
    answered_at {moment attempt.answered_at},
    ended_at {moment attempt.ended_at},
    cause {text},
    disposition {text} CONSTRAINT attempt_disposition CHECK (
        disposition IN ('ANSWERED', 'BUSY', 'NO_ANSWER', 'REJECTED', 'INVALID_NUMBER', 'CANCELLED', 'CONGESTION', 'MACHINE',
                        'FAILED', 'UNKNOWN')
    ),
    counts {flag} CONSTRAINT attempt_counts CHECK (counts IN (0, 1)),
    reason TEXT,
    q850 INTEGER CONSTRAINT attempt_q850 CHECK (q850 >= 0),
    sip_status INTEGER CONSTRAINT attempt_sip_status CHECK (sip_status >= 0),
    sip_disposition TEXT,
    ring_ms INTEGER CONSTRAINT attempt_ring_ms CHECK (ring_ms >= 0),
    talk_ms INTEGER CONSTRAINT attempt_talk_ms CHECK (talk_ms >= 0),
    duration_ms INTEGER CONSTRAINT attempt_duration_ms CHECK (duration_ms >= 0),
    machine {flag} CONSTRAINT attempt_machine CHECK (machine IN (0, 1)),
    session TEXT CONSTRAINT attempt_session CHECK (session IS NULL OR {json session}),
    {unique attempt_call_uuid_key} (call_uuid),
    CONSTRAINT attempt_ended_has_an_account CHECK (
        (state = 'ended') = (ended_at IS NOT NULL)
        AND (ended_at IS NULL) = (cause IS NULL)
        AND (ended_at IS NULL) = (disposition IS NULL)
        AND (ended_at IS NULL) = (counts IS NULL)
        AND (ended_at IS NULL) = (duration_ms IS NULL)
    )
);

-- One person's telephone must not ring twice at once, whoever calls.
CREATE UNIQUE INDEX attempt_open_number ON attempt (number) WHERE ended_at IS NULL;
CREATE INDEX attempt_open_owner ON attempt (owner) WHERE ended_at IS NULL;
CREATE INDEX attempt_campaign ON attempt (campaign_id);
CREATE INDEX attempt_subscriber ON attempt (subscriber_id);

CREATE TABLE do_not_call (
-- only sqlite
    number TEXT PRIMARY KEY NOT NULL CONSTRAINT do_not_call_number CHECK (
        length(number) BETWEEN 1 AND 64 AND substr(number, 1, 1) GLOB '[+0-9*#]' AND substr(number, 2) NOT GLOB '*[^0-9*#]*'
    ),
-- only postgresql
    number TEXT COLLATE "C" CONSTRAINT do_not_call_number_key PRIMARY KEY
        CONSTRAINT do_not_call_number CHECK (number ~ '^[+0-9*#][0-9*#]{0,63}$'),
-- both
    reason TEXT NOT NULL,
    created_at {moment do_not_call.created_at NOT NULL}
);

CREATE TABLE outbox (
    id {id},
    kind TEXT NOT NULL CONSTRAINT outbox_kind CHECK (kind <> ''),
    campaign_id {integer} NOT NULL REFERENCES campaign (id),
    attempt_id {integer} REFERENCES attempt (id),
    payload TEXT NOT NULL CONSTRAINT outbox_payload CHECK ({json payload}),
    status TEXT NOT NULL CONSTRAINT outbox_status CHECK (status IN ('due', 'delivered', 'given_up')),
    tries {integer} NOT NULL CONSTRAINT outbox_tries CHECK (tries >= 0),
    created_at {moment outbox.created_at NOT NULL},
    due_at {moment outbox.due_at NOT NULL},
    settled_at {moment outbox.settled_at},
    last_error TEXT NOT NULL,
    CONSTRAINT outbox_settled_has_a_time CHECK ((status = 'due') = (settled_at IS NULL))
);

CREATE INDEX outbox_due ON outbox (due_at, id) WHERE status = 'due';

-- only postgresql
-- Room in the pages lets most changes of an attempt, and those of a count, stay where they are, without a word in the indexes.
-- What changed rows leave behind is cleared away early, before the scheduler has to walk through it.
ALTER TABLE attempt SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
ALTER TABLE subscriber SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE subscriber_count_part SET (
    fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000
);

-- both