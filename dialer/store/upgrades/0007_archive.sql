-- What is removed and has attempts stays for their sake: archived, in no list, never called. Its name is free again, since an
-- archived row has another one: `spring (removed 7)`, a contact's number `+15551230001#*42`.

ALTER TABLE user_account ADD COLUMN archived_at {moment user_account.archived_at};
ALTER TABLE campaign ADD COLUMN archived_at {moment campaign.archived_at};
ALTER TABLE phonebook ADD COLUMN archived_at {moment phonebook.archived_at};
ALTER TABLE contact ADD COLUMN archived_at {moment contact.archived_at};

DROP INDEX contact_identity_key;
CREATE UNIQUE INDEX contact_identity_key ON contact (phonebook_id, identity) WHERE double_of IS NULL AND archived_at IS NULL;
