-- A run that was run again from one of its steps, dry: what would have come of it.
SET LOCAL lock_timeout = '5s';

CREATE TABLE run_replays (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    run_id uuid NOT NULL,
    -- the node of the graph from which it went on
    step text NOT NULL,
    -- as the seat's model is named; NULL: the seat's own
    model text,
    -- prompt -> the text that stood in for the one in force
    prompts jsonb NOT NULL,
    asked_by uuid NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    status text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'done', 'failed')),
    -- how it would have ended, and what is to be said about that
    outcome text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    body text NOT NULL DEFAULT '',
    flags jsonb NOT NULL DEFAULT '[]',
    calls jsonb NOT NULL DEFAULT '[]',
    -- who answered, and what that took
    answered_by text NOT NULL DEFAULT '',
    tokens_in integer NOT NULL DEFAULT 0,
    tokens_out integer NOT NULL DEFAULT 0,
    cost_usd_micros bigint NOT NULL DEFAULT 0,
    ended_at timestamptz,
    CHECK ((status = 'waiting') = (ended_at IS NULL)),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, run_id) REFERENCES runs (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX run_replays_of_run ON run_replays (organization_id, run_id, id DESC);

SELECT secure_tenant_table('run_replays'::regclass);
