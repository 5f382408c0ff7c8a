-- API keys and what the public API keeps.
SET LOCAL lock_timeout = '5s';

CREATE TABLE api_keys (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    name text NOT NULL DEFAULT '',
    prefix text NOT NULL,
    key_hash bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, key_hash),
    FOREIGN KEY (organization_id, user_id) REFERENCES members (organization_id, user_id)
);
CREATE UNIQUE INDEX api_keys_by_hash ON api_keys (key_hash);
CREATE UNIQUE INDEX api_keys_by_id ON api_keys (id);
CREATE INDEX sessions_by_id ON sessions (id);
CREATE INDEX api_keys_by_user ON api_keys (organization_id, user_id);

SELECT secure_tenant_table('api_keys'::regclass);

-- lookups before a tenant is known ---------------------------------------------------------------------------------
GRANT CREATE ON SCHEMA public TO getsale_definer;
GRANT SELECT ON api_keys TO getsale_definer;
CREATE POLICY api_keys_definer ON api_keys FOR SELECT TO getsale_definer USING (true);

-- The key's person as session_account() gives a session's.
CREATE FUNCTION api_key_account(wanted_hash bytea)
RETURNS TABLE (key_id uuid, user_id uuid, organization_id uuid, role text, last_used_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT k.id, u.id, k.organization_id, m.role, k.last_used_at
      FROM api_keys k
      JOIN users u ON u.id = k.user_id
      JOIN members m ON m.user_id = k.user_id AND m.organization_id = k.organization_id
     WHERE k.key_hash = wanted_hash
       AND k.revoked_at IS NULL
       AND u.disabled_at IS NULL
$$;

-- Which of these sessions and keys still let somebody in: one question for every open socket of a process.
CREATE FUNCTION credentials_in_force(wanted uuid[])
RETURNS TABLE (credential_id uuid, user_id uuid, organization_id uuid, role text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT c.id, u.id, c.organization_id, m.role
      FROM (SELECT s.id, s.organization_id, s.user_id
              FROM sessions s
             WHERE s.id = ANY(wanted)
               AND s.revoked_at IS NULL
               AND s.expires_at > now()
             UNION ALL
            SELECT k.id, k.organization_id, k.user_id
              FROM api_keys k
             WHERE k.id = ANY(wanted)
               AND k.revoked_at IS NULL) AS c
      JOIN users u ON u.id = c.user_id
      JOIN members m ON m.user_id = c.user_id AND m.organization_id = c.organization_id
     WHERE u.disabled_at IS NULL
$$;

CREATE FUNCTION organization_of_api_key(wanted uuid)
RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT k.organization_id FROM api_keys k WHERE k.id = wanted
$$;

REVOKE ALL ON FUNCTION api_key_account(bytea), credentials_in_force(uuid[]), organization_of_api_key(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_key_account(bytea), credentials_in_force(uuid[]), organization_of_api_key(uuid)
    TO getsale_app;
-- last: who gives a function away may no longer say who calls it
ALTER FUNCTION api_key_account(bytea) OWNER TO getsale_definer;
ALTER FUNCTION credentials_in_force(uuid[]) OWNER TO getsale_definer;
ALTER FUNCTION organization_of_api_key(uuid) OWNER TO getsale_definer;
REVOKE CREATE ON SCHEMA public FROM getsale_definer;
