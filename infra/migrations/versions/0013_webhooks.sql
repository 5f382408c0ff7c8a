-- Scopes of API keys, saved answers, outgoing webhooks.
SET LOCAL lock_timeout = '5s';

-- keys -------------------------------------------------------------------------------------------------------------
-- Without scopes a key may do whatever its person may.
ALTER TABLE api_keys
    ADD COLUMN scopes text[] CHECK (cardinality(scopes) > 0),
    ADD COLUMN expires_at timestamptz;

SET LOCAL ROLE getsale_definer;
DROP FUNCTION api_key_account(bytea);
DROP FUNCTION credentials_in_force(uuid[]);
RESET ROLE;
GRANT CREATE ON SCHEMA public TO getsale_definer;

CREATE FUNCTION api_key_account(wanted_hash bytea)
RETURNS TABLE (key_id uuid, user_id uuid, organization_id uuid, role text, scopes text[], last_used_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT k.id, u.id, k.organization_id, m.role, k.scopes, k.last_used_at
      FROM api_keys k
      JOIN users u ON u.id = k.user_id
      JOIN members m ON m.user_id = k.user_id AND m.organization_id = k.organization_id
     WHERE k.key_hash = wanted_hash
       AND k.revoked_at IS NULL
       AND (k.expires_at IS NULL OR k.expires_at > now())
       AND u.disabled_at IS NULL
$$;

CREATE FUNCTION credentials_in_force(wanted uuid[])
RETURNS TABLE (credential_id uuid, user_id uuid, organization_id uuid, role text, scopes text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT c.id, u.id, c.organization_id, m.role, c.scopes
      FROM (SELECT s.id, s.organization_id, s.user_id, NULL::text[] AS scopes
              FROM sessions s
             WHERE s.id = ANY(wanted)
               AND s.revoked_at IS NULL
               AND s.expires_at > now()
             UNION ALL
            SELECT k.id, k.organization_id, k.user_id, k.scopes
              FROM api_keys k
             WHERE k.id = ANY(wanted)
               AND k.revoked_at IS NULL
               AND (k.expires_at IS NULL OR k.expires_at > now())) AS c
      JOIN users u ON u.id = c.user_id
      JOIN members m ON m.user_id = c.user_id AND m.organization_id = c.organization_id
     WHERE u.disabled_at IS NULL
$$;

REVOKE ALL ON FUNCTION api_key_account(bytea), credentials_in_force(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION api_key_account(bytea), credentials_in_force(uuid[]) TO getsale_app;
-- last: who gives a function away may no longer say who calls it
ALTER FUNCTION api_key_account(bytea) OWNER TO getsale_definer;
ALTER FUNCTION credentials_in_force(uuid[]) OWNER TO getsale_definer;
REVOKE CREATE ON SCHEMA public FROM getsale_definer;

-- saved answers ----------------------------------------------------------------------------------------------------
-- What a POST under an Idempotency-Key came to. Without a status it is being worked on until its lease ends.
CREATE TABLE saved_answers (
    organization_id uuid NOT NULL,
    caller_id uuid NOT NULL,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint bytea NOT NULL,
    fence int NOT NULL DEFAULT 1,
    lease_until timestamptz NOT NULL,
    claimed_at timestamptz NOT NULL,
    status int,
    media_type text,
    content bytea,
    PRIMARY KEY (organization_id, caller_id, key),
    CHECK ((status IS NULL) = (content IS NULL) AND (status IS NULL) = (media_type IS NULL))
);
CREATE INDEX saved_answers_by_age ON saved_answers (organization_id, claimed_at);

-- webhooks ---------------------------------------------------------------------------------------------------------
CREATE TABLE webhooks (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    url text NOT NULL,
    description text NOT NULL DEFAULT '',
    event_types text[] NOT NULL CHECK (cardinality(event_types) > 0),
    is_enabled boolean NOT NULL DEFAULT true,
    disabled_reason text NOT NULL DEFAULT '' CHECK (disabled_reason IN ('', 'gone', 'failing')),
    secret bytea NOT NULL,
    old_secret bytea,
    old_secret_until timestamptz,
    failures int NOT NULL DEFAULT 0,
    failing_since timestamptz,
    version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id)
);

-- One event on its way to one endpoint; a test has no event.
CREATE TABLE webhook_deliveries (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    event_id uuid,
    event_type text NOT NULL,
    payload text NOT NULL,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'failed', 'cancelled')),
    attempts int NOT NULL DEFAULT 0,
    -- how many of the attempts belong to the schedule that is running now: a person may start it again
    tries int NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, webhook_id) REFERENCES webhooks (organization_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX webhook_deliveries_once ON webhook_deliveries (organization_id, webhook_id, event_id)
    WHERE event_id IS NOT NULL;
CREATE INDEX webhook_deliveries_recent ON webhook_deliveries (organization_id, webhook_id, id DESC);
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (organization_id, created_at);

CREATE TABLE webhook_attempts (
    organization_id uuid NOT NULL,
    delivery_id uuid NOT NULL,
    number int NOT NULL,
    started_at timestamptz NOT NULL,
    duration_ms int,
    response_status int,
    response_body text NOT NULL DEFAULT '',
    error text NOT NULL DEFAULT '',
    PRIMARY KEY (organization_id, delivery_id, number),
    FOREIGN KEY (organization_id, delivery_id) REFERENCES webhook_deliveries (organization_id, id) ON DELETE CASCADE
);

SELECT secure_tenant_table('saved_answers'::regclass);
SELECT secure_tenant_table('webhooks'::regclass);
SELECT secure_tenant_table('webhook_deliveries'::regclass);
SELECT secure_tenant_table('webhook_attempts'::regclass);
