-- Why the dialer itself has paused a campaign; empty when somebody did, or when it is not paused.
ALTER TABLE campaign ADD COLUMN pause_reason TEXT NOT NULL DEFAULT '';
