-- How long an organization keeps each kind of what it has; NULL is as long as it is there.
SET LOCAL lock_timeout = '5s';

ALTER TABLE organizations
    ADD COLUMN messages_kept_days int CHECK (messages_kept_days BETWEEN 1 AND 3650),
    ADD COLUMN traces_kept_days int CHECK (traces_kept_days BETWEEN 1 AND 3650),
    ADD COLUMN trash_kept_days int CHECK (trash_kept_days BETWEEN 1 AND 3650),
    ADD COLUMN imports_kept_days int CHECK (imports_kept_days BETWEEN 1 AND 3650),
    ADD COLUMN deliveries_kept_days int CHECK (deliveries_kept_days BETWEEN 1 AND 3650),
    ADD COLUMN sign_ins_kept_days int CHECK (sign_ins_kept_days BETWEEN 1 AND 3650);
