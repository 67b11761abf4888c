-- The identity of a number (see `dialer.numbering`) beside the number as it was entered. It is filled in behind this step, for
-- the region of the installation and those of the phonebooks. A contact that turns out to be another one of its phonebook in
-- another spelling stays, and says so: it is called as that one.

ALTER TABLE installation ADD COLUMN region TEXT NOT NULL DEFAULT '';
ALTER TABLE contact ADD COLUMN identity {text} NOT NULL DEFAULT '';
ALTER TABLE contact ADD COLUMN double_of {integer} REFERENCES contact (id);
ALTER TABLE subscriber ADD COLUMN identity {text} NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN identity {text} NOT NULL DEFAULT '';
ALTER TABLE do_not_call ADD COLUMN identity {text} NOT NULL DEFAULT '';

CREATE INDEX contact_double ON contact (double_of) WHERE double_of IS NOT NULL;
