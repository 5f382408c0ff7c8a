-- People who are let in by an issuer of OpenID Connect, and sign-ins that lead where somebody was last.
SET LOCAL lock_timeout = '5s';

-- An organization's own issuer, one at most; `client_secret` is sealed. Whoever has an address under `domain` may join.
CREATE TABLE identity_providers (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    issuer text NOT NULL,
    client_id text NOT NULL,
    client_secret bytea NOT NULL,
    domain text CHECK (domain = lower(domain)),
    role text NOT NULL DEFAULT 'viewer' CHECK (role IN ('supervisor', 'bidi', 'viewer')),
    version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id)
);
SELECT secure_tenant_table('identity_providers'::regclass);

-- Like a password an identity is a person's, whichever of their organizations they are in; but one that an
-- organization's own issuer vouches for (`provider_of`) is good there only, and is seen there only.
CREATE TABLE identities (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    provider_of uuid REFERENCES organizations (organization_id) ON DELETE CASCADE,
    issuer text NOT NULL,
    subject text NOT NULL,
    email text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, id),
    UNIQUE NULLS NOT DISTINCT (provider_of, issuer, subject)
);
ALTER TABLE identities ENABLE ROW LEVEL SECURITY;
ALTER TABLE identities FORCE ROW LEVEL SECURITY;
CREATE POLICY identities_of_members ON identities TO getsale_app
    USING ((provider_of IS NULL OR provider_of = current_organization_id())
           AND EXISTS (SELECT FROM members m
                        WHERE m.organization_id = current_organization_id() AND m.user_id = identities.user_id))
    WITH CHECK ((provider_of IS NULL OR provider_of = current_organization_id())
           AND EXISTS (SELECT FROM members m
                        WHERE m.organization_id = current_organization_id() AND m.user_id = identities.user_id));
CREATE POLICY identities_migrator ON identities TO getsale_migrator USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON identities TO getsale_app;

-- Whom an organization's own issuer has let in goes nowhere else from there, and changes nothing of the account: the
-- issuer is as good as its administrators, and they are nobody elsewhere.
ALTER TABLE sessions ADD COLUMN is_confined boolean NOT NULL DEFAULT false;

ALTER TABLE system_mails DROP CONSTRAINT system_mails_kind_check;
ALTER TABLE system_mails ADD CONSTRAINT system_mails_kind_check CHECK (kind IN (
    'verification', 'account_exists', 'reset', 'password_changed', 'new_device', 'second_factor', 'invitation',
    'identity', 'identity_linked'));

-- lookups before a tenant is known ---------------------------------------------------------------------------------
GRANT CREATE ON SCHEMA public TO getsale_definer;
GRANT SELECT ON identities TO getsale_definer;
CREATE POLICY identities_definer ON identities FOR SELECT TO getsale_definer USING (true);

SET LOCAL ROLE getsale_definer;
-- Whoever is in several organizations comes to the one where they were last.
CREATE OR REPLACE FUNCTION login_account(login_email text)
RETURNS TABLE (user_id uuid, password_hash text, organization_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT u.id, u.password_hash, m.organization_id
      FROM users u
      JOIN members m ON m.user_id = u.id
     WHERE u.email = lower(login_email)
       AND u.disabled_at IS NULL
     ORDER BY (SELECT max(s.last_seen_at)
                 FROM sessions s
                WHERE s.organization_id = m.organization_id AND s.user_id = u.id) DESC NULLS LAST,
              m.created_at, m.organization_id
     LIMIT 1
$$;

-- Whom an issuer vouches for: in the organization whose own it is, or where they were last.
CREATE FUNCTION identity_account(wanted_provider uuid, wanted_issuer text, wanted_subject text)
RETURNS TABLE (email text, user_id uuid, password_hash text, organization_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT u.email, u.id, u.password_hash, m.organization_id
      FROM identities i
      JOIN users u ON u.id = i.user_id
      JOIN members m ON m.user_id = u.id
     WHERE i.provider_of IS NOT DISTINCT FROM wanted_provider
       AND i.issuer = wanted_issuer
       AND i.subject = wanted_subject
       AND u.disabled_at IS NULL
       AND (wanted_provider IS NULL OR m.organization_id = wanted_provider)
     ORDER BY (SELECT max(s.last_seen_at)
                 FROM sessions s
                WHERE s.organization_id = m.organization_id AND s.user_id = u.id) DESC NULLS LAST,
              m.created_at, m.organization_id
     LIMIT 1
$$;

DROP FUNCTION session_account(bytea);
CREATE FUNCTION session_account(session_token_hash bytea)
RETURNS TABLE (session_id uuid, user_id uuid, organization_id uuid, member_id uuid, role text, name text, email text,
               locale text, time_zone text, is_confined boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT s.id, u.id, s.organization_id, m.id, m.role, u.name, u.email, u.locale, u.time_zone, s.is_confined
      FROM sessions s
      JOIN users u ON u.id = s.user_id
      JOIN members m ON m.user_id = s.user_id AND m.organization_id = s.organization_id
     WHERE s.token_hash = session_token_hash
       AND s.revoked_at IS NULL
       AND s.expires_at > now()
       AND s.created_at >= coalesce(greatest(u.signed_out_before, m.signed_out_before), s.created_at)
       AND u.disabled_at IS NULL
$$;
REVOKE ALL ON FUNCTION identity_account(uuid, text, text), session_account(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION identity_account(uuid, text, text), session_account(bytea) TO getsale_app;
GRANT EXECUTE ON FUNCTION session_account(bytea) TO getsale_worker;
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM getsale_definer;
