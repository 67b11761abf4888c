-- The first schema. Times are naive UTC as text of fixed width ('2026-11-23 10:00:00.000000'), so that they sort and compare as
-- text; flags are 0 and 1. Names of CHECK constraints are <table>_<column>: an error is led back to its field by them.

CREATE TABLE installation (
    id INTEGER PRIMARY KEY CONSTRAINT installation_single CHECK (id = 1),
    installation_id TEXT NOT NULL CONSTRAINT installation_installation_id CHECK (length(installation_id) = 16)
);

INSERT INTO installation (id, installation_id) VALUES (1, lower(hex(randomblob(8))));

CREATE TABLE user_account (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    username TEXT NOT NULL CONSTRAINT user_account_username CHECK (length(username) BETWEEN 1 AND 150),
    password_hash TEXT NOT NULL CONSTRAINT user_account_password_hash CHECK (password_hash = '' OR password_hash LIKE '$argon2%'),
    is_superuser INTEGER NOT NULL CONSTRAINT user_account_is_superuser CHECK (is_superuser IN (0, 1)),
    is_active INTEGER NOT NULL CONSTRAINT user_account_is_active CHECK (is_active IN (0, 1)),
    max_number_campaign INTEGER CONSTRAINT user_account_max_number_campaign CHECK (max_number_campaign >= 0),
    max_number_subscriber_campaign INTEGER
        CONSTRAINT user_account_max_number_subscriber_campaign CHECK (max_number_subscriber_campaign >= 0),
    max_frequency INTEGER CONSTRAINT user_account_max_frequency CHECK (max_frequency >= 1),
    max_duration INTEGER CONSTRAINT user_account_max_duration CHECK (max_duration >= 1),
    max_retries INTEGER CONSTRAINT user_account_max_retries CHECK (max_retries >= 0),
    max_timeout INTEGER CONSTRAINT user_account_max_timeout CHECK (max_timeout >= 1),
    created_at TEXT NOT NULL CONSTRAINT user_account_created_at CHECK (length(created_at) = 26),
    UNIQUE (username)
);

CREATE TABLE gateway (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL CONSTRAINT gateway_name CHECK (length(name) BETWEEN 1 AND 255),
    description TEXT NOT NULL,
    protocol TEXT NOT NULL CONSTRAINT gateway_protocol CHECK (protocol IN ('SIP', 'LOCAL')),
    hostname TEXT NOT NULL,
    dial_string TEXT NOT NULL CONSTRAINT gateway_dial_string CHECK (dial_string = '' OR instr(dial_string, '{number}') > 0),
    removeprefix TEXT NOT NULL,
    addprefix TEXT NOT NULL,
    addparameter TEXT NOT NULL,
    maximum_call INTEGER CONSTRAINT gateway_maximum_call CHECK (maximum_call >= 0),
    calls_per_second INTEGER CONSTRAINT gateway_calls_per_second CHECK (calls_per_second >= 1),
    failover_id INTEGER REFERENCES gateway (id),
    status INTEGER NOT NULL CONSTRAINT gateway_status CHECK (status IN (0, 1)),
    created_at TEXT NOT NULL CONSTRAINT gateway_created_at CHECK (length(created_at) = 26),
    updated_at TEXT NOT NULL CONSTRAINT gateway_updated_at CHECK (length(updated_at) = 26),
    UNIQUE (name),
    CONSTRAINT gateway_failover_id CHECK (failover_id <> id),
    CONSTRAINT gateway_reachable CHECK (dial_string <> '' OR protocol = 'LOCAL' OR hostname <> '')
);

CREATE TABLE voip_app (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL CONSTRAINT voip_app_name CHECK (length(name) BETWEEN 1 AND 255),
    description TEXT NOT NULL,
    type INTEGER NOT NULL CONSTRAINT voip_app_type CHECK (type IN (1, 2, 3, 4)),
    gateway_id INTEGER REFERENCES gateway (id),
    data TEXT NOT NULL,
    created_at TEXT NOT NULL CONSTRAINT voip_app_created_at CHECK (length(created_at) = 26),
    updated_at TEXT NOT NULL CONSTRAINT voip_app_updated_at CHECK (length(updated_at) = 26),
    UNIQUE (name)
);

CREATE TABLE campaign (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES user_account (id),
    name TEXT NOT NULL CONSTRAINT campaign_name CHECK (length(name) BETWEEN 1 AND 255),
    description TEXT NOT NULL,
    status INTEGER NOT NULL CONSTRAINT campaign_status CHECK (status IN (1, 2, 3, 4)),
    starting_at TEXT NOT NULL CONSTRAINT campaign_starting_at CHECK (length(starting_at) = 26),
    expires_at TEXT NOT NULL CONSTRAINT campaign_expires_at CHECK (length(expires_at) = 26),
    daily_start TEXT NOT NULL CONSTRAINT campaign_daily_start CHECK (daily_start GLOB '[0-2][0-9]:[0-5][0-9]:[0-5][0-9]'),
    daily_stop TEXT NOT NULL CONSTRAINT campaign_daily_stop CHECK (daily_stop GLOB '[0-2][0-9]:[0-5][0-9]:[0-5][0-9]'),
    monday INTEGER NOT NULL CONSTRAINT campaign_monday CHECK (monday IN (0, 1)),
    tuesday INTEGER NOT NULL CONSTRAINT campaign_tuesday CHECK (tuesday IN (0, 1)),
    wednesday INTEGER NOT NULL CONSTRAINT campaign_wednesday CHECK (wednesday IN (0, 1)),
    thursday INTEGER NOT NULL CONSTRAINT campaign_thursday CHECK (thursday IN (0, 1)),
    friday INTEGER NOT NULL CONSTRAINT campaign_friday CHECK (friday IN (0, 1)),
    saturday INTEGER NOT NULL CONSTRAINT campaign_saturday CHECK (saturday IN (0, 1)),
    sunday INTEGER NOT NULL CONSTRAINT campaign_sunday CHECK (sunday IN (0, 1)),
    time_zone TEXT NOT NULL CONSTRAINT campaign_time_zone CHECK (time_zone <> ''),
    frequency INTEGER NOT NULL CONSTRAINT campaign_frequency CHECK (frequency BETWEEN 1 AND 1000000),
    call_max_duration INTEGER NOT NULL CONSTRAINT campaign_call_max_duration CHECK (call_max_duration BETWEEN 1 AND 86400),
    max_retry INTEGER NOT NULL CONSTRAINT campaign_max_retry CHECK (max_retry BETWEEN 0 AND 1000),
    interval_retry INTEGER NOT NULL CONSTRAINT campaign_interval_retry CHECK (interval_retry BETWEEN 0 AND 31536000),
    call_timeout INTEGER NOT NULL CONSTRAINT campaign_call_timeout CHECK (call_timeout BETWEEN 1 AND 3600),
    gateway_id INTEGER NOT NULL REFERENCES gateway (id),
    voip_app_id INTEGER NOT NULL REFERENCES voip_app (id),
    voip_app_data TEXT NOT NULL,
    caller_id TEXT NOT NULL,
    caller_name TEXT NOT NULL,
    unknown_policy TEXT NOT NULL CONSTRAINT campaign_unknown_policy CHECK (unknown_policy IN ('retry', 'never')),
    max_concurrent INTEGER CONSTRAINT campaign_max_concurrent CHECK (max_concurrent >= 1),
    next_call_at TEXT CONSTRAINT campaign_next_call_at CHECK (length(next_call_at) = 26),
    created_at TEXT NOT NULL CONSTRAINT campaign_created_at CHECK (length(created_at) = 26),
    updated_at TEXT NOT NULL CONSTRAINT campaign_updated_at CHECK (length(updated_at) = 26),
    UNIQUE (user_id, name)
);

CREATE INDEX campaign_started ON campaign (id) WHERE status = 1;

CREATE TABLE phonebook (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES user_account (id),
    name TEXT NOT NULL CONSTRAINT phonebook_name CHECK (length(name) BETWEEN 1 AND 255),
    description TEXT NOT NULL,
    created_at TEXT NOT NULL CONSTRAINT phonebook_created_at CHECK (length(created_at) = 26),
    UNIQUE (user_id, name)
);

CREATE TABLE campaign_phonebook (
    campaign_id INTEGER NOT NULL REFERENCES campaign (id) ON DELETE CASCADE,
    phonebook_id INTEGER NOT NULL REFERENCES phonebook (id) ON DELETE CASCADE,
    PRIMARY KEY (campaign_id, phonebook_id)
);

CREATE INDEX campaign_phonebook_phonebook ON campaign_phonebook (phonebook_id);

CREATE TABLE contact (
    id INTEGER PRIMARY KEY,
    phonebook_id INTEGER NOT NULL REFERENCES phonebook (id),
    number TEXT NOT NULL CONSTRAINT contact_number CHECK (
        length(number) BETWEEN 1 AND 64 AND substr(number, 1, 1) GLOB '[+0-9*#]' AND substr(number, 2) NOT GLOB '*[^0-9*#]*'
    ),
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    email TEXT NOT NULL,
    description TEXT NOT NULL,
    additional_vars TEXT NOT NULL CONSTRAINT contact_additional_vars CHECK (json_valid(additional_vars)),
    created_at TEXT NOT NULL CONSTRAINT contact_created_at CHECK (length(created_at) = 26),
    updated_at TEXT NOT NULL CONSTRAINT contact_updated_at CHECK (length(updated_at) = 26),
    UNIQUE (phonebook_id, number)
);

CREATE INDEX contact_phonebook ON contact (phonebook_id, id);

CREATE TABLE subscriber (
    id INTEGER PRIMARY KEY,
    campaign_id INTEGER NOT NULL REFERENCES campaign (id),
    contact_id INTEGER NOT NULL REFERENCES contact (id),
    number TEXT NOT NULL CONSTRAINT subscriber_number CHECK (number <> ''),
    status INTEGER NOT NULL CONSTRAINT subscriber_status CHECK (status BETWEEN 1 AND 7),
    wanted_status INTEGER CONSTRAINT subscriber_wanted_status CHECK (wanted_status BETWEEN 1 AND 5),
    ready_at TEXT CONSTRAINT subscriber_ready_at CHECK (length(ready_at) = 26),
    count_attempt INTEGER NOT NULL CONSTRAINT subscriber_count_attempt CHECK (count_attempt >= 0),
    count_requeue INTEGER NOT NULL CONSTRAINT subscriber_count_requeue CHECK (count_requeue >= 0),
    last_attempt_at TEXT CONSTRAINT subscriber_last_attempt_at CHECK (length(last_attempt_at) = 26),
    UNIQUE (campaign_id, number),
    CONSTRAINT subscriber_pending_is_ready_some_time CHECK (status <> 1 OR ready_at IS NOT NULL),
    CONSTRAINT subscriber_wish_only_while_in_process CHECK (wanted_status IS NULL OR status = 6)
);

-- What the scheduler looks at: it holds those that may be called, never those that are finished.
CREATE INDEX subscriber_pending ON subscriber (campaign_id, ready_at, id) WHERE status = 1;
CREATE INDEX subscriber_contact ON subscriber (contact_id);

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

CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,
    call_uuid TEXT NOT NULL CONSTRAINT attempt_call_uuid CHECK (call_uuid <> ''),
    campaign_id INTEGER NOT NULL REFERENCES campaign (id),
    subscriber_id INTEGER NOT NULL REFERENCES subscriber (id),
    gateway_id INTEGER NOT NULL REFERENCES gateway (id),
    number TEXT NOT NULL CONSTRAINT attempt_number CHECK (number <> ''),
    dial_string TEXT NOT NULL,
    number_of_attempt INTEGER NOT NULL CONSTRAINT attempt_number_of_attempt CHECK (number_of_attempt >= 1),
    state TEXT NOT NULL CONSTRAINT attempt_state CHECK (
        state IN ('planned', 'submitted', 'ringing', 'answered', 'connected', 'adrift', 'ended')
    ),
    owner TEXT NOT NULL CONSTRAINT attempt_owner CHECK (owner <> ''),
    epoch INTEGER NOT NULL CONSTRAINT attempt_epoch CHECK (epoch >= 1),
    core_uuid TEXT NOT NULL,
    planned_at TEXT NOT NULL CONSTRAINT attempt_planned_at CHECK (length(planned_at) = 26),
    due_at TEXT NOT NULL CONSTRAINT attempt_due_at CHECK (length(due_at) = 26),
    deadline TEXT NOT NULL CONSTRAINT attempt_deadline CHECK (length(deadline) = 26),
    moved_at TEXT CONSTRAINT attempt_moved_at CHECK (length(moved_at) = 26),
    rang_at TEXT CONSTRAINT attempt_rang_at CHECK (length(rang_at) = 26),
    answered_at TEXT CONSTRAINT attempt_answered_at CHECK (length(answered_at) = 26),
    ended_at TEXT CONSTRAINT attempt_ended_at CHECK (length(ended_at) = 26),
    cause TEXT,
    disposition TEXT CONSTRAINT attempt_disposition CHECK (
        disposition IN ('ANSWERED', 'BUSY', 'NO_ANSWER', 'REJECTED', 'INVALID_NUMBER', 'CANCELLED', 'CONGESTION', 'MACHINE',
                        'FAILED', 'UNKNOWN')
    ),
    counts INTEGER CONSTRAINT attempt_counts CHECK (counts IN (0, 1)),
    reason TEXT,
    q850 INTEGER CONSTRAINT attempt_q850 CHECK (q850 >= 0),
    sip_status INTEGER CONSTRAINT attempt_sip_status CHECK (sip_status >= 0),
    sip_disposition TEXT,
    ring_ms INTEGER CONSTRAINT attempt_ring_ms CHECK (ring_ms >= 0),
    talk_ms INTEGER CONSTRAINT attempt_talk_ms CHECK (talk_ms >= 0),
    duration_ms INTEGER CONSTRAINT attempt_duration_ms CHECK (duration_ms >= 0),
    machine INTEGER CONSTRAINT attempt_machine CHECK (machine IN (0, 1)),
    session TEXT CONSTRAINT attempt_session CHECK (session IS NULL OR json_valid(session)),
    UNIQUE (call_uuid),
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
    number TEXT PRIMARY KEY NOT NULL CONSTRAINT do_not_call_number CHECK (
        length(number) BETWEEN 1 AND 64 AND substr(number, 1, 1) GLOB '[+0-9*#]' AND substr(number, 2) NOT GLOB '*[^0-9*#]*'
    ),
    reason TEXT NOT NULL,
    created_at TEXT NOT NULL CONSTRAINT do_not_call_created_at CHECK (length(created_at) = 26)
);

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CONSTRAINT outbox_kind CHECK (kind <> ''),
    campaign_id INTEGER NOT NULL REFERENCES campaign (id),
    attempt_id INTEGER REFERENCES attempt (id),
    payload TEXT NOT NULL CONSTRAINT outbox_payload CHECK (json_valid(payload)),
    status TEXT NOT NULL CONSTRAINT outbox_status CHECK (status IN ('due', 'delivered', 'given_up')),
    tries INTEGER NOT NULL CONSTRAINT outbox_tries CHECK (tries >= 0),
    created_at TEXT NOT NULL CONSTRAINT outbox_created_at CHECK (length(created_at) = 26),
    due_at TEXT NOT NULL CONSTRAINT outbox_due_at CHECK (length(due_at) = 26),
    settled_at TEXT CONSTRAINT outbox_settled_at CHECK (length(settled_at) = 26),
    last_error TEXT NOT NULL,
    CONSTRAINT outbox_settled_has_a_time CHECK ((status = 'due') = (settled_at IS NULL))
);

CREATE INDEX outbox_due ON outbox (due_at, id) WHERE status = 'due';
