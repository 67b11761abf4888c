-- Files of contacts that were uploaded, and how far they are taken: `row_count` moves in the transaction of the contacts. They name
-- their phonebook without referring to it: it may go meanwhile.

CREATE TABLE import_job (
    id {id},
    user_id {integer} NOT NULL REFERENCES user_account (id),
    phonebook_id {integer} NOT NULL,
    name {text} NOT NULL,
    format {text} NOT NULL CONSTRAINT import_job_format CHECK (format IN ('csv', 'json-lines')),
    encoding TEXT NOT NULL,
    encoding_found TEXT NOT NULL,
    mapping TEXT NOT NULL CONSTRAINT import_job_mapping CHECK ({json mapping}),
    region TEXT NOT NULL,
    header {flag} NOT NULL CONSTRAINT import_job_header CHECK (header IN (0, 1)),
    dry_run {flag} NOT NULL CONSTRAINT import_job_dry_run CHECK (dry_run IN (0, 1)),
    state {text} NOT NULL CONSTRAINT import_job_state CHECK (state IN ('queued', 'running', 'finished', 'cancelled', 'failed')),
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
    last_rows {integer} NOT NULL CONSTRAINT import_job_last_rows CHECK (last_rows BETWEEN 0 AND row_count),
    last_faults TEXT NOT NULL CONSTRAINT import_job_last_faults CHECK ({json last_faults}),
    errors_size {integer} NOT NULL CONSTRAINT import_job_errors_size CHECK (errors_size >= 0),
    created_at {moment import_job.created_at NOT NULL},
    started_at {moment import_job.started_at},
    ended_at {moment import_job.ended_at},
    CONSTRAINT import_job_end CHECK ((ended_at IS NULL) = (state IN ('queued', 'running'))),
    {unique import_job_file_key} (file)
);

CREATE INDEX import_job_user ON import_job (user_id, id);
CREATE INDEX import_job_open ON import_job (id) WHERE ended_at IS NULL;
CREATE INDEX import_job_ended ON import_job (ended_at) WHERE ended_at IS NOT NULL;
