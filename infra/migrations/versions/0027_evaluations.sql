-- Runs of evaluation suites and what became of each of their cases.
SET LOCAL lock_timeout = '5s';

CREATE TABLE eval_runs (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    suite text NOT NULL,
    status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'finished')),
    model text NOT NULL,
    -- name -> version, hash and, where it is not the one in force, the text of every prompt of the agent
    prompts jsonb NOT NULL,
    code_version text NOT NULL,
    -- of the cases as they were played, in order
    dataset_sha256 text NOT NULL,
    seed bigint NOT NULL,
    cases integer NOT NULL CHECK (cases > 0),
    -- figure -> value, interval, number of cases and threshold; empty until the run is finished
    figures jsonb NOT NULL DEFAULT '{}',
    is_passed boolean,
    cost_usd_micros bigint NOT NULL DEFAULT 0,
    started_by uuid NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    PRIMARY KEY (organization_id, id),
    CHECK ((status = 'finished') = (finished_at IS NOT NULL AND is_passed IS NOT NULL))
);
CREATE INDEX eval_runs_newest ON eval_runs (organization_id, started_at DESC, id DESC);

CREATE TABLE eval_cases (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    run_id uuid NOT NULL,
    position integer NOT NULL CHECK (position >= 0),
    -- how the data set calls the case; a case that is played several times has a row for each
    key text NOT NULL,
    language text NOT NULL,
    -- what is played and expected
    definition jsonb NOT NULL,
    status text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'done')),
    is_passed boolean,
    -- scorer -> value, whether it is good enough, and why
    scores jsonb NOT NULL DEFAULT '{}',
    -- what the agent did: its run in the throw-away organization, read back before that went
    trace jsonb,
    agent_run_id uuid,
    error text NOT NULL DEFAULT '',
    cost_usd_micros bigint NOT NULL DEFAULT 0,
    latency_ms integer NOT NULL DEFAULT 0,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, run_id, position),
    FOREIGN KEY (organization_id, run_id) REFERENCES eval_runs (organization_id, id) ON DELETE CASCADE,
    CHECK ((status = 'done') = (is_passed IS NOT NULL))
);

SELECT secure_tenant_table('eval_runs'::regclass), secure_tenant_table('eval_cases'::regclass);
