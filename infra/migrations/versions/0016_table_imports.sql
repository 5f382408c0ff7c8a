-- Imports of tables, row by row.
SET LOCAL lock_timeout = '5s';

-- A table is uploaded, mapped and checked before it runs; it belongs to no channel, and may come again, also as another
-- kind of record.
ALTER TABLE imports DROP CONSTRAINT imports_kind_check;
ALTER TABLE imports DROP CONSTRAINT imports_status_check;
ALTER TABLE imports ALTER COLUMN channel_account_id DROP NOT NULL;
ALTER TABLE imports ADD CONSTRAINT imports_kind_check CHECK (kind IN ('telegram_desktop', 'table'));
ALTER TABLE imports ADD CONSTRAINT imports_status_check CHECK (status IN ('draft', 'checking', 'checked', 'running',
    'paused', 'cancelled', 'failed', 'finished', 'undoing', 'undone'));
ALTER TABLE imports ADD CONSTRAINT imports_channel_check CHECK (kind = 'table' OR channel_account_id IS NOT NULL);
DROP INDEX imports_once;
CREATE UNIQUE INDEX imports_once ON imports (organization_id, kind, fingerprint)
    WHERE status <> 'undone' AND kind <> 'table';
CREATE INDEX imports_recent ON imports (organization_id, started_at DESC, id DESC);

-- The file of an import, how it is read and mapped, and the counts of its check or of its run. `blob_key` is NULL once
-- the file was removed.
CREATE TABLE table_imports (
    organization_id uuid NOT NULL,
    import_id uuid NOT NULL,
    record_kind text NOT NULL CHECK (record_kind IN ('contact', 'company', 'deal')),
    blob_key text,
    size_bytes bigint NOT NULL,
    layout jsonb NOT NULL,
    sample jsonb NOT NULL,
    repeated text[] NOT NULL DEFAULT '{}',
    mapping jsonb NOT NULL,
    options jsonb NOT NULL,
    made int NOT NULL DEFAULT 0,
    updated int NOT NULL DEFAULT 0,
    skipped int NOT NULL DEFAULT 0,
    refused int NOT NULL DEFAULT 0,
    companies_made int NOT NULL DEFAULT 0,
    taken_back int NOT NULL DEFAULT 0,
    kept int NOT NULL DEFAULT 0,
    fault jsonb,
    PRIMARY KEY (organization_id, import_id),
    FOREIGN KEY (organization_id, import_id) REFERENCES imports (organization_id, id)
);

-- What is to be said about rows: those that are refused, that meet a record, or of which a cell stayed out.
CREATE TABLE import_rows (
    organization_id uuid NOT NULL,
    import_id uuid NOT NULL,
    number int NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('made', 'updated', 'skipped', 'refused')),
    label text NOT NULL DEFAULT '',
    reasons jsonb NOT NULL,
    record_id uuid,
    PRIMARY KEY (organization_id, import_id, number),
    FOREIGN KEY (organization_id, import_id) REFERENCES imports (organization_id, id)
);
CREATE INDEX import_rows_by_verdict ON import_rows (organization_id, import_id, verdict, number);

-- What an import made or changed, chunk by chunk. `version` is the record's after the import: a later one says that
-- somebody has changed it since. `before` holds what a change replaced and added.
ALTER TABLE import_records DROP CONSTRAINT import_records_kind_check;
ALTER TABLE import_records
    ADD CONSTRAINT import_records_kind_check CHECK (kind IN ('contact', 'handle', 'conversation', 'company', 'deal')),
    ADD COLUMN chunk_id uuid,
    ADD COLUMN version int,
    ADD COLUMN before jsonb,
    ADD COLUMN state text NOT NULL DEFAULT 'there' CHECK (state IN ('there', 'gone', 'kept'));
CREATE INDEX import_records_by_chunk ON import_records (organization_id, import_id, chunk_id) WHERE chunk_id IS NOT NULL;
CREATE INDEX import_records_by_record ON import_records (organization_id, record_id);

-- Under which id another system knows a record, so that a second export of it meets the same one.
CREATE TABLE external_ids (
    organization_id uuid NOT NULL,
    record_kind text NOT NULL CHECK (record_kind IN ('contact', 'company', 'lead', 'deal')),
    source text NOT NULL,
    external_id text NOT NULL CHECK (external_id <> ''),
    record_id uuid NOT NULL,
    PRIMARY KEY (organization_id, record_kind, source, external_id)
);
CREATE INDEX external_ids_by_record ON external_ids (organization_id, record_kind, record_id);

-- The one spelling under which a company is found by its name. A stored column: an expression that calls a function
-- which is not leakproof is no condition of an index under row level security.
ALTER TABLE companies ADD COLUMN IF NOT EXISTS
    plain_name text NOT NULL GENERATED ALWAYS AS (lower(name)) STORED;
CREATE INDEX IF NOT EXISTS companies_by_plain_name ON companies (organization_id, plain_name) WHERE deleted_at IS NULL;

SELECT secure_tenant_table('table_imports'::regclass), secure_tenant_table('import_rows'::regclass),
       secure_tenant_table('external_ids'::regclass);

-- Whether another record was merged into one is asked for each record that is deleted.
CREATE INDEX IF NOT EXISTS contacts_by_merge ON contacts (organization_id, merged_into_id) WHERE merged_into_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS companies_by_merge ON companies (organization_id, merged_into_id)
    WHERE merged_into_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS facts_by_correction ON facts (organization_id, corrects_id) WHERE corrects_id IS NOT NULL;
