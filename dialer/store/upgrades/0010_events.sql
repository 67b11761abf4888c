-- What happened, for others to hear of: rows that only come and go, written in the transaction of their cause. They name what they
-- are about without referring to it, since they outlive it and must not hold it. The outbox becomes one of the readers: its row
-- in event_consumer says how far it has read.

CREATE TABLE event (
    id {id},
    kind TEXT NOT NULL CONSTRAINT event_kind CHECK (kind <> ''),
    version {integer} NOT NULL CONSTRAINT event_version CHECK (version >= 1),
    at {moment event.at NOT NULL},
    sequence {integer} NOT NULL CONSTRAINT event_sequence CHECK (sequence >= 0),
    user_id {integer},
    campaign_id {integer},
    contact_id {integer},
    attempt_id {integer},
    call_uuid {text} NOT NULL,
    data TEXT NOT NULL CONSTRAINT event_data CHECK ({json data})
);

CREATE TABLE event_consumer (
    id {id},
    name {text} NOT NULL CONSTRAINT event_consumer_name CHECK (name <> ''),
    kinds TEXT NOT NULL,
    position {integer} NOT NULL CONSTRAINT event_consumer_position CHECK (position >= 0),
    holder TEXT NOT NULL,
    held_until {moment event_consumer.held_until},
    expires_at {moment event_consumer.expires_at},
    created_at {moment event_consumer.created_at NOT NULL},
    {unique event_consumer_name_key} (name)
);

INSERT INTO event_consumer (name, kinds, position, holder, created_at)
SELECT 'outcomes', 'attempt.ended', 0, '', max(created_at) FROM outbox HAVING count(*) > 0;

INSERT INTO event (kind, version, at, sequence, user_id, campaign_id, contact_id, attempt_id, call_uuid, data)
SELECT 'attempt.ended', 1, o.created_at, 5, c.user_id, o.campaign_id, s.contact_id, o.attempt_id, coalesce(a.call_uuid, ''), o.payload
FROM outbox o JOIN campaign c ON c.id = o.campaign_id LEFT JOIN attempt a ON a.id = o.attempt_id
LEFT JOIN subscriber s ON s.id = a.subscriber_id WHERE o.status = 'due' ORDER BY o.due_at, o.id;

DROP TABLE outbox;

-- The client's own word for a contact, which each of its events repeats.
ALTER TABLE contact ADD COLUMN reference TEXT NOT NULL DEFAULT '';
