-- What holds for a whole organization: its working hours, its holidays, and how long it keeps what.
SET LOCAL lock_timeout = '5s';

ALTER TABLE organizations
    ADD COLUMN working_hours jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(working_hours) = 'object'),
    ADD COLUMN holidays date[] NOT NULL DEFAULT '{}' CHECK (cardinality(holidays) <= 400),
    -- none: as long as the organization is there
    ADD COLUMN notifications_kept_days int CHECK (notifications_kept_days BETWEEN 1 AND 3650),
    ADD COLUMN chats_kept_days int CHECK (chats_kept_days BETWEEN 1 AND 3650),
    ADD COLUMN version int NOT NULL DEFAULT 1;
