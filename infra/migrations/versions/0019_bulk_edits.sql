-- Edits of many records at once: chosen, tried, run by a worker, taken back.
SET LOCAL lock_timeout = '5s';

-- The counts are those of the step that the status names: what would happen while it is tried, what did when it ran.
CREATE TABLE bulk_edits (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    record_kind text NOT NULL CHECK (record_kind IN ('contact', 'company', 'lead', 'deal')),
    changes jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(changes) = 'object'),
    status text NOT NULL CHECK (status IN ('draft', 'checking', 'checked', 'running', 'cancelled', 'failed', 'finished',
                                           'undoing', 'undone')),
    total int NOT NULL,
    position int NOT NULL DEFAULT 0,
    changed int NOT NULL DEFAULT 0,
    unchanged int NOT NULL DEFAULT 0,
    refused int NOT NULL DEFAULT 0,
    restored int NOT NULL DEFAULT 0,
    kept int NOT NULL DEFAULT 0,
    made_by_kind text NOT NULL,
    made_by uuid NOT NULL,
    run_by uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    undone_at timestamptz,
    PRIMARY KEY (organization_id, id)
);

-- The records as they were when they were chosen, in the order in which they are worked on. What they held before is
-- kept so that the edit can be taken back.
CREATE TABLE bulk_edit_records (
    organization_id uuid NOT NULL,
    bulk_edit_id uuid NOT NULL,
    position int NOT NULL,
    record_id uuid NOT NULL,
    is_done boolean NOT NULL DEFAULT false,
    verdict text CHECK (verdict IN ('changed', 'unchanged', 'refused', 'restored', 'kept')),
    label text NOT NULL DEFAULT '',
    reason text,
    detail text NOT NULL DEFAULT '',
    changes jsonb NOT NULL DEFAULT '{}',
    version int,
    PRIMARY KEY (organization_id, bulk_edit_id, position),
    UNIQUE (organization_id, bulk_edit_id, record_id),
    FOREIGN KEY (organization_id, bulk_edit_id) REFERENCES bulk_edits (organization_id, id) ON DELETE CASCADE
);

SELECT secure_tenant_table('bulk_edits'::regclass);
SELECT secure_tenant_table('bulk_edit_records'::regclass);
