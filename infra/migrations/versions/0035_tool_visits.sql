-- Programs call tools over REST and MCP, as one seat of the organization.
SET LOCAL lock_timeout = '5s';

CREATE UNIQUE INDEX bidi_one_api ON bidi (organization_id) WHERE agent = 'api';

-- Calls of one key, or of one session of a page, that follow each other are one run; this says whose it is.
CREATE TABLE tool_visits (
    organization_id uuid NOT NULL,
    run_id uuid NOT NULL,
    credential_id uuid NOT NULL,
    user_id uuid NOT NULL,
    PRIMARY KEY (organization_id, run_id),
    FOREIGN KEY (organization_id, run_id) REFERENCES runs (organization_id, id)
);
CREATE INDEX tool_visits_of_credential ON tool_visits (organization_id, credential_id, run_id);

SELECT secure_tenant_table('tool_visits'::regclass);
