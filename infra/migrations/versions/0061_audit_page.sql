-- Looking events up by who did them, and verifications that somebody asked for.
SET LOCAL lock_timeout = '5s';

CREATE INDEX events_by_actor ON events (organization_id, actor_id, id);

-- What a walk over the chain found. `fault` is NULL where it was whole.
CREATE TABLE audit_verifications (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    asked_by uuid NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    sealed bigint NOT NULL DEFAULT 0,
    anchors int NOT NULL DEFAULT 0,
    erased bigint NOT NULL DEFAULT 0,
    fault text CHECK (fault IN ('event_deleted', 'event_changed', 'event_inserted', 'link_deleted', 'values_changed',
                                'values_deleted', 'values_inserted', 'chain_cut', 'chain_rewritten', 'anchor_changed',
                                'anchors_deleted', 'other_key', 'not_done')),
    position bigint,
    event_id uuid,
    line int,
    PRIMARY KEY (organization_id, id)
);

SELECT secure_tenant_table('audit_verifications'::regclass);
