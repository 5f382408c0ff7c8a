-- Sight: whoever sees only what is assigned to them (app.visibility = 'assigned') sees nothing else of any table, by
-- restrictive policies. Whoever sees all pays for one comparison a statement. docs/decisions/0024
SET LOCAL lock_timeout = '5s';

-- Whose eyes: the member who acts, whom the seat that does works for, or who answers for it. core.db sets it.
CREATE FUNCTION sight_person() RETURNS uuid
LANGUAGE sql STABLE AS
$$ SELECT NULLIF(current_setting('app.person_id', true), '')::uuid $$;

-- the seat that acts in its own name
CREATE FUNCTION sight_seat() RETURNS uuid
LANGUAGE sql STABLE AS
$$ SELECT NULLIF(current_setting('app.seat_id', true), '')::uuid $$;

-- who owns and who works a record is looked up in every statement of such a member
CREATE INDEX contacts_of_owner ON contacts (organization_id, owner_id) WHERE owner_id IS NOT NULL;
CREATE INDEX contacts_of_bidi ON contacts (organization_id, bidi_id) WHERE bidi_id IS NOT NULL;
CREATE INDEX companies_of_owner ON companies (organization_id, owner_id) WHERE owner_id IS NOT NULL;
CREATE INDEX deals_of_owner ON deals (organization_id, owner_id) WHERE owner_id IS NOT NULL;
CREATE INDEX deals_of_bidi ON deals (organization_id, bidi_id) WHERE bidi_id IS NOT NULL;
CREATE INDEX leads_of_owner ON leads (organization_id, owner_id) WHERE owner_id IS NOT NULL;
CREATE INDEX leads_of_bidi ON leads (organization_id, bidi_id) WHERE bidi_id IS NOT NULL;

-- what is seen ------------------------------------------------------------------------------------------------------
-- Policies that read each other's tables never end, so the ids come from functions whose owner is bound by the tenant
-- only. A policy asks one as IN (SELECT ...): a hashed subplan, made at most once a statement and not at all for whoever
-- sees everything. It is of the time before the statement, so that a record may be handed away, and then is gone.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['bidi', 'companies', 'contacts', 'conversations', 'deals', 'deal_stakeholders', 'leads',
        'meetings', 'meeting_contacts', 'meeting_members', 'copilot_chats', 'copilot_questions', 'tool_visits'] LOOP
        EXECUTE format('GRANT SELECT ON %I TO getsale_definer', name);
        EXECUTE format('CREATE POLICY %I ON %I FOR SELECT TO getsale_definer'
                       ' USING (organization_id = NULLIF(current_setting(''app.organization_id'', true), '''')::uuid)',
                       name || '_definer', name);
    END LOOP;
END $$;

GRANT CREATE ON SCHEMA public TO getsale_definer;
SET LOCAL ROLE getsale_definer;

CREATE FUNCTION own_member() RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT m.id
      FROM members m
     WHERE m.organization_id = current_organization_id()
       AND m.user_id = sight_person()
$$;

-- The seat that acts, those that the person sits on, and the agents that they answer for.
CREATE FUNCTION own_seats() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER ROWS 5 SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT sight_seat()
     WHERE sight_seat() IS NOT NULL
     UNION
    SELECT b.id
      FROM bidi b
     WHERE b.organization_id = current_organization_id()
       AND (b.user_id = sight_person() OR b.responsible_user_id = sight_person())
$$;

CREATE FUNCTION own_contacts() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER ROWS 300 SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT c.id
      FROM contacts c
     WHERE c.organization_id = current_organization_id()
       AND c.owner_id = (SELECT own_member())
     UNION
    SELECT c.id
      FROM contacts c
     WHERE c.organization_id = current_organization_id()
       AND c.bidi_id IN (SELECT own_seats())
$$;

-- Those that one holds oneself or by a seat or an account of one's own, and all with one's own contacts.
CREATE FUNCTION seen_conversations() RETURNS SETOF uuid
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
     UNION
    SELECT c.id
      FROM conversations c
     WHERE c.organization_id = current_organization_id()
       AND c.contact_id IN (SELECT own_contacts())
$$;

CREATE FUNCTION seen_deals() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER ROWS 300 SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT d.id
      FROM deals d
     WHERE d.organization_id = current_organization_id()
       AND d.owner_id = (SELECT own_member())
     UNION
    SELECT d.id
      FROM deals d
     WHERE d.organization_id = current_organization_id()
       AND d.bidi_id IN (SELECT own_seats())
     UNION
    SELECT d.id
      FROM deals d
     WHERE d.organization_id = current_organization_id()
       AND d.contact_id IN (SELECT own_contacts())
$$;

CREATE FUNCTION seen_leads() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER ROWS 300 SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT l.id
      FROM leads l
     WHERE l.organization_id = current_organization_id()
       AND l.owner_id = (SELECT own_member())
     UNION
    SELECT l.id
      FROM leads l
     WHERE l.organization_id = current_organization_id()
       AND l.bidi_id IN (SELECT own_seats())
     UNION
    SELECT l.id
      FROM leads l
     WHERE l.organization_id = current_organization_id()
       AND l.contact_id IN (SELECT own_contacts())
$$;

-- One's own, and whoever is met in what one sees.
CREATE FUNCTION seen_contacts() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER ROWS 300 SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT own_contacts()
     UNION
    SELECT c.contact_id
      FROM conversations c
     WHERE c.organization_id = current_organization_id()
       AND c.id IN (SELECT seen_conversations())
     UNION
    SELECT d.contact_id
      FROM deals d
     WHERE d.organization_id = current_organization_id()
       AND d.id IN (SELECT seen_deals())
       AND d.contact_id IS NOT NULL
     UNION
    SELECT s.contact_id
      FROM deal_stakeholders s
     WHERE s.organization_id = current_organization_id()
       AND s.deal_id IN (SELECT seen_deals())
     UNION
    SELECT l.contact_id
      FROM leads l
     WHERE l.organization_id = current_organization_id()
       AND l.id IN (SELECT seen_leads())
$$;

CREATE FUNCTION seen_companies() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER ROWS 300 SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT c.id
      FROM companies c
     WHERE c.organization_id = current_organization_id()
       AND c.owner_id = (SELECT own_member())
     UNION
    SELECT c.company_id
      FROM contacts c
     WHERE c.organization_id = current_organization_id()
       AND c.id IN (SELECT seen_contacts())
       AND c.company_id IS NOT NULL
     UNION
    SELECT d.company_id
      FROM deals d
     WHERE d.organization_id = current_organization_id()
       AND d.id IN (SELECT seen_deals())
       AND d.company_id IS NOT NULL
$$;

-- What hangs on a record names it by (record_kind, record_id); ids are never the same in two kinds.
CREATE FUNCTION seen_records() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1000 SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT seen_contacts()
     UNION ALL
    SELECT seen_companies()
     UNION ALL
    SELECT seen_leads()
     UNION ALL
    SELECT seen_deals()
$$;

CREATE FUNCTION seen_accounts() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER ROWS 5 SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT a.id
      FROM channel_accounts a
     WHERE a.organization_id = current_organization_id()
       AND a.bidi_id IN (SELECT own_seats())
     UNION
    SELECT c.channel_account_id
      FROM conversations c
     WHERE c.organization_id = current_organization_id()
       AND c.id IN (SELECT seen_conversations())
$$;

-- Those that one takes part in, and those with people or about records that one sees.
CREATE FUNCTION seen_meetings() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER ROWS 300 SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT m.meeting_id
      FROM meeting_members m
     WHERE m.organization_id = current_organization_id()
       AND m.member_id = (SELECT own_member())
     UNION
    SELECT m.meeting_id
      FROM meeting_contacts m
     WHERE m.organization_id = current_organization_id()
       AND m.contact_id IN (SELECT seen_contacts())
     UNION
    SELECT m.id
      FROM meetings m
     WHERE m.organization_id = current_organization_id()
       AND (m.record_id IN (SELECT seen_records()) OR m.created_by_id IN (sight_person(), sight_seat()))
$$;

-- Runs that serve no conversation: the copilot's at one's own questions, and those of one's own programs.
CREATE FUNCTION own_runs() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER ROWS 300 SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT q.run_id
      FROM copilot_chats c
      JOIN copilot_questions q ON (q.organization_id, q.chat_id) = (c.organization_id, c.id)
     WHERE c.organization_id = current_organization_id()
       AND c.member_id = (SELECT own_member())
     UNION
    SELECT v.run_id
      FROM tool_visits v
     WHERE v.organization_id = current_organization_id()
       AND v.user_id = sight_person()
$$;

REVOKE ALL ON FUNCTION own_member(), own_seats(), own_contacts(), own_runs(), seen_conversations(), seen_deals(),
    seen_leads(), seen_contacts(), seen_companies(), seen_records(), seen_accounts(), seen_meetings() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION own_member(), own_seats(), own_contacts(), own_runs(), seen_conversations(), seen_deals(),
    seen_leads(), seen_contacts(), seen_companies(), seen_records(), seen_accounts(), seen_meetings()
    TO getsale_app, getsale_worker;
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM getsale_definer;

-- the policies ------------------------------------------------------------------------------------------------------
-- Limit a tenant table. What is not seen is not changed either, and nothing is hung on it; with FOR SELECT it may be
-- written by whoever cannot read it. The planner takes IS DISTINCT FROM for nearly always true, as it is for whoever
-- sees all; a plain boolean it would take for a coin.
CREATE FUNCTION limit_by_sight(target regclass, condition text, command text DEFAULT 'ALL') RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE POLICY %I ON %s AS RESTRICTIVE FOR %s TO getsale_app, getsale_worker'
                   ' USING ((SELECT current_setting(''app.visibility'', true)) IS DISTINCT FROM ''assigned'' OR (%s))',
                   (SELECT relname FROM pg_class WHERE oid = target) || '_sight', target, command, condition);
END $$;
REVOKE ALL ON FUNCTION limit_by_sight(regclass, text, text) FROM PUBLIC;

-- A record is also seen by its own row, so that one that is just being made can be.
SELECT limit_by_sight(name::regclass, condition)
  FROM (VALUES
    ('contacts', 'owner_id = (SELECT own_member()) OR bidi_id IN (SELECT own_seats()) OR id IN (SELECT seen_contacts())'),
    ('companies', 'owner_id = (SELECT own_member()) OR id IN (SELECT seen_companies())'),
    ('leads', 'owner_id = (SELECT own_member()) OR bidi_id IN (SELECT own_seats()) OR id IN (SELECT seen_leads())'),
    ('deals', 'owner_id = (SELECT own_member()) OR bidi_id IN (SELECT own_seats()) OR id IN (SELECT seen_deals())'),
    ('conversations', 'holder_id IN (SELECT sight_person() UNION ALL SELECT own_seats())
                       OR id IN (SELECT seen_conversations())'),
    -- what hangs on a contact or a company
    ('contact_handles', 'contact_id IN (SELECT seen_contacts())'),
    ('contact_consents', 'contact_id IN (SELECT seen_contacts())'),
    ('contact_match_keys', 'contact_id IN (SELECT seen_contacts())'),
    ('contact_matches', 'contact_id IN (SELECT seen_contacts()) AND other_contact_id IN (SELECT seen_contacts())'),
    ('company_match_keys', 'company_id IN (SELECT seen_companies())'),
    ('company_matches', 'company_id IN (SELECT seen_companies()) AND other_company_id IN (SELECT seen_companies())'),
    ('deal_stakeholders', 'deal_id IN (SELECT seen_deals())'),
    -- on any record
    ('notes', 'record_id IN (SELECT seen_records())'),
    ('files', 'record_id IN (SELECT seen_records())'),
    ('record_tags', 'record_id IN (SELECT seen_records())'),
    ('external_ids', 'record_id IN (SELECT seen_records())'),
    ('stage_visits', 'record_id IN (SELECT seen_records())'),
    ('merges', 'kept_id IN (SELECT seen_records())'),
    ('merge_rows', 'EXISTS (SELECT FROM merges m WHERE m.id = merge_rows.merge_id)'),
    ('tasks', 'assignee_id = (SELECT own_member()) OR created_by_id IN (SELECT sight_person() UNION ALL SELECT sight_seat())
               OR record_id IN (SELECT seen_records())'),
    ('meetings', 'created_by_id IN (SELECT sight_person() UNION ALL SELECT sight_seat()) OR id IN (SELECT seen_meetings())'),
    ('meeting_contacts', 'meeting_id IN (SELECT seen_meetings())'),
    ('meeting_members', 'meeting_id IN (SELECT seen_meetings())'),
    ('facts', '(subject_kind = ''user'' OR subject_id IN (SELECT seen_records()))
               AND (object_kind IS NULL OR object_kind = ''user'' OR object_id IN (SELECT seen_records()))'),
    ('graph_nodes', 'label = ''User'' OR id IN (SELECT seen_records())'),
    ('graph_edges', 'EXISTS (SELECT FROM graph_nodes n WHERE (n.organization_id, n.id) = (graph_edges.organization_id, graph_edges.src))
                     AND EXISTS (SELECT FROM graph_nodes n WHERE (n.organization_id, n.id) = (graph_edges.organization_id, graph_edges.dst))'),
    ('suggestions', '(record_id IN (SELECT seen_records()) OR record_id IN (SELECT seen_conversations()))
                     AND (conversation_id IS NULL OR conversation_id IN (SELECT seen_conversations()))'),
    -- on a conversation
    ('messages', 'conversation_id IN (SELECT seen_conversations())'),
    ('attachments', 'EXISTS (SELECT FROM messages m WHERE (m.organization_id, m.id) = (attachments.organization_id, attachments.message_id))'),
    ('mail_threads', 'conversation_id IN (SELECT seen_conversations())'),
    ('promises', 'conversation_id IN (SELECT seen_conversations())'),
    ('drafts', 'conversation_id IN (SELECT seen_conversations())'),
    ('draft_evidence', 'EXISTS (SELECT FROM drafts d WHERE (d.organization_id, d.id) = (draft_evidence.organization_id, draft_evidence.draft_id))'),
    ('reply_incidents', 'EXISTS (SELECT FROM drafts d WHERE (d.organization_id, d.id) = (reply_incidents.organization_id, reply_incidents.draft_id))'),
    ('memories', 'kind = ''chunk'' OR thread_id IN (SELECT seen_conversations())'),
    ('memory_terms', 'kind = ''chunk'' OR thread_id IN (SELECT seen_conversations())'),
    ('memory_speakers', 'thread_id IN (SELECT seen_conversations())'),
    ('search_entries', 'CASE WHEN thread_id IS NULL THEN record_id IN (SELECT seen_records())
                             ELSE thread_id IN (SELECT seen_conversations()) END'),
    ('search_postings', 'CASE WHEN thread_id IS NULL THEN record_id IN (SELECT seen_records())
                              ELSE thread_id IN (SELECT seen_conversations()) END'),
    -- accounts: those that belong to all, and those that one's own conversations come by
    ('channel_accounts', 'bidi_id IS NULL OR id IN (SELECT seen_accounts())'),
    ('mailboxes', 'channel_account_id IN (SELECT seen_accounts())'),
    ('mail_folders', 'channel_account_id IN (SELECT seen_accounts())'),
    ('mail_refusals', 'channel_account_id IN (SELECT seen_accounts())'),
    -- one's own
    ('copilot_chats', 'member_id = (SELECT own_member())'),
    ('copilot_questions', 'EXISTS (SELECT FROM copilot_chats c WHERE (c.organization_id, c.id) = (copilot_questions.organization_id, copilot_questions.chat_id))'),
    ('tool_visits', 'user_id = (SELECT sight_person())'),
    ('imports', 'member_user_id = (SELECT sight_person())'),
    ('table_imports', 'EXISTS (SELECT FROM imports i WHERE (i.organization_id, i.id) = (table_imports.organization_id, table_imports.import_id))'),
    ('import_rows', 'EXISTS (SELECT FROM imports i WHERE (i.organization_id, i.id) = (import_rows.organization_id, import_rows.import_id))'),
    ('import_records', 'EXISTS (SELECT FROM imports i WHERE (i.organization_id, i.id) = (import_records.organization_id, import_records.import_id))'),
    ('bulk_edits', 'made_by = (SELECT sight_person())'),
    ('bulk_edit_records', 'EXISTS (SELECT FROM bulk_edits b WHERE (b.organization_id, b.id) = (bulk_edit_records.organization_id, bulk_edit_records.bulk_edit_id))')
  ) AS limits (name, condition);

-- those of before looked only at who holds a conversation
DROP POLICY memories_visibility ON memories;
DROP POLICY memory_terms_visibility ON memory_terms;
DROP POLICY memory_speakers_visibility ON memory_speakers;
DROP POLICY search_postings_visibility ON search_postings;

-- A run is begun before what makes it one's own, the rest is written for others to read.
SELECT limit_by_sight(name::regclass, condition, 'SELECT')
  FROM (VALUES
    ('runs', 'conversation_id IN (SELECT seen_conversations()) OR about_id IN (SELECT seen_conversations())
              OR about_id IN (SELECT seen_records()) OR id IN (SELECT own_runs())
              OR EXISTS (SELECT FROM promises p WHERE (p.organization_id, p.id) = (runs.organization_id, runs.about_id))'),
    ('tool_calls', 'EXISTS (SELECT FROM runs r WHERE (r.organization_id, r.id) = (tool_calls.organization_id, tool_calls.run_id))'),
    ('model_calls', 'EXISTS (SELECT FROM runs r WHERE (r.organization_id, r.id) = (model_calls.organization_id, model_calls.run_id))'),
    ('model_exchanges', 'EXISTS (SELECT FROM model_calls c WHERE (c.organization_id, c.id) = (model_exchanges.organization_id, model_exchanges.call_id))'),
    ('run_replays', 'EXISTS (SELECT FROM runs r WHERE (r.organization_id, r.id) = (run_replays.organization_id, run_replays.run_id))'),
    ('approvals', 'EXISTS (SELECT FROM drafts d WHERE (d.organization_id, d.id) = (approvals.organization_id, approvals.draft_id))
                   OR EXISTS (SELECT FROM runs r WHERE (r.organization_id, r.id) = (approvals.organization_id, approvals.run_id))
                   OR EXISTS (SELECT FROM suggestions s WHERE (s.organization_id, s.id) = (approvals.organization_id, approvals.suggestion_id))'),
    -- a word that stands in nothing that is seen is not meant, nor taken for what was misspelt
    ('search_words', 'EXISTS (SELECT FROM search_postings p WHERE (p.organization_id, p.word) = (search_words.organization_id, search_words.word))'),
    ('search_grams', 'EXISTS (SELECT FROM search_postings p WHERE (p.organization_id, p.word) = (search_grams.organization_id, search_grams.word))'),
    ('notifications', 'member_id = (SELECT own_member())'),
    -- reckoned when a deal is won, by whoever wins it
    ('commissions', 'bidi_id IN (SELECT own_seats()) OR deal_id IN (SELECT seen_deals())'),
    ('webhooks', 'false'),
    ('webhook_deliveries', 'false'),
    ('webhook_attempts', 'false'),
    ('audit_verifications', 'false'),
    ('system_mails', 'false'),
    ('privacy_requests', 'false'),
    ('events', 'actor_id IN (SELECT sight_person() UNION ALL SELECT sight_seat()) OR responsible_id = (SELECT sight_person())
                OR CASE subject_kind
                       WHEN ''conversation'' THEN subject_id IN (SELECT seen_conversations())
                       WHEN ''contact'' THEN subject_id IN (SELECT seen_records())
                       WHEN ''company'' THEN subject_id IN (SELECT seen_records())
                       WHEN ''lead'' THEN subject_id IN (SELECT seen_records())
                       WHEN ''deal'' THEN subject_id IN (SELECT seen_records())
                       WHEN ''meeting'' THEN subject_id IN (SELECT seen_meetings())
                       WHEN ''task'' THEN EXISTS (SELECT FROM tasks t WHERE (t.organization_id, t.id) = (events.organization_id, events.subject_id))
                       WHEN ''note'' THEN EXISTS (SELECT FROM notes n WHERE (n.organization_id, n.id) = (events.organization_id, events.subject_id))
                       WHEN ''file'' THEN EXISTS (SELECT FROM files f WHERE (f.organization_id, f.id) = (events.organization_id, events.subject_id))
                       WHEN ''fact'' THEN EXISTS (SELECT FROM facts f WHERE (f.organization_id, f.id) = (events.organization_id, events.subject_id))
                       WHEN ''promise'' THEN EXISTS (SELECT FROM promises p WHERE (p.organization_id, p.id) = (events.organization_id, events.subject_id))
                       WHEN ''suggestion'' THEN EXISTS (SELECT FROM suggestions s WHERE (s.organization_id, s.id) = (events.organization_id, events.subject_id))
                       WHEN ''approval'' THEN EXISTS (SELECT FROM approvals a WHERE (a.organization_id, a.id) = (events.organization_id, events.subject_id))
                       WHEN ''run'' THEN EXISTS (SELECT FROM runs r WHERE (r.organization_id, r.id) = (events.organization_id, events.subject_id))
                       WHEN ''copilot_chat'' THEN EXISTS (SELECT FROM copilot_chats c WHERE (c.organization_id, c.id) = (events.organization_id, events.subject_id))
                       WHEN ''notification'' THEN EXISTS (SELECT FROM notifications n WHERE (n.organization_id, n.id) = (events.organization_id, events.subject_id))
                       ELSE false
                   END'),
    ('event_changes', 'EXISTS (SELECT FROM events e WHERE (e.organization_id, e.id) = (event_changes.organization_id, event_changes.event_id))'),
    ('event_origins', 'false'),
    ('checkpoints', 'EXISTS (SELECT FROM runs r WHERE r.id::text = checkpoints.thread_id)'),
    ('checkpoint_blobs', 'EXISTS (SELECT FROM runs r WHERE r.id::text = checkpoint_blobs.thread_id)'),
    ('checkpoint_writes', 'EXISTS (SELECT FROM runs r WHERE r.id::text = checkpoint_writes.thread_id)')
  ) AS limits (name, condition);

-- Whoever sees only what is assigned to them owns what they make, unless they make it for somebody.
CREATE FUNCTION own_what_is_made() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.owner_id := own_member();
    RETURN NEW;
END $$;
CREATE TRIGGER own_what_is_made BEFORE INSERT ON contacts FOR EACH ROW
    WHEN (NEW.owner_id IS NULL AND current_setting('app.visibility', true) = 'assigned') EXECUTE FUNCTION own_what_is_made();
CREATE TRIGGER own_what_is_made BEFORE INSERT ON companies FOR EACH ROW
    WHEN (NEW.owner_id IS NULL AND current_setting('app.visibility', true) = 'assigned') EXECUTE FUNCTION own_what_is_made();
CREATE TRIGGER own_what_is_made BEFORE INSERT ON leads FOR EACH ROW
    WHEN (NEW.owner_id IS NULL AND current_setting('app.visibility', true) = 'assigned') EXECUTE FUNCTION own_what_is_made();
CREATE TRIGGER own_what_is_made BEFORE INSERT ON deals FOR EACH ROW
    WHEN (NEW.owner_id IS NULL AND current_setting('app.visibility', true) = 'assigned') EXECUTE FUNCTION own_what_is_made();
