-- Companies that may be one are suggested too.
SET LOCAL lock_timeout = '5s';

-- Two companies that may be one, and field by field why. Nothing is merged because of a row in here.
CREATE TABLE company_matches (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    company_id uuid NOT NULL,
    other_company_id uuid NOT NULL,
    score real NOT NULL CHECK (score BETWEEN 0 AND 1),
    why jsonb NOT NULL CHECK (jsonb_typeof(why) = 'array'),
    -- set aside: one of the two was merged into a third meanwhile
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'accepted', 'dismissed', 'set_aside')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, company_id, other_company_id),
    CHECK (company_id < other_company_id),
    FOREIGN KEY (organization_id, company_id) REFERENCES companies (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, other_company_id) REFERENCES companies (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX company_matches_by_other ON company_matches (organization_id, other_company_id);
CREATE INDEX company_matches_open ON company_matches (organization_id, score DESC, id DESC) WHERE status = 'open';

-- The keys by which companies that may be one meet (crm/matching/companies.py).
CREATE TABLE company_match_keys (
    organization_id uuid NOT NULL,
    key text COLLATE "C" NOT NULL,
    company_id uuid NOT NULL,
    PRIMARY KEY (organization_id, key, company_id),
    FOREIGN KEY (organization_id, company_id) REFERENCES companies (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX company_match_keys_by_company ON company_match_keys (organization_id, company_id);

-- How far the nightly look has come is known for each kind.
ALTER TABLE match_sweeps RENAME COLUMN after_contact_id TO after_id;
ALTER TABLE match_sweeps
    ADD COLUMN record_kind text NOT NULL DEFAULT 'contact' CHECK (record_kind IN ('contact', 'company')),
    DROP CONSTRAINT match_sweeps_pkey,
    ADD PRIMARY KEY (organization_id, record_kind);
ALTER TABLE match_sweeps ALTER COLUMN record_kind DROP DEFAULT;

SELECT secure_tenant_table('company_matches'::regclass), secure_tenant_table('company_match_keys'::regclass);

-- Every organization's companies are looked at once now, and from then on each night.
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
        VALUES (organization, gen_random_uuid(), 'companies.match', organization, now())
            ON CONFLICT DO NOTHING;
    END LOOP;
    PERFORM set_config('app.organization_id', '', true);
END $$;
