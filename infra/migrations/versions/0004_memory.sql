-- What the product remembers: turns, summaries, chunks and their vectors.
SET LOCAL lock_timeout = '5s';

-- `thread_id` is what is read in order: a conversation, or one version of a document; `ordinal` is the place in it.
-- `source_id` is the message, the conversation or the document that it was made from. Forgetting deletes rows;
-- what was superseded stays for those who cited it, and is found no more.
CREATE TABLE memories (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('turn', 'summary', 'chunk')),
    source_kind text NOT NULL CHECK (source_kind IN ('message', 'conversation', 'document')),
    source_id uuid NOT NULL,
    message_id uuid GENERATED ALWAYS AS (CASE WHEN source_kind = 'message' THEN source_id END) STORED,
    thread_id uuid NOT NULL,
    ordinal int NOT NULL,
    episode int NOT NULL DEFAULT 0,
    conversation_id uuid,
    contact_id uuid,
    speaker text NOT NULL DEFAULT '',
    is_ours boolean NOT NULL DEFAULT false,
    title text NOT NULL DEFAULT '',
    heading text[] NOT NULL DEFAULT '{}',
    page int,
    line int,
    text text NOT NULL,
    length int NOT NULL,
    is_question boolean NOT NULL DEFAULT false,
    names_time boolean NOT NULL DEFAULT false,
    trust text NOT NULL DEFAULT 'confirmed' CHECK (trust IN ('confirmed', 'quarantined', 'untrusted')),
    is_publishable boolean NOT NULL DEFAULT false,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    superseded_at timestamptz,
    embedding halfvec(384),
    model text NOT NULL DEFAULT '',
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, thread_id, kind, ordinal),
    -- what is deleted is forgotten
    FOREIGN KEY (organization_id, message_id) REFERENCES messages (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversations (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, contact_id) REFERENCES contacts (organization_id, id) ON DELETE CASCADE,
    CHECK ((kind = 'chunk') = (source_kind = 'document')),
    CHECK (kind = 'chunk' OR conversation_id IS NOT NULL),
    CHECK ((embedding IS NULL) = (model = ''))
);
CREATE INDEX memories_live ON memories (organization_id, kind) WHERE superseded_at IS NULL;
CREATE INDEX memories_by_contact ON memories (organization_id, contact_id) WHERE superseded_at IS NULL;
CREATE INDEX memories_by_message ON memories (organization_id, message_id);
CREATE INDEX memories_by_conversation ON memories (organization_id, conversation_id);
CREATE INDEX memories_by_source ON memories (organization_id, source_kind, source_id);
CREATE INDEX memories_by_episode ON memories (organization_id, thread_id, episode) WHERE kind = 'turn';
CREATE INDEX memories_without_vector ON memories (organization_id, thread_id)
    WHERE embedding IS NULL AND superseded_at IS NULL;

-- The stems of what can be found, in both languages. Equality of text is leakproof, so that under row level security
-- this index is used, where a GIN index over a tsvector is not; and it knows how rare a word is, which ts_rank does not.
CREATE TABLE memory_terms (
    organization_id uuid NOT NULL,
    term text NOT NULL,
    memory_id uuid NOT NULL,
    kind text NOT NULL,
    thread_id uuid NOT NULL,
    ordinal int NOT NULL,
    tf int NOT NULL,
    PRIMARY KEY (organization_id, term, memory_id),
    FOREIGN KEY (organization_id, memory_id) REFERENCES memories (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX memory_terms_by_memory ON memory_terms (organization_id, memory_id);

-- Who speaks in a conversation, by the stems of the name: a question that names somebody is about what they said.
CREATE TABLE memory_speakers (
    organization_id uuid NOT NULL,
    stem text NOT NULL,
    thread_id uuid NOT NULL,
    speaker text NOT NULL,
    PRIMARY KEY (organization_id, stem, thread_id, speaker),
    FOREIGN KEY (organization_id, thread_id) REFERENCES conversations (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX memory_speakers_by_thread ON memory_speakers (organization_id, thread_id);

SELECT secure_tenant_table('memories'::regclass);
SELECT secure_tenant_table('memory_terms'::regclass);
SELECT secure_tenant_table('memory_speakers'::regclass);

-- A seat that sees only what is assigned to it remembers only that; documents are everybody's. Written out in each
-- policy, because a function would be called for every row.
CREATE POLICY memories_visibility ON memories AS RESTRICTIVE FOR SELECT TO getsale_app, getsale_worker
    USING (current_setting('app.visibility', true) IS DISTINCT FROM 'assigned'
           OR kind = 'chunk'
           OR thread_id IN (SELECT c.id
                              FROM conversations c
                             WHERE c.holder_id = NULLIF(current_setting('app.seat_id', true), '')::uuid));
CREATE POLICY memory_terms_visibility ON memory_terms AS RESTRICTIVE FOR SELECT TO getsale_app, getsale_worker
    USING (current_setting('app.visibility', true) IS DISTINCT FROM 'assigned'
           OR kind = 'chunk'
           OR thread_id IN (SELECT c.id
                              FROM conversations c
                             WHERE c.holder_id = NULLIF(current_setting('app.seat_id', true), '')::uuid));
CREATE POLICY memory_speakers_visibility ON memory_speakers AS RESTRICTIVE FOR SELECT TO getsale_app, getsale_worker
    USING (current_setting('app.visibility', true) IS DISTINCT FROM 'assigned'
           OR thread_id IN (SELECT c.id
                              FROM conversations c
                             WHERE c.holder_id = NULLIF(current_setting('app.seat_id', true), '')::uuid));

-- What was said before there was memory is remembered now.
DO $$
DECLARE
    organizations uuid[];
    organization uuid;
BEGIN
    -- only its owner and the worker may ask which organizations there are
    SET LOCAL ROLE getsale_definer;
    organizations := ARRAY(SELECT all_organizations());
    RESET ROLE;
    FOREACH organization IN ARRAY organizations LOOP
        PERFORM set_config('app.organization_id', organization::text, true);
        INSERT INTO due_work (organization_id, id, kind, subject_id, due_at)
        SELECT c.organization_id, gen_random_uuid(), 'memory.remember', c.id, now()
          FROM conversations c
            ON CONFLICT DO NOTHING;
    END LOOP;
    PERFORM set_config('app.organization_id', '', true);
END $$;
