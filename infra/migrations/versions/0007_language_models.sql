-- The language models of an organization, and what each call used.
SET LOCAL lock_timeout = '5s';

CREATE TABLE language_models (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    base_url text NOT NULL,
    model text NOT NULL CHECK (model <> ''),
    api_key bytea,
    tool_choice text NOT NULL DEFAULT 'native' CHECK (tool_choice IN ('native', 'structured')),
    is_small boolean NOT NULL DEFAULT false,
    context_tokens int NOT NULL DEFAULT 32768 CHECK (context_tokens >= 4096),
    output_tokens int NOT NULL DEFAULT 0 CHECK (output_tokens >= 0),
    price_in_usd_micros bigint NOT NULL DEFAULT 0 CHECK (price_in_usd_micros >= 0),
    price_out_usd_micros bigint NOT NULL DEFAULT 0 CHECK (price_out_usd_micros >= 0),
    fallback_id uuid,
    is_default boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, name),
    FOREIGN KEY (organization_id, fallback_id) REFERENCES language_models (organization_id, id),
    CHECK (fallback_id IS DISTINCT FROM id)
);
CREATE UNIQUE INDEX language_models_one_default ON language_models (organization_id) WHERE is_default;

CREATE TABLE model_calls (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    run_id uuid NOT NULL,
    task text NOT NULL,
    model text NOT NULL,
    attempt int NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('answered', 'limited', 'refused', 'failed', 'broken', 'cut_off')),
    usage_from text NOT NULL CHECK (usage_from IN ('provider', 'estimate', 'none')),
    tokens_in int NOT NULL,
    tokens_out int NOT NULL,
    cost_usd_micros bigint NOT NULL,
    started_at timestamptz NOT NULL,
    latency_ms int NOT NULL,
    first_token_ms int,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, run_id) REFERENCES runs (organization_id, id)
);
CREATE INDEX model_calls_by_run ON model_calls (organization_id, run_id);
CREATE INDEX model_calls_by_time ON model_calls (organization_id, started_at);

SELECT secure_tenant_table('language_models'::regclass);
SELECT secure_tenant_table('model_calls'::regclass);
