-- What went into the calls of language models, and what came out: kept for some days beside the account of the call.
SET LOCAL lock_timeout = '5s';

CREATE TABLE model_exchanges (
    organization_id uuid NOT NULL,
    call_id uuid NOT NULL,
    asked_at timestamptz NOT NULL,
    -- the turns as they were sent, and the one that came back
    messages jsonb NOT NULL,
    answer jsonb NOT NULL,
    -- the names of the tools that were offered
    tools text[] NOT NULL,
    PRIMARY KEY (organization_id, call_id),
    FOREIGN KEY (organization_id, call_id) REFERENCES model_calls (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX model_exchanges_by_time ON model_exchanges (organization_id, asked_at);

SELECT secure_tenant_table('model_exchanges'::regclass);

-- Seats that ask people about calls may take back what they asked. An owner under FORCE sees no row.
ALTER TABLE bidi NO FORCE ROW LEVEL SECURITY;
UPDATE bidi
   SET scopes = scopes || '{approvals:write}'
 WHERE agent IN ('inbox', 'copilot', 'api')
   AND NOT 'approvals:write' = ANY(scopes);
ALTER TABLE bidi FORCE ROW LEVEL SECURITY;
