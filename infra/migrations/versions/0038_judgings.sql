-- What a language model as a judge said about the cases of an evaluation.
SET LOCAL lock_timeout = '5s';

CREATE TABLE eval_judgings (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    run_id uuid NOT NULL,
    -- the judge: its model, the library with its version, and of every metric the prompts with their hash
    model text NOT NULL,
    library text NOT NULL,
    prompts jsonb NOT NULL,
    -- chooses the cases, and is given to the model
    seed bigint NOT NULL,
    cases integer NOT NULL CHECK (cases > 0),
    -- metric -> mean of what was judged, how many that are, and how often the judge failed
    figures jsonb NOT NULL,
    -- a judge that failed on any case makes a judging that did not pass
    is_passed boolean NOT NULL,
    cost_usd_micros bigint NOT NULL,
    judged_by uuid NOT NULL,
    judged_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, run_id) REFERENCES eval_runs (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX eval_judgings_of_run ON eval_judgings (organization_id, run_id, judged_at DESC);

CREATE TABLE eval_judgements (
    organization_id uuid NOT NULL,
    judging_id uuid NOT NULL,
    case_id uuid NOT NULL,
    metric text NOT NULL,
    value double precision CHECK (value BETWEEN 0 AND 1),
    -- why there is no value
    failure text NOT NULL DEFAULT '',
    PRIMARY KEY (organization_id, judging_id, case_id, metric),
    FOREIGN KEY (organization_id, judging_id) REFERENCES eval_judgings (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, case_id) REFERENCES eval_cases (organization_id, id) ON DELETE CASCADE,
    CHECK ((value IS NULL) = (failure <> ''))
);

SELECT secure_tenant_table('eval_judgings'::regclass), secure_tenant_table('eval_judgements'::regclass);
