-- Scored matches, merges that can be undone.
SET LOCAL lock_timeout = '5s';

-- A merge of one contact or company into another, and when it was taken back.
CREATE TABLE merges (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    record_kind text NOT NULL CHECK (record_kind IN ('contact', 'company')),
    kept_id uuid NOT NULL,
    merged_id uuid NOT NULL,
    kept_name text NOT NULL,
    merged_name text NOT NULL,
    merged_by uuid NOT NULL,
    merged_at timestamptz NOT NULL DEFAULT now(),
    undone_by uuid,
    undone_at timestamptz,
    PRIMARY KEY (organization_id, id),
    CHECK (kept_id <> merged_id)
);
CREATE INDEX merges_recent ON merges (organization_id, merged_at DESC, id DESC);
CREATE INDEX merges_by_merged ON merges (organization_id, merged_id) WHERE undone_at IS NULL;

-- What a merge did to each row: its values before and after, in the order of the changes. Only what differs is kept of
-- a row that was changed; of one that was removed or added, all of it.
CREATE TABLE merge_rows (
    organization_id uuid NOT NULL,
    merge_id uuid NOT NULL,
    position int NOT NULL,
    table_name text NOT NULL,
    key jsonb NOT NULL,
    before jsonb,
    after jsonb,
    PRIMARY KEY (organization_id, merge_id, position),
    FOREIGN KEY (organization_id, merge_id) REFERENCES merges (organization_id, id),
    CHECK (before IS NOT NULL OR after IS NOT NULL)
);

-- A match is scored, and says field by field why; one that somebody dismissed is not suggested again.
ALTER TABLE contact_matches
    DROP CONSTRAINT contact_matches_reason_check,
    ADD CONSTRAINT contact_matches_reason_check CHECK (reason IN ('same_handle', 'name_and_company', 'name', 'username',
        'signature_phone', 'alike')),
    DROP CONSTRAINT contact_matches_status_check,
    -- set aside: one of the two was merged into somebody else meanwhile
    ADD CONSTRAINT contact_matches_status_check CHECK (status IN ('open', 'accepted', 'dismissed', 'set_aside')),
    ADD COLUMN why jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(why) = 'array');
CREATE INDEX contact_matches_open ON contact_matches (organization_id, score DESC, id) WHERE status = 'open';

-- The keys by which contacts that may be one meet (crm/matching/blocking.py). Equality of text is leakproof, so the
-- index serves under row level security.
CREATE TABLE contact_match_keys (
    organization_id uuid NOT NULL,
    key text COLLATE "C" NOT NULL,
    contact_id uuid NOT NULL,
    PRIMARY KEY (organization_id, key, contact_id),
    FOREIGN KEY (organization_id, contact_id) REFERENCES contacts (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX contact_match_keys_by_contact ON contact_match_keys (organization_id, contact_id);

-- How far the nightly look at all contacts of an organization has come.
CREATE TABLE match_sweeps (
    organization_id uuid NOT NULL PRIMARY KEY,
    after_contact_id uuid NOT NULL,
    looked_at int NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);

SELECT secure_tenant_table('merges'::regclass), secure_tenant_table('merge_rows'::regclass),
       secure_tenant_table('contact_match_keys'::regclass), secure_tenant_table('match_sweeps'::regclass);

-- Every organization is looked at once now, and from then on each night.
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
        VALUES (organization, gen_random_uuid(), 'contacts.match', organization, now())
            ON CONFLICT DO NOTHING;
    END LOOP;
    PERFORM set_config('app.organization_id', '', true);
END $$;
