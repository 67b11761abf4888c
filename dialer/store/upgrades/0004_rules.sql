-- The settings that no statement reads become keys of one JSON object a row: a new one needs no change of the schema. They are
-- validated by their declaration when they are entered and when they are read.

ALTER TABLE user_account ADD COLUMN rules TEXT NOT NULL DEFAULT '{}' CONSTRAINT user_account_rules CHECK ({json rules});
ALTER TABLE gateway ADD COLUMN rules TEXT NOT NULL DEFAULT '{}' CONSTRAINT gateway_rules CHECK ({json rules});
ALTER TABLE voip_app ADD COLUMN rules TEXT NOT NULL DEFAULT '{}' CONSTRAINT voip_app_rules CHECK ({json rules});
ALTER TABLE phonebook ADD COLUMN rules TEXT NOT NULL DEFAULT '{}' CONSTRAINT phonebook_rules CHECK ({json rules});
ALTER TABLE campaign ADD COLUMN rules TEXT NOT NULL DEFAULT '{}' CONSTRAINT campaign_rules CHECK ({json rules});

UPDATE campaign SET rules = CAST({json_object}(
    'daily_start', daily_start, 'daily_stop', daily_stop,
    'weekdays', {json_array}(monday, tuesday, wednesday, thursday, friday, saturday, sunday),
    'time_zone', time_zone, 'call_max_duration', call_max_duration, 'interval_retry', interval_retry, 'call_timeout', call_timeout, 'caller_id', caller_id, 'caller_name', caller_name, 'unknown_policy', unknown_policy,
    'voip_app_data', voip_app_data
) AS TEXT);

ALTER TABLE campaign DROP COLUMN daily_start;
ALTER TABLE campaign DROP COLUMN daily_stop;
ALTER TABLE campaign DROP COLUMN monday;
ALTER TABLE campaign DROP COLUMN tuesday;
ALTER TABLE campaign DROP COLUMN wednesday;
ALTER TABLE campaign DROP COLUMN thursday;
ALTER TABLE campaign DROP COLUMN friday;
ALTER TABLE campaign DROP COLUMN saturday;
ALTER TABLE campaign DROP COLUMN sunday;
ALTER TABLE campaign DROP COLUMN time_zone;
ALTER TABLE campaign DROP COLUMN call_max_duration;
ALTER TABLE campaign DROP COLUMN interval_retry;
ALTER TABLE campaign DROP COLUMN call_timeout;
ALTER TABLE campaign DROP COLUMN caller_id;
ALTER TABLE campaign DROP COLUMN caller_name;
ALTER TABLE campaign DROP COLUMN unknown_policy;
ALTER TABLE campaign DROP COLUMN voip_app_data;

-- The words of the glossary.
ALTER TABLE subscriber RENAME COLUMN wanted_status TO requested_status;
ALTER TABLE subscriber RENAME COLUMN count_requeue TO free_retries;
ALTER TABLE attempt RENAME COLUMN counts TO counts_as_attempt;
ALTER TABLE attempt RENAME COLUMN record TO pending_cdr;
