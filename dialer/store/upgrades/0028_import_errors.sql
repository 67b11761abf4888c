-- The rows that an import refused stand in the database, so that every node can give them; they are written in the transaction of the
-- chunk that they are from. An import can wait to be started (`draft`), with the first rows of its file; it may go onto a do-not-call list,
-- and contacts that are there already can be changed by it. Imports that have not ended begin anew: what they took is there already.
-- Refused rows of those that have ended were files of one node, and are not taken over.

-- only sqlite
ALTER TABLE import_job RENAME TO import_job_before;
CREATE TABLE import_job (
    id {id},
    user_id {integer} NOT NULL REFERENCES user_account (id),
    phonebook_id {integer},
    name {text} NOT NULL,
    format {text} NOT NULL CONSTRAINT import_job_format CHECK (format IN ('csv', 'json-lines')),
    encoding TEXT NOT NULL,
    encoding_found TEXT NOT NULL,
    mapping TEXT NOT NULL CONSTRAINT import_job_mapping CHECK ({json mapping}),
    region TEXT NOT NULL,
    header {flag} NOT NULL CONSTRAINT import_job_header CHECK (header IN (0, 1)),
    dry_run {flag} NOT NULL CONSTRAINT import_job_dry_run CHECK (dry_run IN (0, 1)),
    state {text} NOT NULL
        CONSTRAINT import_job_state CHECK (state IN ('draft', 'queued', 'running', 'finished', 'cancelled', 'failed')),
    problem TEXT NOT NULL,
    size {integer} NOT NULL CONSTRAINT import_job_size CHECK (size >= 0),
    size_read {integer} NOT NULL CONSTRAINT import_job_size_read CHECK (size_read >= 0),
    row_count {integer} NOT NULL CONSTRAINT import_job_row_count CHECK (row_count >= 0),
    taken {integer} NOT NULL CONSTRAINT import_job_taken CHECK (taken >= 0),
    already_there {integer} NOT NULL CONSTRAINT import_job_already_there CHECK (already_there >= 0),
    duplicates {integer} NOT NULL CONSTRAINT import_job_duplicates CHECK (duplicates >= 0),
    refused {integer} NOT NULL CONSTRAINT import_job_refused CHECK (refused >= 0),
    reasons TEXT NOT NULL CONSTRAINT import_job_reasons CHECK ({json reasons}),
    file {text} NOT NULL CONSTRAINT import_job_file CHECK (file <> ''),
    node TEXT NOT NULL,
    holder TEXT NOT NULL,
    held_until {moment import_job.held_until},
    errors_size {integer} NOT NULL CONSTRAINT import_job_errors_size CHECK (errors_size >= 0),
    created_at {moment import_job.created_at NOT NULL},
    started_at {moment import_job.started_at},
    ended_at {moment import_job.ended_at},
    list_id {integer} REFERENCES do_not_call_list (id),
    doubles {text} NOT NULL CONSTRAINT import_job_doubles CHECK (doubles IN ('keep', 'change')),
    changed {integer} NOT NULL CONSTRAINT import_job_changed CHECK (changed BETWEEN 0 AND already_there),
    errors_left_out {integer} NOT NULL CONSTRAINT import_job_errors_left_out CHECK (errors_left_out >= 0),
    sample TEXT NOT NULL CONSTRAINT import_job_sample CHECK ({json sample}),
    added_by {text} NOT NULL,
    CONSTRAINT import_job_end CHECK ((ended_at IS NULL) = (state IN ('draft', 'queued', 'running'))),
    CONSTRAINT import_job_target CHECK ((phonebook_id IS NULL) <> (list_id IS NULL)),
    {unique import_job_file_key} (file)
);
INSERT INTO import_job
SELECT id, user_id, phonebook_id, name, format, encoding, encoding_found, mapping, region, header, dry_run, state, problem, size,
    size_read, row_count, taken, already_there, duplicates, refused, reasons, file, node, holder, held_until, 0, created_at,
    started_at, ended_at, NULL, 'keep', 0, 0, '[]', ''
FROM import_job_before ORDER BY id;
DELETE FROM sqlite_sequence WHERE name = 'import_job';
INSERT INTO sqlite_sequence (name, seq) SELECT 'import_job', seq FROM sqlite_sequence WHERE name = 'import_job_before';
DROP TABLE import_job_before;
CREATE INDEX import_job_user ON import_job (user_id, id);
CREATE INDEX import_job_ended ON import_job (ended_at) WHERE ended_at IS NOT NULL;
-- only postgresql
DROP INDEX import_job_open;
ALTER TABLE import_job DROP COLUMN last_rows, DROP COLUMN last_faults;
ALTER TABLE import_job ALTER COLUMN phonebook_id DROP NOT NULL;
ALTER TABLE import_job DROP CONSTRAINT import_job_state, DROP CONSTRAINT import_job_end;
ALTER TABLE import_job
    ADD COLUMN list_id {integer} REFERENCES do_not_call_list (id),
    ADD COLUMN doubles {text} NOT NULL DEFAULT 'keep' CONSTRAINT import_job_doubles CHECK (doubles IN ('keep', 'change')),
    ADD COLUMN changed {integer} NOT NULL DEFAULT 0 CONSTRAINT import_job_changed CHECK (changed BETWEEN 0 AND already_there),
    ADD COLUMN errors_left_out {integer} NOT NULL DEFAULT 0 CONSTRAINT import_job_errors_left_out CHECK (errors_left_out >= 0),
    ADD COLUMN sample TEXT NOT NULL DEFAULT '[]' CONSTRAINT import_job_sample CHECK ({json sample}),
    ADD COLUMN added_by {text} NOT NULL DEFAULT '',
    ADD CONSTRAINT import_job_state CHECK (state IN ('draft', 'queued', 'running', 'finished', 'cancelled', 'failed')),
    ADD CONSTRAINT import_job_end CHECK ((ended_at IS NULL) = (state IN ('draft', 'queued', 'running'))),
    ADD CONSTRAINT import_job_target CHECK ((phonebook_id IS NULL) <> (list_id IS NULL));
ALTER TABLE import_job
    ALTER COLUMN doubles DROP DEFAULT, ALTER COLUMN changed DROP DEFAULT, ALTER COLUMN errors_left_out DROP DEFAULT,
    ALTER COLUMN sample DROP DEFAULT, ALTER COLUMN added_by DROP DEFAULT;
UPDATE import_job SET errors_size = 0;
-- both
CREATE INDEX import_job_open ON import_job (id) WHERE state IN ('queued', 'running');
CREATE INDEX import_job_draft ON import_job (created_at) WHERE state = 'draft';
UPDATE import_job SET state = 'queued', row_count = 0, size_read = 0, taken = 0, already_there = 0, duplicates = 0, refused = 0,
    reasons = '{}', held_until = NULL WHERE ended_at IS NULL;

CREATE TABLE import_error (
    id {id of many},
    import_id {integer} NOT NULL REFERENCES import_job (id) ON DELETE CASCADE,
-- only sqlite
    content BLOB NOT NULL
-- only postgresql
    content BYTEA NOT NULL
-- both
);
CREATE INDEX import_error_import ON import_error (import_id, id);
