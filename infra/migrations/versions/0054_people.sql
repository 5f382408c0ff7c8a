-- Invitations, members who are disabled or have left, and the organizations of one person.
SET LOCAL lock_timeout = '5s';

-- Whoever has left stays as a row: what they wrote and decided goes on having a name.
ALTER TABLE members
    ADD COLUMN disabled_at timestamptz,
    ADD COLUMN removed_at timestamptz;

-- The functions that let people in read members by this policy: to all of them, whoever is disabled or has left is
-- nobody, whatever other functions are added later.
ALTER POLICY members_definer ON members USING (disabled_at IS NULL AND removed_at IS NULL);

CREATE TABLE invitations (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    -- none: whoever has the link
    email text CHECK (email = lower(email)),
    role text NOT NULL CHECK (role IN ('admin', 'supervisor', 'bidi', 'viewer')),
    token_hash bytea NOT NULL,
    invited_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    accepted_at timestamptz,
    accepted_by uuid,
    revoked_at timestamptz,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, invited_by) REFERENCES members (organization_id, user_id),
    FOREIGN KEY (organization_id, accepted_by) REFERENCES members (organization_id, user_id),
    CHECK ((accepted_at IS NULL) = (accepted_by IS NULL)),
    CHECK (accepted_at IS NULL OR revoked_at IS NULL)
);
-- One open invitation per address.
CREATE UNIQUE INDEX invitations_open ON invitations (organization_id, email)
    WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE INDEX invitations_by_token ON invitations (token_hash);
SELECT secure_tenant_table('invitations'::regclass);

-- lookups before a tenant is known ---------------------------------------------------------------------------------
GRANT CREATE ON SCHEMA public TO getsale_definer;
GRANT SELECT ON invitations TO getsale_definer;
CREATE POLICY invitations_definer ON invitations FOR SELECT TO getsale_definer USING (true);

SET LOCAL ROLE getsale_definer;
-- What the holder of a link is asked to join.
CREATE FUNCTION invitation_by_token(wanted_hash bytea)
RETURNS TABLE (invitation_id uuid, organization_id uuid, organization_name text, email text, role text,
               inviter text, expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT i.id, i.organization_id, o.name, i.email, i.role, m.name, i.expires_at
      FROM invitations i
      JOIN organizations o ON o.organization_id = i.organization_id
      JOIN members m ON m.organization_id = i.organization_id AND m.user_id = i.invited_by
     WHERE i.token_hash = wanted_hash
       AND i.accepted_at IS NULL
       AND i.revoked_at IS NULL
$$;

-- Where one person is a member: what the switcher offers, and what it may switch to.
CREATE FUNCTION organizations_of_user(wanted_user uuid)
RETURNS TABLE (organization_id uuid, slug text, name text, role text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT o.organization_id, o.slug, o.name, m.role
      FROM members m
      JOIN organizations o ON o.organization_id = m.organization_id
     WHERE m.user_id = wanted_user
     ORDER BY o.name, o.organization_id
$$;
REVOKE ALL ON FUNCTION invitation_by_token(bytea), organizations_of_user(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION invitation_by_token(bytea), organizations_of_user(uuid) TO getsale_app;
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM getsale_definer;
CREATE INDEX members_by_user ON members (user_id);
