-- Runs are looked at by who worked and by what they changed; one whose changes were taken back says so.
SET LOCAL lock_timeout = '5s';

ALTER TABLE runs
    ADD COLUMN reverted_at timestamptz,
    ADD COLUMN reverted_by uuid;
CREATE INDEX runs_by_seat ON runs (organization_id, bidi_id, id);
CREATE INDEX events_by_run ON events (organization_id, run_id, id) WHERE run_id IS NOT NULL;
CREATE INDEX drafts_by_run ON drafts (organization_id, run_id) WHERE run_id IS NOT NULL;
