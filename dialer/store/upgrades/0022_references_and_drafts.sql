-- A reference names one contact of its phonebook. Of several that had the same, the first keeps it, and the others have their ids
-- in it. And a campaign can be a draft: one that was made, and never started.

UPDATE contact SET reference = substr(reference, 1, 220) || ' (contact ' || id || ')' WHERE id IN (
    SELECT id FROM (
        SELECT id, row_number() OVER (PARTITION BY phonebook_id, reference ORDER BY id) AS place
        FROM contact WHERE reference <> '' AND archived_at IS NULL
    ) AS same WHERE place > 1
);

CREATE UNIQUE INDEX contact_reference_key ON contact (phonebook_id, reference) WHERE reference <> '' AND archived_at IS NULL;

ALTER TABLE campaign ADD COLUMN draft {flag} NOT NULL DEFAULT 0 CONSTRAINT campaign_draft CHECK (draft IN (0, 1));
