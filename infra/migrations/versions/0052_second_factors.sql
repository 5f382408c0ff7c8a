-- A second factor for whoever turns it on, with recovery codes. Like a password they are a person's, whichever of their
-- organizations they are in: no organization that removes somebody may take their second factor away.
SET LOCAL lock_timeout = '5s';

-- `last_step` is the newest step of time whose code was used: an older or equal one is never good again.
CREATE TABLE second_factors (
    user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret bytea NOT NULL,
    last_step bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    confirmed_at timestamptz
);

CREATE TABLE recovery_codes (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    code_hash bytea NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (user_id, id),
    UNIQUE (user_id, code_hash)
);

-- As with users: only the organizations that somebody is a member of come near.
ALTER TABLE second_factors ENABLE ROW LEVEL SECURITY;
ALTER TABLE second_factors FORCE ROW LEVEL SECURITY;
ALTER TABLE recovery_codes ENABLE ROW LEVEL SECURITY;
ALTER TABLE recovery_codes FORCE ROW LEVEL SECURITY;
CREATE POLICY second_factors_of_members ON second_factors TO getsale_app
    USING (EXISTS (SELECT FROM members m
                    WHERE m.organization_id = current_organization_id() AND m.user_id = second_factors.user_id))
    WITH CHECK (EXISTS (SELECT FROM members m
                    WHERE m.organization_id = current_organization_id() AND m.user_id = second_factors.user_id));
CREATE POLICY recovery_codes_of_members ON recovery_codes TO getsale_app
    USING (EXISTS (SELECT FROM members m
                    WHERE m.organization_id = current_organization_id() AND m.user_id = recovery_codes.user_id))
    WITH CHECK (EXISTS (SELECT FROM members m
                    WHERE m.organization_id = current_organization_id() AND m.user_id = recovery_codes.user_id));
CREATE POLICY second_factors_migrator ON second_factors TO getsale_migrator USING (true) WITH CHECK (true);
CREATE POLICY recovery_codes_migrator ON recovery_codes TO getsale_migrator USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON second_factors, recovery_codes TO getsale_app;
