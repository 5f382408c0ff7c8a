-- Mails of the product itself, sign-ups that wait for their address, and links for a new password.
SET LOCAL lock_timeout = '5s';

-- `content` is sealed, for links in it let people in, and is gone once the mail is; `mail_id` stands before any attempt.
CREATE TABLE system_mails (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('verification', 'account_exists', 'reset', 'password_changed', 'new_device',
        'second_factor', 'invitation')),
    recipient text NOT NULL,
    subject text NOT NULL,
    content bytea,
    mail_id text NOT NULL,
    status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'attempting', 'sent', 'kept', 'failed', 'unknown')),
    attempts int NOT NULL DEFAULT 0,
    reason text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    PRIMARY KEY (organization_id, id)
);

-- Somebody who has not shown yet that the address is theirs. The organization is one that is not there yet: its id is
-- made here, so that the sign-up belongs to a tenant from the start.
CREATE TABLE sign_ups (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    token_hash bytea NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    password_hash text NOT NULL,
    organization_name text NOT NULL,
    locale text NOT NULL CHECK (locale IN ('en', 'ru')),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, token_hash)
);
CREATE INDEX sign_ups_by_token ON sign_ups (token_hash);

CREATE TABLE password_resets (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, token_hash),
    FOREIGN KEY (organization_id, user_id) REFERENCES members (organization_id, user_id) ON DELETE CASCADE
);
CREATE INDEX password_resets_by_token ON password_resets (token_hash);
CREATE INDEX password_resets_by_user ON password_resets (organization_id, user_id);

SELECT secure_tenant_table(name::regclass)
  FROM unnest(ARRAY['system_mails', 'sign_ups', 'password_resets']) AS tables (name);

-- lookups before a tenant is known ---------------------------------------------------------------------------------
GRANT CREATE ON SCHEMA public TO getsale_definer;
GRANT SELECT ON sign_ups, password_resets TO getsale_definer;
CREATE POLICY sign_ups_definer ON sign_ups FOR SELECT TO getsale_definer USING (true);
CREATE POLICY password_resets_definer ON password_resets FOR SELECT TO getsale_definer USING (true);

SET LOCAL ROLE getsale_definer;
CREATE FUNCTION organization_of_sign_up(wanted_hash bytea)
RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT s.organization_id FROM sign_ups s WHERE s.token_hash = wanted_hash
$$;
CREATE FUNCTION organization_of_reset(wanted_hash bytea)
RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT r.organization_id FROM password_resets r WHERE r.token_hash = wanted_hash
$$;
REVOKE ALL ON FUNCTION organization_of_sign_up(bytea), organization_of_reset(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION organization_of_sign_up(bytea), organization_of_reset(bytea) TO getsale_app;
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM getsale_definer;
