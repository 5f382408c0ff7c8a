-- Saved views and segments.
SET LOCAL lock_timeout = '5s';

-- A filter over one kind of record, kept as data; who is in it is counted when it is asked for.
CREATE TABLE segments (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    record_kind text NOT NULL CHECK (record_kind IN ('contact', 'company', 'lead', 'deal')),
    name text NOT NULL CHECK (name <> ''),
    filter jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(filter) = 'object'),
    made_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    version int NOT NULL DEFAULT 1,
    PRIMARY KEY (organization_id, id)
);
CREATE UNIQUE INDEX segments_by_name ON segments (organization_id, record_kind, lower(name)) WHERE deleted_at IS NULL;

-- How a list is looked at: what it shows, in which order, with which columns. What is not shared is its maker's own.
CREATE TABLE views (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    record_kind text NOT NULL CHECK (record_kind IN ('contact', 'company', 'lead', 'deal')),
    name text NOT NULL CHECK (name <> ''),
    filter jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(filter) = 'object'),
    sort text NOT NULL DEFAULT '',
    columns text[] NOT NULL DEFAULT '{}',
    layout text NOT NULL DEFAULT 'table' CHECK (layout IN ('table', 'board')),
    is_shared boolean NOT NULL DEFAULT false,
    position int NOT NULL,
    made_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    version int NOT NULL DEFAULT 1,
    PRIMARY KEY (organization_id, id)
);
CREATE INDEX views_in_order ON views (organization_id, record_kind, position, id) WHERE deleted_at IS NULL;

SELECT secure_tenant_table('segments'::regclass);
SELECT secure_tenant_table('views'::regclass);
