-- What the search box looks through. Everything here is made from the records' own tables and can be made again.
SET LOCAL lock_timeout = '5s';

-- What is known about one record: its words with their ranks, so that a change touches only what differs. `thread_id`
-- is the conversation of a message.
CREATE TABLE search_entries (
    organization_id uuid NOT NULL,
    kind text NOT NULL,
    record_id uuid NOT NULL,
    at timestamptz NOT NULL,
    words text[] COLLATE "C" NOT NULL DEFAULT '{}',
    ranks smallint[] NOT NULL DEFAULT '{}',
    thread_id uuid,
    PRIMARY KEY (organization_id, kind, record_id)
);
CREATE INDEX search_entries_by_thread ON search_entries (organization_id, thread_id) WHERE thread_id IS NOT NULL;

-- Where each word occurs, the best places and the newest records first, so that a common word is read only as far as
-- it is needed. Comparison of text is leakproof, so that under row level security this index is used, where a GIN
-- index over words or over a tsvector is not.
CREATE TABLE search_postings (
    organization_id uuid NOT NULL,
    record_id uuid NOT NULL,
    rank smallint NOT NULL,
    word text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    thread_id uuid,
    CHECK ((kind = 'message') = (thread_id IS NOT NULL))
);
CREATE UNIQUE INDEX search_postings_by_word ON search_postings (organization_id, word, rank, record_id DESC);

-- The words of an organization, each once: prefixes, endings and typing errors are resolved here and not per record.
CREATE TABLE search_words (
    organization_id uuid NOT NULL,
    word text COLLATE "C" NOT NULL,
    stem text COLLATE "C",
    PRIMARY KEY (organization_id, word)
);
CREATE INDEX search_words_by_stem ON search_words (organization_id, stem) WHERE stem IS NOT NULL;

-- The pieces of those words: three letters for typing errors, the ends of a number for digits from its middle.
CREATE TABLE search_grams (
    organization_id uuid NOT NULL,
    gram text COLLATE "C" NOT NULL,
    word text COLLATE "C" NOT NULL,
    PRIMARY KEY (organization_id, gram, word)
);

SELECT secure_tenant_table('search_entries'::regclass);
SELECT secure_tenant_table('search_postings'::regclass);
SELECT secure_tenant_table('search_words'::regclass);
SELECT secure_tenant_table('search_grams'::regclass);

-- A seat that sees only what is assigned to it finds only messages of the conversations that it holds. Records are
-- read from their own tables before they are shown, under the policies there.
CREATE POLICY search_postings_visibility ON search_postings AS RESTRICTIVE FOR SELECT TO getsale_app, getsale_worker
    USING (current_setting('app.visibility', true) IS DISTINCT FROM 'assigned'
           OR kind <> 'message'
           OR thread_id IN (SELECT c.id
                              FROM conversations c
                             WHERE c.holder_id = NULLIF(current_setting('app.seat_id', true), '')::uuid));

-- What was there before there was a search box is found from now on.
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
        VALUES (organization, gen_random_uuid(), 'search.catch_up', organization, now())
            ON CONFLICT DO NOTHING;
    END LOOP;
    PERFORM set_config('app.organization_id', '', true);
END $$;
