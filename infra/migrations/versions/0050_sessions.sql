-- Sessions that say where they are used, sessions of programs, and what ends all of a person's at once.
SET LOCAL lock_timeout = '5s';

-- A page's session is known by its cookie; a program's has none: it is the family of its refresh tokens.
ALTER TABLE sessions
    ADD COLUMN kind text NOT NULL DEFAULT 'page' CHECK (kind IN ('page', 'program')),
    ADD COLUMN device text NOT NULL DEFAULT '',
    ADD COLUMN address text NOT NULL DEFAULT '',
    ADD COLUMN last_seen_at timestamptz NOT NULL DEFAULT now(),
    ALTER COLUMN token_hash DROP NOT NULL,
    ADD CHECK ((kind = 'page') = (token_hash IS NOT NULL));
CREATE INDEX sessions_by_user ON sessions (organization_id, user_id);

-- What was opened before this moment is over, in every organization (users) or in one (members).
ALTER TABLE users
    ADD COLUMN signed_out_before timestamptz,
    ADD COLUMN time_zone text NOT NULL DEFAULT '';
ALTER TABLE members ADD COLUMN signed_out_before timestamptz;
GRANT SELECT (time_zone, signed_out_before), UPDATE (password_hash, time_zone) ON users TO getsale_app, getsale_worker;

-- Held by the database, so that no action which changes a role or a password can forget it.
CREATE FUNCTION sign_out() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.signed_out_before := now();
    RETURN NEW;
END $$;
CREATE TRIGGER users_sign_out BEFORE UPDATE ON users
    FOR EACH ROW WHEN (NEW.password_hash <> OLD.password_hash OR NEW.disabled_at IS DISTINCT FROM OLD.disabled_at)
    EXECUTE FUNCTION sign_out();
CREATE TRIGGER members_sign_out BEFORE UPDATE ON members
    FOR EACH ROW WHEN (NEW.role <> OLD.role)
    EXECUTE FUNCTION sign_out();

-- The chain of refresh tokens of a program's session: each is used once and names the one that came of it.
CREATE TABLE refresh_tokens (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    session_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    child_id uuid,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, token_hash),
    FOREIGN KEY (organization_id, session_id) REFERENCES sessions (organization_id, id) ON DELETE CASCADE,
    CHECK ((used_at IS NULL) = (child_id IS NULL))
);
CREATE INDEX refresh_tokens_by_hash ON refresh_tokens (token_hash);
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (organization_id, session_id);
SELECT secure_tenant_table('refresh_tokens'::regclass);

-- lookups before a tenant is known ---------------------------------------------------------------------------------
GRANT CREATE ON SCHEMA public TO getsale_definer;
GRANT SELECT ON refresh_tokens TO getsale_definer;
CREATE POLICY refresh_tokens_definer ON refresh_tokens FOR SELECT TO getsale_definer USING (true);

SET LOCAL ROLE getsale_definer;
DROP FUNCTION session_account(bytea);
CREATE FUNCTION session_account(session_token_hash bytea)
RETURNS TABLE (session_id uuid, user_id uuid, organization_id uuid, member_id uuid, role text, name text, email text,
               locale text, time_zone text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT s.id, u.id, s.organization_id, m.id, m.role, u.name, u.email, u.locale, u.time_zone
      FROM sessions s
      JOIN users u ON u.id = s.user_id
      JOIN members m ON m.user_id = s.user_id AND m.organization_id = s.organization_id
     WHERE s.token_hash = session_token_hash
       AND s.revoked_at IS NULL
       AND s.expires_at > now()
       AND s.created_at >= coalesce(greatest(u.signed_out_before, m.signed_out_before), s.created_at)
       AND u.disabled_at IS NULL
$$;

DROP FUNCTION credentials_in_force(uuid[]);
CREATE FUNCTION credentials_in_force(wanted uuid[])
RETURNS TABLE (credential_id uuid, user_id uuid, organization_id uuid, role text, scopes text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT s.id, u.id, s.organization_id, m.role, NULL::text[]
      FROM sessions s
      JOIN users u ON u.id = s.user_id
      JOIN members m ON m.user_id = s.user_id AND m.organization_id = s.organization_id
     WHERE s.id = ANY(wanted)
       AND s.revoked_at IS NULL
       AND s.expires_at > now()
       AND s.created_at >= coalesce(greatest(u.signed_out_before, m.signed_out_before), s.created_at)
       AND u.disabled_at IS NULL
     UNION ALL
    SELECT k.id, u.id, k.organization_id, m.role, k.scopes
      FROM api_keys k
      JOIN users u ON u.id = k.user_id
      JOIN members m ON m.user_id = k.user_id AND m.organization_id = k.organization_id
     WHERE k.id = ANY(wanted)
       AND k.revoked_at IS NULL
       AND (k.expires_at IS NULL OR k.expires_at > now())
       AND u.disabled_at IS NULL
$$;

CREATE FUNCTION refresh_token_holder(wanted_hash bytea)
RETURNS TABLE (token_id uuid, organization_id uuid, user_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT t.id, t.organization_id, s.user_id
      FROM refresh_tokens t
      JOIN sessions s ON s.organization_id = t.organization_id AND s.id = t.session_id
     WHERE t.token_hash = wanted_hash
$$;
REVOKE ALL ON FUNCTION session_account(bytea), credentials_in_force(uuid[]), refresh_token_holder(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION session_account(bytea), credentials_in_force(uuid[]), refresh_token_holder(bytea)
    TO getsale_app;
GRANT EXECUTE ON FUNCTION session_account(bytea) TO getsale_worker;
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM getsale_definer;
