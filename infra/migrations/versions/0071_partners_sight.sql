-- A member who sits on an external seat sees the addresses of a contact once they have a conversation with them, or have
-- brought them themselves; before that only how one looks. docs/decisions/0024
SET LOCAL lock_timeout = '5s';

GRANT SELECT ON contact_handles, events TO getsale_definer;
CREATE POLICY contact_handles_definer ON contact_handles FOR SELECT TO getsale_definer
    USING (organization_id = NULLIF(current_setting('app.organization_id', true), '')::uuid);
CREATE POLICY events_definer ON events FOR SELECT TO getsale_definer
    USING (organization_id = NULLIF(current_setting('app.organization_id', true), '')::uuid);

GRANT CREATE ON SCHEMA public TO getsale_definer;
SET LOCAL ROLE getsale_definer;

-- Whether the eyes are a partner's; one whose seat was put away is one still, until they sit on an internal one.
CREATE FUNCTION is_partner() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(bool_or(b.kind = 'external') AND NOT bool_or(b.kind = 'internal' AND b.archived_at IS NULL), false)
      FROM bidi b
     WHERE b.organization_id = current_organization_id()
       AND b.user_id = sight_person()
$$;

-- Those that one holds oneself, or by a seat or an account of one's own.
CREATE FUNCTION held_conversations() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER ROWS 300 SET search_path = pg_catalog, public, pg_temp AS $$
    -- OFFSET 0 keeps the look-up by index: where few hold many the planner would rather read all
    SELECT held.id
      FROM (SELECT sight_person() UNION ALL SELECT own_seats()) AS holder (id)
     CROSS JOIN LATERAL (
           SELECT c.id
             FROM conversations c
            WHERE c.organization_id = current_organization_id()
              AND c.holder_id = holder.id
           OFFSET 0) AS held
     UNION
    SELECT held.id
      FROM channel_accounts a
     CROSS JOIN LATERAL (
           SELECT c.id
             FROM conversations c
            WHERE c.organization_id = a.organization_id
              AND c.channel_account_id = a.id
           OFFSET 0) AS held
     WHERE a.organization_id = current_organization_id()
       AND a.bidi_id IN (SELECT own_seats())
$$;

-- What others talk about with one's own contacts is no partner's.
CREATE OR REPLACE FUNCTION seen_conversations() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER ROWS 300 SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT held_conversations()
     UNION
    SELECT c.id
      FROM conversations c
     WHERE c.organization_id = current_organization_id()
       AND c.contact_id IN (SELECT own_contacts())
       AND NOT (SELECT is_partner())
$$;

CREATE FUNCTION met_contacts() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER ROWS 300 SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT c.contact_id
      FROM conversations c
     WHERE c.organization_id = current_organization_id()
       AND c.id IN (SELECT held_conversations())
     UNION
    SELECT e.subject_id
      FROM events e
     WHERE e.organization_id = current_organization_id()
       AND e.actor_id = sight_person()
       AND e.type = 'contact.created'
$$;

-- How an address looks: a•••@acme.example, +46 ••• 56, @v•••.
CREATE FUNCTION masked(kind text, value text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT CASE kind
               WHEN 'email' THEN left(value, 1) || '•••@' || split_part(value, '@', 2)
               WHEN 'phone' THEN left(value, 3) || ' ••• ' || right(value, 2)
               WHEN 'telegram_username' THEN left(value, 1) || '•••'
               ELSE '•••'
           END
$$;

-- What a partner is shown of the addresses that they do not see yet; nothing for anybody else.
CREATE FUNCTION masked_handles(wanted_contacts uuid[])
RETURNS TABLE (id uuid, contact_id uuid, kind text, value text, label text, is_primary boolean, created_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT h.id, h.contact_id, h.kind, masked(h.kind, h.value), h.label, h.is_primary, h.created_at
      FROM contact_handles h
     WHERE h.organization_id = current_organization_id()
       AND current_setting('app.visibility', true) = 'assigned'
       AND (SELECT is_partner())
       AND h.contact_id = ANY(wanted_contacts)
       AND h.contact_id IN (SELECT seen_contacts())
       AND h.contact_id NOT IN (SELECT met_contacts())
$$;

REVOKE ALL ON FUNCTION is_partner(), held_conversations(), met_contacts(), masked(text, text), masked_handles(uuid[])
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION is_partner(), held_conversations(), met_contacts(), masked_handles(uuid[])
    TO getsale_app, getsale_worker;
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM getsale_definer;

DROP POLICY contact_handles_sight ON contact_handles;
SELECT limit_by_sight('contact_handles',
    'contact_id IN (SELECT seen_contacts()) AND (NOT (SELECT is_partner()) OR contact_id IN (SELECT met_contacts()))');

-- what was written of addresses, and what they are found and matched by
DROP POLICY event_changes_sight ON event_changes;
SELECT limit_by_sight('event_changes',
    'EXISTS (SELECT FROM events e WHERE (e.organization_id, e.id) = (event_changes.organization_id, event_changes.event_id))
     AND (NOT (SELECT is_partner())
          OR NOT EXISTS (SELECT FROM jsonb_object_keys(event_changes.changes) AS k (name)
                          WHERE k.name ~ ''(email|phone|telegram_id|telegram_username|link)$''))', 'SELECT');
DROP POLICY contact_match_keys_sight ON contact_match_keys;
SELECT limit_by_sight('contact_match_keys',
    'contact_id IN (SELECT seen_contacts()) AND (NOT (SELECT is_partner()) OR contact_id IN (SELECT met_contacts()))');
DROP POLICY contact_matches_sight ON contact_matches;
SELECT limit_by_sight('contact_matches',
    'contact_id IN (SELECT seen_contacts()) AND other_contact_id IN (SELECT seen_contacts()) AND NOT (SELECT is_partner())');
