-- The tables of langgraph-checkpoint-postgres 3.2.0 as its MIGRATIONS leave them, plus the tenant.
-- Their unique keys stay as upstream has them, because the saver's ON CONFLICT names them; thread ids are made by us.
SET LOCAL lock_timeout = '5s';

CREATE TABLE checkpoint_migrations (v integer PRIMARY KEY);

CREATE TABLE checkpoints (
    organization_id uuid NOT NULL DEFAULT NULLIF(current_setting('app.organization_id', true), '')::uuid,
    thread_id text NOT NULL,
    checkpoint_ns text NOT NULL DEFAULT '',
    checkpoint_id text NOT NULL,
    parent_checkpoint_id text,
    type text,
    checkpoint jsonb NOT NULL,
    metadata jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id)
);
CREATE INDEX checkpoints_thread_id_idx ON checkpoints (thread_id);

CREATE TABLE checkpoint_blobs (
    organization_id uuid NOT NULL DEFAULT NULLIF(current_setting('app.organization_id', true), '')::uuid,
    thread_id text NOT NULL,
    checkpoint_ns text NOT NULL DEFAULT '',
    channel text NOT NULL,
    version text NOT NULL,
    type text NOT NULL,
    blob bytea,
    PRIMARY KEY (thread_id, checkpoint_ns, channel, version)
);
CREATE INDEX checkpoint_blobs_thread_id_idx ON checkpoint_blobs (thread_id);

CREATE TABLE checkpoint_writes (
    organization_id uuid NOT NULL DEFAULT NULLIF(current_setting('app.organization_id', true), '')::uuid,
    thread_id text NOT NULL,
    checkpoint_ns text NOT NULL DEFAULT '',
    checkpoint_id text NOT NULL,
    task_id text NOT NULL,
    idx integer NOT NULL,
    channel text NOT NULL,
    type text,
    blob bytea NOT NULL,
    task_path text NOT NULL DEFAULT '',
    PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
);
CREATE INDEX checkpoint_writes_thread_id_idx ON checkpoint_writes (thread_id);

SELECT secure_tenant_table(name::regclass)
  FROM unnest(ARRAY['checkpoints', 'checkpoint_blobs', 'checkpoint_writes']) AS tables (name);

-- What the saver's setup() would record: it then finds nothing left to do.
INSERT INTO checkpoint_migrations (v) SELECT generate_series(0, 9);
GRANT SELECT ON checkpoint_migrations TO getsale_app, getsale_worker, getsale_support;
