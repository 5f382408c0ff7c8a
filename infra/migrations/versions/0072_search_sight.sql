-- The box finds what hangs on a record by ids of its own; sight knew the records' only, so that nobody who sees just
-- what is assigned to them found a note, a file, a task, a meeting or a document. docs/decisions/0024
SET LOCAL lock_timeout = '5s';

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['notes', 'files', 'tasks'] LOOP
        EXECUTE format('GRANT SELECT ON %I TO getsale_definer', name);
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT TO getsale_definer'
                       ' USING (organization_id = NULLIF(current_setting(''app.organization_id'', true), '''')::uuid)',
                       name || '_definer', name);
    END LOOP;
END $$;

GRANT CREATE ON SCHEMA public TO getsale_definer;
SET LOCAL ROLE getsale_definer;

-- All that the box may find, but for messages, which are told by their conversation, and documents, which are everybody's.
CREATE FUNCTION seen_findings() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1000 SET search_path = pg_catalog, public, pg_temp AS $$
    WITH records AS MATERIALIZED (SELECT seen_records() AS id)
    SELECT id FROM records
     UNION ALL
    SELECT seen_meetings()
     UNION ALL
    SELECT n.id
      FROM notes n
     WHERE n.organization_id = current_organization_id()
       AND n.record_id IN (SELECT id FROM records)
     UNION ALL
    SELECT f.id
      FROM files f
     WHERE f.organization_id = current_organization_id()
       AND f.record_id IN (SELECT id FROM records)
     UNION ALL
    SELECT t.id
      FROM tasks t
     WHERE t.organization_id = current_organization_id()
       AND (t.assignee_id = (SELECT own_member()) OR t.created_by_id IN (sight_person(), sight_seat())
            OR t.record_id IN (SELECT id FROM records))
$$;
REVOKE ALL ON FUNCTION seen_findings() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION seen_findings() TO getsale_app, getsale_worker;
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM getsale_definer;

-- Nor is anybody found by an address that is masked: to ask for it would be to have it confirmed.
DROP POLICY search_entries_sight ON search_entries;
SELECT limit_by_sight('search_entries',
    'CASE WHEN kind = ''document'' THEN true
          WHEN thread_id IS NOT NULL THEN thread_id IN (SELECT seen_conversations())
          ELSE record_id IN (SELECT seen_findings())
               AND (kind <> ''contact'' OR NOT (SELECT is_partner()) OR record_id IN (SELECT met_contacts()))
     END');
DROP POLICY search_postings_sight ON search_postings;
SELECT limit_by_sight('search_postings',
    'CASE WHEN kind = ''document'' THEN true
          WHEN thread_id IS NOT NULL THEN thread_id IN (SELECT seen_conversations())
          ELSE record_id IN (SELECT seen_findings())
               AND (rank <> 1 OR kind <> ''contact'' OR NOT (SELECT is_partner()) OR record_id IN (SELECT met_contacts()))
     END');
