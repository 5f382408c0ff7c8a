-- Scopes of API keys, saved answers, outgoing webhooks.
SET LOCAL lock_timeout = '5s';

-- saved answers ----------------------------------------------------------------------------------------------------
-- What a POST under an Idempotency-Key came to. Without a status it is being worked on until its lease ends.
CREATE TABLE saved_answers (
    organization_id uuid NOT NULL,
    caller_id uuid NOT NULL,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint bytea NOT NULL,
    fence int NOT NULL DEFAULT 1,
    lease_until timestamptz NOT NULL,
    claimed_at timestamptz NOT NULL,
    status int,
    media_type text,
    content bytea,
    PRIMARY KEY (organization_id, caller_id, key),
    CHECK ((status IS NULL) = (content IS NULL) AND (status IS NULL) = (media_type IS NULL))
);
CREATE INDEX saved_answers_by_age ON saved_answers (organization_id, claimed_at);

SELECT secure_tenant_table('saved_answers'::regclass);
