-- Organizations that are closed and, once their time has come, removed from every table.
SET LOCAL lock_timeout = '5s';

-- Closed from the moment on that a time is set; removed when it has come.
ALTER TABLE organizations
    ADD COLUMN deletion_due_at timestamptz,
    ADD COLUMN deletion_asked_at timestamptz,
    ADD COLUMN deletion_asked_by uuid,
    ADD CHECK ((deletion_due_at IS NULL) = (deletion_asked_at IS NULL)),
    ADD CHECK ((deletion_due_at IS NULL) = (deletion_asked_by IS NULL));
CREATE INDEX organizations_closing ON organizations (organization_id) WHERE deletion_due_at IS NOT NULL;

ALTER TABLE system_mails DROP CONSTRAINT system_mails_kind_check;
ALTER TABLE system_mails ADD CONSTRAINT system_mails_kind_check CHECK (kind IN (
    'verification', 'account_exists', 'reset', 'password_changed', 'new_device', 'second_factor', 'invitation',
    'identity', 'identity_linked', 'organization_closed', 'organization_kept'));

-- The functions that let people in read members by this policy: of a closed organization they see its owner only, so
-- that every door is shut at once: sign-ins, sessions, keys, sockets, the switcher.
ALTER POLICY members_definer ON members USING (
    disabled_at IS NULL
    AND removed_at IS NULL
    AND (role = 'owner' OR NOT EXISTS (SELECT FROM organizations o
                                        WHERE o.organization_id = members.organization_id
                                          AND o.deletion_due_at IS NOT NULL)));

GRANT CREATE ON SCHEMA public TO getsale_definer;
SET LOCAL ROLE getsale_definer;
-- What is closed: no work of these is claimed. Ids only.
CREATE FUNCTION closing_organizations()
RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(array_agg(o.organization_id), '{}') FROM organizations o WHERE o.deletion_due_at IS NOT NULL
$$;
-- A webhook of a closed organization's account finds nobody.
CREATE OR REPLACE FUNCTION organization_of_account(account_id uuid)
RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT a.organization_id
      FROM channel_accounts a
      JOIN organizations o ON o.organization_id = a.organization_id
     WHERE a.id = account_id
       AND o.deletion_due_at IS NULL
$$;
-- Nobody joins what is closed.
CREATE OR REPLACE FUNCTION invitation_by_token(wanted_hash bytea)
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
       AND o.deletion_due_at IS NULL
$$;
REVOKE ALL ON FUNCTION closing_organizations() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION closing_organizations() TO getsale_worker;
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM getsale_definer;

-- What hangs on a record keeps it, unless all of it goes at once.
CREATE OR REPLACE FUNCTION keep_referred_record() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('app.removing', true) = OLD.organization_id::text THEN
        RETURN OLD;
    END IF;
    IF EXISTS (SELECT FROM notes WHERE (organization_id, record_kind, record_id) = (OLD.organization_id, TG_ARGV[0], OLD.id))
       OR EXISTS (SELECT FROM tasks WHERE (organization_id, record_kind, record_id) = (OLD.organization_id, TG_ARGV[0], OLD.id))
       OR EXISTS (SELECT FROM meetings WHERE (organization_id, record_kind, record_id) = (OLD.organization_id, TG_ARGV[0], OLD.id))
       OR EXISTS (SELECT FROM files WHERE (organization_id, record_kind, record_id) = (OLD.organization_id, TG_ARGV[0], OLD.id))
    THEN
        RAISE foreign_key_violation USING MESSAGE = format('%s %s has notes, tasks, meetings or files', TG_ARGV[0], OLD.id);
    END IF;
    RETURN OLD;
END $$;

-- Every row of the transaction's own organization, from every table that has any; how many there were. The tables come from
-- the catalogue, so that one which is added later is not forgotten. All go in one statement: foreign keys are checked at its
-- end, when what refers to a row is gone as well, so that no order is needed and circles do no harm. As the owner of the
-- tables, for no login may take events or the audit away; the policies bind it to the one organization all the same.
CREATE FUNCTION remove_organization_rows() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wanted uuid := current_organization_id();
    people uuid[] := (SELECT array_agg(user_id) FROM members WHERE organization_id = wanted);
    person uuid;
    deletions text;
    counts text;
    removed bigint;
BEGIN
    IF wanted IS NULL OR EXISTS (SELECT FROM organizations
                                  WHERE organization_id = wanted
                                    AND (deletion_due_at IS NULL OR deletion_due_at > now())) THEN
        RAISE insufficient_privilege USING MESSAGE = 'this organization is not to be removed';
    END IF;
    PERFORM set_config('app.removing', wanted::text, true);
    SELECT string_agg(format('d%s AS (DELETE FROM %s WHERE organization_id = %L RETURNING 1)', t.place, t.name, wanted), ', '),
           string_agg(format('(SELECT count(*) FROM d%s)', t.place), ' + ')
      INTO deletions, counts
      FROM (SELECT row_number() OVER (ORDER BY c.oid) AS place, c.oid::regclass AS name
              FROM pg_class c
              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped
             WHERE c.relnamespace = 'public'::regnamespace
               AND c.relkind IN ('r', 'p')
               AND NOT c.relispartition) AS t;
    EXECUTE format('WITH %s SELECT %s', deletions, counts) INTO removed;
    -- an account that no other organization refers to belonged to this one alone
    FOREACH person IN ARRAY coalesce(people, '{}') LOOP
        BEGIN
            DELETE FROM users WHERE id = person;
        EXCEPTION WHEN foreign_key_violation THEN
            NULL;
        END;
    END LOOP;
    RETURN removed;
END $$;
REVOKE ALL ON FUNCTION remove_organization_rows() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION remove_organization_rows() TO getsale_worker;
