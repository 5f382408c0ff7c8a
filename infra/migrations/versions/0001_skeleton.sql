-- The tables of the walking skeleton. Tenant tables are made ready by secure_tenant_table() at the end.
SET LOCAL lock_timeout = '5s';

GRANT USAGE ON SCHEMA public TO getsale_app, getsale_worker, getsale_support, getsale_definer;
GRANT CREATE ON SCHEMA public TO getsale_definer;

-- The tenant of this transaction. After the first SET LOCAL the setting is '' and not NULL.
CREATE FUNCTION current_organization_id() RETURNS uuid
LANGUAGE sql STABLE AS
$$ SELECT NULLIF(current_setting('app.organization_id', true), '')::uuid $$;

-- identity ---------------------------------------------------------------------------------------------------------
CREATE TABLE users (
    id uuid PRIMARY KEY,
    email text NOT NULL UNIQUE,
    name text NOT NULL,
    password_hash text NOT NULL,
    locale text NOT NULL DEFAULT 'en',
    created_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz
);

CREATE TABLE organizations (
    organization_id uuid PRIMARY KEY,
    slug text NOT NULL UNIQUE,
    name text NOT NULL,
    locale text NOT NULL DEFAULT 'en',
    time_zone text NOT NULL DEFAULT 'UTC',
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE members (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL REFERENCES users (id),
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'supervisor', 'bidi', 'viewer')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, user_id)
);

CREATE TABLE sessions (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL REFERENCES users (id),
    token_hash bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, token_hash)
);
CREATE INDEX sessions_by_token ON sessions (token_hash);

-- seats and channels -----------------------------------------------------------------------------------------------
CREATE TABLE bidi (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('internal', 'external', 'ai')),
    name text NOT NULL,
    user_id uuid,
    responsible_user_id uuid,
    agent text,
    autonomy text NOT NULL DEFAULT 'suggest' CHECK (autonomy IN ('observe', 'suggest', 'assist', 'autopilot')),
    persona text NOT NULL DEFAULT '',
    scopes text[] NOT NULL DEFAULT '{}',
    model text,
    is_paused boolean NOT NULL DEFAULT false,
    max_steps int NOT NULL DEFAULT 40,
    max_tokens int NOT NULL DEFAULT 60000,
    max_cost_usd_micros bigint NOT NULL DEFAULT 500000,
    max_seconds int NOT NULL DEFAULT 120,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id)
);

CREATE TABLE channel_accounts (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    channel text NOT NULL CHECK (channel IN ('telegram', 'email', 'webchat')),
    name text NOT NULL,
    address text NOT NULL DEFAULT '',
    delivery text NOT NULL DEFAULT 'polling' CHECK (delivery IN ('polling', 'webhook')),
    status text NOT NULL DEFAULT 'connecting' CHECK (status IN ('disconnected', 'connecting', 'connected',
        'flood_wait', 'spam_restricted', 'error', 'reauth_required')),
    status_reason text NOT NULL DEFAULT '',
    blocked_until timestamptz,
    secret bytea,
    cursor bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, name)
);
CREATE UNIQUE INDEX channel_accounts_by_id ON channel_accounts (id);

CREATE TABLE inbound_receipts (
    organization_id uuid NOT NULL,
    channel_account_id uuid NOT NULL,
    external_id text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, channel_account_id, external_id),
    FOREIGN KEY (organization_id, channel_account_id) REFERENCES channel_accounts (organization_id, id)
);

-- companies, contacts, facts, deals, tasks -------------------------------------------------------------------------
CREATE TABLE companies (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    domain text,
    city text NOT NULL DEFAULT '',
    employees int,
    about text NOT NULL DEFAULT '',
    version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, domain)
);

CREATE TABLE contacts (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    title text NOT NULL DEFAULT '',
    company_id uuid,
    language text NOT NULL DEFAULT 'en',
    time_zone text,
    note text NOT NULL DEFAULT '',
    telegram_consent boolean NOT NULL DEFAULT true,
    suppressed_at timestamptz,
    suppressed_reason text,
    version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, company_id) REFERENCES companies (organization_id, id)
);
CREATE INDEX contacts_by_company ON contacts (organization_id, company_id);

CREATE TABLE contact_handles (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    contact_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('email', 'phone', 'telegram_id', 'telegram_username')),
    value text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, kind, value),
    FOREIGN KEY (organization_id, contact_id) REFERENCES contacts (organization_id, id)
);
CREATE INDEX contact_handles_by_contact ON contact_handles (organization_id, contact_id);

CREATE TABLE facts (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    subject_kind text NOT NULL CHECK (subject_kind IN ('contact', 'company', 'user', 'deal')),
    subject_id uuid NOT NULL,
    predicate text NOT NULL,
    object_kind text CHECK (object_kind IN ('contact', 'company', 'user', 'deal')),
    object_id uuid,
    text text NOT NULL DEFAULT '',
    strength real NOT NULL DEFAULT 0.5 CHECK (strength BETWEEN 0 AND 1),
    confidence real NOT NULL DEFAULT 1 CHECK (confidence BETWEEN 0 AND 1),
    trust text NOT NULL DEFAULT 'confirmed' CHECK (trust IN ('confirmed', 'quarantined')),
    source_kind text NOT NULL DEFAULT 'user' CHECK (source_kind IN ('user', 'message', 'import', 'agent', 'seed', 'system')),
    source_id uuid,
    source_label text NOT NULL DEFAULT '',
    valid_from timestamptz NOT NULL DEFAULT now(),
    valid_to timestamptz,
    strengthened_at timestamptz NOT NULL DEFAULT now(),
    recorded_at timestamptz NOT NULL DEFAULT now(),
    retracted_at timestamptz,
    corrects_id uuid,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, corrects_id) REFERENCES facts (organization_id, id),
    CHECK ((object_kind IS NULL) = (object_id IS NULL)),
    CHECK (object_id IS NOT NULL OR text <> ''),
    CHECK (valid_to >= valid_from)
);
CREATE INDEX facts_by_subject ON facts (organization_id, subject_id, predicate);
CREATE INDEX facts_by_object ON facts (organization_id, object_id, predicate);
-- One current statement per relation; a second assertion strengthens or replaces it.
CREATE UNIQUE INDEX facts_current_relation ON facts (organization_id, subject_id, predicate, object_id)
    WHERE object_id IS NOT NULL AND valid_to IS NULL AND retracted_at IS NULL;

CREATE TABLE pipelines (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (organization_id, id)
);

CREATE TABLE stages (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    pipeline_id uuid NOT NULL,
    name text NOT NULL,
    position int NOT NULL,
    outcome text NOT NULL DEFAULT 'open' CHECK (outcome IN ('open', 'won', 'lost')),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, pipeline_id, position),
    FOREIGN KEY (organization_id, pipeline_id) REFERENCES pipelines (organization_id, id)
);

CREATE TABLE deals (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    company_id uuid,
    contact_id uuid,
    stage_id uuid NOT NULL,
    amount_minor bigint NOT NULL DEFAULT 0 CHECK (amount_minor >= 0),
    currency char(3) NOT NULL DEFAULT 'EUR',
    close_date date,
    next_step text NOT NULL DEFAULT '',
    version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, company_id) REFERENCES companies (organization_id, id),
    FOREIGN KEY (organization_id, contact_id) REFERENCES contacts (organization_id, id),
    FOREIGN KEY (organization_id, stage_id) REFERENCES stages (organization_id, id)
);
CREATE INDEX deals_by_contact ON deals (organization_id, contact_id);
CREATE INDEX deals_by_company ON deals (organization_id, company_id);

CREATE TABLE tasks (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    title text NOT NULL,
    contact_id uuid,
    deal_id uuid,
    due_at timestamptz,
    done_at timestamptz,
    created_by_kind text NOT NULL,
    created_by_id uuid NOT NULL,
    run_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, contact_id) REFERENCES contacts (organization_id, id),
    FOREIGN KEY (organization_id, deal_id) REFERENCES deals (organization_id, id)
);
CREATE INDEX tasks_by_contact ON tasks (organization_id, contact_id) WHERE done_at IS NULL;

-- conversations ----------------------------------------------------------------------------------------------------
CREATE TABLE conversations (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    channel_account_id uuid NOT NULL,
    channel text NOT NULL,
    contact_id uuid NOT NULL,
    external_id text NOT NULL,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'snoozed', 'resolved')),
    snoozed_until timestamptz,
    holder_kind text CHECK (holder_kind IN ('person', 'agent', 'campaign')),
    holder_id uuid,
    last_seq int NOT NULL DEFAULT 0,
    last_inbound_seq int NOT NULL DEFAULT 0,
    read_seq int NOT NULL DEFAULT 0,
    last_message_at timestamptz NOT NULL DEFAULT now(),
    last_message_id uuid,
    handoff_reason text CHECK (handoff_reason IN ('customer_request', 'missing_knowledge', 'unsupported_request',
        'policy_restriction', 'tool_failure', 'pending_clarification', 'usage_limit')),
    handoff_summary text NOT NULL DEFAULT '',
    handoff_next_step text NOT NULL DEFAULT '',
    handoff_run_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, channel_account_id, external_id),
    FOREIGN KEY (organization_id, channel_account_id) REFERENCES channel_accounts (organization_id, id),
    FOREIGN KEY (organization_id, contact_id) REFERENCES contacts (organization_id, id)
);
CREATE INDEX conversations_recent ON conversations (organization_id, last_message_at DESC, id);
CREATE INDEX conversations_by_contact ON conversations (organization_id, contact_id);

CREATE TABLE messages (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    channel_account_id uuid NOT NULL,
    seq int NOT NULL,
    direction text NOT NULL CHECK (direction IN ('in', 'out')),
    status text NOT NULL CHECK (status IN ('received', 'read', 'queued', 'attempting', 'sent', 'delivered', 'failed',
        'unknown', 'cancelled')),
    external_id text,
    body text NOT NULL,
    original_body text,
    author_kind text NOT NULL CHECK (author_kind IN ('contact', 'user', 'bidi', 'system')),
    author_id uuid,
    draft_id uuid,
    approved_by uuid,
    content_hash text NOT NULL DEFAULT '',
    scheduled_at timestamptz,
    attempt_key uuid,
    lease_until timestamptz,
    fence int NOT NULL DEFAULT 0,
    failure text NOT NULL DEFAULT '',
    occurred_at timestamptz NOT NULL DEFAULT now(),
    edited_at timestamptz,
    sent_at timestamptz,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, conversation_id, seq),
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversations (organization_id, id),
    FOREIGN KEY (organization_id, channel_account_id) REFERENCES channel_accounts (organization_id, id)
);
CREATE UNIQUE INDEX messages_external ON messages (organization_id, conversation_id, direction, external_id)
    WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX messages_one_per_draft ON messages (organization_id, draft_id)
    WHERE draft_id IS NOT NULL AND status <> 'cancelled';

CREATE TABLE attachments (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    message_id uuid NOT NULL,
    name text NOT NULL,
    mime text NOT NULL,
    size_bytes bigint NOT NULL DEFAULT 0,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'stored', 'refused')),
    refusal text NOT NULL DEFAULT '',
    provider_id text NOT NULL DEFAULT '',
    blob_key text,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, message_id) REFERENCES messages (organization_id, id)
);
CREATE INDEX attachments_by_message ON attachments (organization_id, message_id);

-- triggers, runs, tool calls ---------------------------------------------------------------------------------------
CREATE TABLE triggers (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    event_type text NOT NULL,
    conditions jsonb NOT NULL DEFAULT '[]',
    actions jsonb NOT NULL DEFAULT '[]',
    is_enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id)
);
CREATE INDEX triggers_by_event ON triggers (organization_id, event_type) WHERE is_enabled;

CREATE TABLE runs (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    bidi_id uuid NOT NULL,
    agent text NOT NULL,
    conversation_id uuid NOT NULL,
    trigger_id uuid,
    status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'waiting', 'succeeded', 'failed',
        'cancelled', 'budget_exceeded')),
    generation int NOT NULL DEFAULT 0,
    based_on_seq int,
    first_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL DEFAULT now(),
    feedback text NOT NULL DEFAULT '',
    again boolean NOT NULL DEFAULT false,
    fence int NOT NULL DEFAULT 0,
    lease_until timestamptz,
    steps int NOT NULL DEFAULT 0,
    tokens_in int NOT NULL DEFAULT 0,
    tokens_out int NOT NULL DEFAULT 0,
    cost_usd_micros bigint NOT NULL DEFAULT 0,
    model text NOT NULL DEFAULT '',
    outcome text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, bidi_id) REFERENCES bidi (organization_id, id),
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversations (organization_id, id)
);
CREATE UNIQUE INDEX runs_one_queued ON runs (organization_id, conversation_id) WHERE status = 'queued';
CREATE INDEX runs_by_conversation ON runs (organization_id, conversation_id, created_at);

CREATE TABLE tool_calls (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    run_id uuid NOT NULL,
    call_key text NOT NULL,
    tool text NOT NULL,
    risk text NOT NULL,
    arguments jsonb NOT NULL,
    decision text NOT NULL CHECK (decision IN ('allow', 'ask', 'deny')),
    is_tainted boolean NOT NULL DEFAULT false,
    status text NOT NULL CHECK (status IN ('running', 'done', 'refused', 'failed')),
    result jsonb,
    error text NOT NULL DEFAULT '',
    started_at timestamptz NOT NULL DEFAULT now(),
    duration_ms int,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, run_id, call_key),
    FOREIGN KEY (organization_id, run_id) REFERENCES runs (organization_id, id)
);

-- drafts and approvals ---------------------------------------------------------------------------------------------
CREATE TABLE drafts (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    bidi_id uuid NOT NULL,
    run_id uuid,
    kind text NOT NULL DEFAULT 'reply',
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'approved', 'rejected', 'superseded',
        'expired', 'withdrawn')),
    version int NOT NULL DEFAULT 1,
    body text NOT NULL,
    original_body text,
    language text NOT NULL DEFAULT 'en',
    based_on_seq int NOT NULL,
    answers int NOT NULL DEFAULT 1,
    content_hash text NOT NULL,
    flags jsonb NOT NULL DEFAULT '[]',
    model text NOT NULL DEFAULT '',
    prompt text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    checked_by uuid,
    edited_by uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversations (organization_id, id),
    FOREIGN KEY (organization_id, bidi_id) REFERENCES bidi (organization_id, id),
    FOREIGN KEY (organization_id, run_id) REFERENCES runs (organization_id, id)
);
CREATE UNIQUE INDEX drafts_one_pending ON drafts (organization_id, conversation_id, contact_id, kind)
    WHERE status = 'pending';
CREATE INDEX drafts_by_conversation ON drafts (organization_id, conversation_id);

CREATE TABLE draft_evidence (
    organization_id uuid NOT NULL,
    draft_id uuid NOT NULL,
    position int NOT NULL,
    kind text NOT NULL CHECK (kind IN ('message', 'fact', 'deal', 'company', 'contact', 'task', 'relationship')),
    source_id uuid NOT NULL,
    label text NOT NULL,
    quote text NOT NULL DEFAULT '',
    occurred_at timestamptz,
    trust text NOT NULL DEFAULT 'confirmed',
    statement text NOT NULL DEFAULT '',
    is_used boolean NOT NULL DEFAULT true,
    PRIMARY KEY (organization_id, draft_id, position),
    FOREIGN KEY (organization_id, draft_id) REFERENCES drafts (organization_id, id)
);

CREATE TABLE approvals (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    draft_id uuid NOT NULL,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'approved', 'rejected', 'withdrawn', 'expired')),
    content_hash text NOT NULL,
    why text[] NOT NULL DEFAULT '{}',
    assignee_id uuid,
    snoozed_until timestamptz,
    due_at timestamptz,
    decided_by uuid,
    decided_at timestamptz,
    reason text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, draft_id),
    FOREIGN KEY (organization_id, draft_id) REFERENCES drafts (organization_id, id)
);
ALTER TABLE messages ADD FOREIGN KEY (organization_id, draft_id) REFERENCES drafts (organization_id, id);

-- events -----------------------------------------------------------------------------------------------------------
CREATE TABLE events (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    type text NOT NULL,
    version int NOT NULL,
    occurred_at timestamptz NOT NULL,
    actor_kind text NOT NULL,
    actor_id uuid NOT NULL,
    subject_kind text NOT NULL,
    subject_id uuid NOT NULL,
    seq bigint NOT NULL,
    causation_id uuid,
    correlation_id uuid NOT NULL,
    run_id uuid,
    data jsonb NOT NULL,
    trace jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, subject_kind, subject_id, seq)
);

CREATE TABLE event_changes (
    organization_id uuid NOT NULL,
    event_id uuid NOT NULL,
    changes jsonb NOT NULL,
    PRIMARY KEY (organization_id, event_id),
    FOREIGN KEY (organization_id, event_id) REFERENCES events (organization_id, id)
);

CREATE TABLE event_subjects (
    organization_id uuid NOT NULL,
    kind text NOT NULL,
    id uuid NOT NULL,
    last_seq bigint NOT NULL,
    PRIMARY KEY (organization_id, kind, id)
);

CREATE TABLE event_deliveries (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    handler text NOT NULL,
    subject_kind text NOT NULL,
    subject_id uuid NOT NULL,
    seq bigint NOT NULL,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'dead')),
    due_at timestamptz NOT NULL DEFAULT now(),
    attempts int NOT NULL DEFAULT 0,
    fence int NOT NULL DEFAULT 0,
    lease_until timestamptz,
    last_error text NOT NULL DEFAULT '',
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, event_id) REFERENCES events (organization_id, id)
);
CREATE UNIQUE INDEX event_deliveries_by_id ON event_deliveries (id);
CREATE INDEX event_deliveries_due ON event_deliveries (due_at) WHERE status = 'open';
CREATE INDEX event_deliveries_order ON event_deliveries (organization_id, subject_kind, subject_id, handler, seq)
    WHERE status = 'open';

CREATE TABLE due_work (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    subject_id uuid NOT NULL,
    due_at timestamptz NOT NULL,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'dead')),
    attempts int NOT NULL DEFAULT 0,
    fence int NOT NULL DEFAULT 0,
    lease_until timestamptz,
    last_error text NOT NULL DEFAULT '',
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, kind, subject_id)
);
CREATE INDEX due_work_due ON due_work (due_at) WHERE status = 'open';

-- the graph projection of the Postgres adapter ---------------------------------------------------------------------
CREATE TABLE graph_nodes (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    label text NOT NULL CHECK (label IN ('Person', 'Company', 'User')),
    name text NOT NULL,
    PRIMARY KEY (organization_id, id)
);

-- Every relation stands in both directions, so that one index answers a hop.
CREATE TABLE graph_edges (
    organization_id uuid NOT NULL,
    src uuid NOT NULL,
    dst uuid NOT NULL,
    type text NOT NULL CHECK (type IN ('WORKS_AT', 'KNOWS', 'INTERACTED')),
    is_forward boolean NOT NULL,
    fact_id uuid NOT NULL,
    weight real NOT NULL,
    trust text NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz,
    PRIMARY KEY (organization_id, fact_id, is_forward),
    FOREIGN KEY (organization_id, src) REFERENCES graph_nodes (organization_id, id),
    FOREIGN KEY (organization_id, dst) REFERENCES graph_nodes (organization_id, id)
);
CREATE INDEX graph_edges_hop ON graph_edges (organization_id, src, weight DESC, dst);
CREATE INDEX graph_edges_by_dst ON graph_edges (organization_id, dst);

-- Whether an adapter holds all of a tenant's facts. `token` is also kept in the adapter's own server, so that an
-- emptied or another server is found out; `misses` counts writes that did not arrive there.
CREATE TABLE graph_projections (
    organization_id uuid NOT NULL,
    adapter text NOT NULL CHECK (adapter IN ('neo4j', 'postgres')),
    is_current boolean NOT NULL DEFAULT false,
    token uuid,
    misses bigint NOT NULL DEFAULT 0,
    lease_until timestamptz,
    projected_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, adapter)
);

-- One end of a search: a node, the best product of weights that leads to it, and the step it was reached by.
CREATE TYPE graph_reached AS (node uuid, score float8, parent uuid, fact_id uuid);

-- The confirmed relations of one node that hold at a time, the strongest first; an index-ordered scan that stops.
CREATE FUNCTION graph_strongest(node uuid, fan_out int, at timestamptz)
RETURNS TABLE (dst uuid, weight real, fact_id uuid)
LANGUAGE sql STABLE AS $$
    SELECT e.dst, e.weight, e.fact_id
      FROM graph_edges e
     WHERE e.organization_id = current_organization_id()
       AND e.src = node
       AND e.trust = 'confirmed'
       AND e.valid_from <= at
       AND (e.valid_to IS NULL OR e.valid_to > at)
     ORDER BY e.weight DESC, e.dst
     LIMIT fan_out
$$;

-- The next level of a search: what the frontier leads to and was not reached before, each node by its best step.
CREATE FUNCTION graph_expand(reached graph_reached[], frontier_from int, fan_out int, at timestamptz)
RETURNS graph_reached[]
LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(ROW(best.dst, best.score, best.parent, best.fact_id)::graph_reached), '{}')
      FROM (SELECT DISTINCT ON (e.dst) e.dst, f.score * e.weight AS score, f.node AS parent, e.fact_id
              FROM unnest(reached[frontier_from:]) AS f
             CROSS JOIN LATERAL graph_strongest(f.node, fan_out, at) AS e
              LEFT JOIN unnest(reached) AS seen ON seen.node = e.dst
             WHERE seen.node IS NULL
             ORDER BY e.dst, f.score * e.weight DESC, e.fact_id) AS best
$$;

-- What the next level of a search would cost: relations to look at, a hub counting as many as are looked at.
CREATE FUNCTION graph_cost(reached graph_reached[], frontier_from int, fan_out int)
RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT count(*)
      FROM unnest(reached[frontier_from:]) AS f
     CROSS JOIN LATERAL (
           SELECT
             FROM graph_edges e
            WHERE e.organization_id = current_organization_id()
              AND e.src = f.node
            LIMIT fan_out) AS e
$$;

-- The shortest chain of confirmed relations between any of `sources` and the target, the strongest of the shortest.
-- Two searches meet in the middle, the cheaper one moves, so that a hub is reached from its small sides; both keep
-- whole levels, so the first meeting is shortest.
CREATE FUNCTION graph_warm_path(sources uuid[], target uuid, max_hops int, fan_out int, at timestamptz)
RETURNS TABLE (place int, node_id uuid, fact_id uuid)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    near graph_reached[] := ARRAY(SELECT ROW(s, 1, NULL, NULL)::graph_reached FROM unnest(sources) AS s);
    far graph_reached[] := ARRAY[ROW(target, 1, NULL, NULL)::graph_reached];
    near_from int := 1;
    far_from int := 1;
    near_cost bigint := graph_cost(near, 1, fan_out);
    far_cost bigint := graph_cost(far, 1, fan_out);
    found graph_reached[];
    meeting uuid;
    step graph_reached;
    chain uuid[];
    facts uuid[] := '{}';
BEGIN
    IF target = ANY (sources) OR sources = '{}' THEN
        RETURN;
    END IF;
    FOR hop IN 1..max_hops LOOP
        IF near_cost <= far_cost THEN
            found := graph_expand(near, near_from, fan_out, at);
            near_from := cardinality(near) + 1;
            near := near || found;
            near_cost := graph_cost(near, near_from, fan_out);
        ELSE
            found := graph_expand(far, far_from, fan_out, at);
            far_from := cardinality(far) + 1;
            far := far || found;
            far_cost := graph_cost(far, far_from, fan_out);
        END IF;
        IF found = '{}' THEN
            RETURN;
        END IF;
        SELECT n.node INTO meeting
          FROM unnest(near[near_from:]) AS n
          JOIN unnest(far[far_from:]) AS f ON f.node = n.node
         ORDER BY n.score * f.score DESC, n.node
         LIMIT 1;
        EXIT WHEN meeting IS NOT NULL;
    END LOOP;
    IF meeting IS NULL THEN
        RETURN;
    END IF;
    chain := ARRAY[meeting];
    LOOP
        SELECT n.node, n.score, n.parent, n.fact_id INTO step FROM unnest(near) AS n WHERE n.node = chain[1];
        EXIT WHEN step.parent IS NULL;
        chain := step.parent || chain;
        facts := step.fact_id || facts;
    END LOOP;
    LOOP
        SELECT f.node, f.score, f.parent, f.fact_id INTO step
          FROM unnest(far) AS f WHERE f.node = chain[cardinality(chain)];
        EXIT WHEN step.parent IS NULL;
        chain := chain || step.parent;
        facts := facts || step.fact_id;
    END LOOP;
    -- the first node has no relation that led to it
    RETURN QUERY
    SELECT n.place::int, n.node, facts[n.place - 1]
      FROM unnest(chain) WITH ORDINALITY AS n (node, place);
END $$;

-- row level security -----------------------------------------------------------------------------------------------
CREATE FUNCTION secure_tenant_table(target regclass) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    name text := (SELECT relname FROM pg_class WHERE oid = target);
    role text;
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    FOREACH role IN ARRAY ARRAY['getsale_app', 'getsale_worker', 'getsale_migrator'] LOOP
        EXECUTE format('CREATE POLICY %I ON %s TO %I USING (organization_id = NULLIF(current_setting(''app.organization_id'', true), '''')::uuid)'
                       ' WITH CHECK (organization_id = NULLIF(current_setting(''app.organization_id'', true), '''')::uuid)',
                       name || '_' || role, target, role);
    END LOOP;
    EXECUTE format('CREATE POLICY %I ON %s FOR SELECT TO getsale_support USING (organization_id = NULLIF(current_setting(''app.organization_id'', true), '''')::uuid)',
                   name || '_getsale_support', target);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO getsale_app, getsale_worker', target);
    EXECUTE format('GRANT SELECT ON %s TO getsale_support', target);
END $$;

SELECT secure_tenant_table(name::regclass)
  FROM unnest(ARRAY['organizations', 'members', 'sessions', 'bidi', 'channel_accounts', 'inbound_receipts', 'companies',
      'contacts', 'contact_handles', 'facts', 'pipelines', 'stages', 'deals', 'tasks', 'conversations', 'messages',
      'attachments', 'triggers', 'runs', 'tool_calls', 'drafts', 'draft_evidence', 'approvals', 'events',
      'event_changes', 'event_subjects', 'event_deliveries', 'due_work', 'graph_nodes', 'graph_edges',
      'graph_projections']) AS tables (name);

-- events are append-only for every login
REVOKE UPDATE, DELETE ON events FROM getsale_app, getsale_worker;

-- the worker claims across tenants, ids only
CREATE POLICY event_deliveries_claim ON event_deliveries TO getsale_worker USING (true) WITH CHECK (true);
CREATE POLICY due_work_claim ON due_work TO getsale_worker USING (true) WITH CHECK (true);

-- users are not a tenant's: the app reads them through the functions below and writes its own rows
GRANT SELECT (id, email, name, locale, disabled_at), INSERT, UPDATE (name, locale) ON users TO getsale_app, getsale_worker;

-- lookups before a tenant is known ---------------------------------------------------------------------------------
GRANT SELECT ON users, organizations, members, sessions, channel_accounts TO getsale_definer;
CREATE POLICY organizations_definer ON organizations FOR SELECT TO getsale_definer USING (true);
CREATE POLICY members_definer ON members FOR SELECT TO getsale_definer USING (true);
CREATE POLICY sessions_definer ON sessions FOR SELECT TO getsale_definer USING (true);
CREATE POLICY channel_accounts_definer ON channel_accounts FOR SELECT TO getsale_definer USING (true);

CREATE FUNCTION login_account(login_email text)
RETURNS TABLE (user_id uuid, password_hash text, organization_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT u.id, u.password_hash, m.organization_id
      FROM users u
      JOIN members m ON m.user_id = u.id
     WHERE u.email = lower(login_email)
       AND u.disabled_at IS NULL
     ORDER BY m.created_at
     LIMIT 1
$$;

CREATE FUNCTION session_account(session_token_hash bytea)
RETURNS TABLE (session_id uuid, user_id uuid, organization_id uuid, member_id uuid, role text, name text, email text, locale text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT s.id, u.id, s.organization_id, m.id, m.role, u.name, u.email, u.locale
      FROM sessions s
      JOIN users u ON u.id = s.user_id
      JOIN members m ON m.user_id = s.user_id AND m.organization_id = s.organization_id
     WHERE s.token_hash = session_token_hash
       AND s.revoked_at IS NULL
       AND s.expires_at > now()
       AND u.disabled_at IS NULL
$$;

CREATE FUNCTION organization_of_account(account_id uuid)
RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT a.organization_id
      FROM channel_accounts a
     WHERE a.id = account_id
$$;

CREATE FUNCTION organization_by_slug(wanted text)
RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT o.organization_id FROM organizations o WHERE o.slug = wanted
$$;

CREATE FUNCTION all_organizations()
RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT o.organization_id FROM organizations o
$$;

REVOKE ALL ON FUNCTION login_account(text), session_account(bytea), organization_of_account(uuid), organization_by_slug(text),
    all_organizations() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION login_account(text), session_account(bytea), organization_of_account(uuid), organization_by_slug(text)
    TO getsale_app, getsale_worker;
GRANT EXECUTE ON FUNCTION all_organizations() TO getsale_worker, getsale_migrator;
-- last: who gives a function away may no longer say who calls it
ALTER FUNCTION login_account(text) OWNER TO getsale_definer;
ALTER FUNCTION session_account(bytea) OWNER TO getsale_definer;
ALTER FUNCTION organization_of_account(uuid) OWNER TO getsale_definer;
ALTER FUNCTION organization_by_slug(text) OWNER TO getsale_definer;
ALTER FUNCTION all_organizations() OWNER TO getsale_definer;
REVOKE CREATE ON SCHEMA public FROM getsale_definer;

-- every process may ask which version of the schema it meets
GRANT SELECT ON alembic_version TO getsale_app, getsale_worker, getsale_support;
