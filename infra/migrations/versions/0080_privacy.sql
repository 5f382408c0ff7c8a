-- What people ask us for about themselves, and the addresses of those who were erased, as keyed hashes only.
SET LOCAL lock_timeout = '5s';

-- No foreign key to the contact, who is gone after an erasure. `contact_ids` are the person with those merged into them;
-- `found` says how many
-- rows of each table lead to them, `quoted` how many about others quote them, `left_over` what of both an erasure left, and
-- `held` what stays by law.
CREATE TABLE privacy_requests (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('export', 'erasure')),
    status text NOT NULL CHECK (status IN ('looking', 'waiting', 'running', 'done', 'failed', 'cancelled', 'forgotten')),
    contact_id uuid NOT NULL,
    contact_ids uuid[] NOT NULL DEFAULT '{}',
    why text NOT NULL,
    asked_by uuid NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL,
    confirmed_by uuid,
    found jsonb NOT NULL DEFAULT '{}',
    quoted jsonb NOT NULL DEFAULT '{}',
    left_over jsonb NOT NULL DEFAULT '{}',
    held jsonb NOT NULL DEFAULT '{}',
    blob_key text,
    size_bytes bigint,
    expires_at timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (organization_id, id)
);
CREATE INDEX privacy_requests_by_contact ON privacy_requests (organization_id, contact_id);

-- An import may not bring such an address back; `allowed_by` is who decided otherwise.
CREATE TABLE erased_handles (
    organization_id uuid NOT NULL,
    hash bytea NOT NULL,
    request_id uuid NOT NULL,
    erased_at timestamptz NOT NULL DEFAULT now(),
    allowed_at timestamptz,
    allowed_by uuid,
    PRIMARY KEY (organization_id, hash)
);

SELECT secure_tenant_table(name::regclass) FROM unnest(ARRAY['privacy_requests', 'erased_handles']) AS tables (name);
