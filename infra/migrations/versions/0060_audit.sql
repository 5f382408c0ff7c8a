-- From where somebody acted, and the chain that the events of an organization are sealed into.
SET LOCAL lock_timeout = '5s';

-- By which door, with which session or API key, and who answers for the AI seat that acted: ids and closed sets.
ALTER TABLE events
    ADD COLUMN via text CHECK (via IN ('page', 'api', 'mcp', 'command')),
    ADD COLUMN credential_id uuid,
    ADD COLUMN responsible_id uuid;

-- What can be erased of where somebody was stands apart from the event, as its values do.
CREATE TABLE event_origins (
    organization_id uuid NOT NULL,
    event_id uuid NOT NULL,
    address text NOT NULL,
    agent text NOT NULL,
    PRIMARY KEY (organization_id, event_id),
    FOREIGN KEY (organization_id, event_id) REFERENCES events (organization_id, id)
);

-- What the relay has taken up and no link holds yet. Writers do not touch it, so that they never wait for each other.
CREATE TABLE audit_waiting (
    organization_id uuid NOT NULL,
    event_id uuid NOT NULL,
    PRIMARY KEY (organization_id, event_id),
    FOREIGN KEY (organization_id, event_id) REFERENCES events (organization_id, id)
);

-- One link an event. `hash` covers the link before, the event's ids and the keyed hashes of its values and its origin,
-- which stay when those are erased.
CREATE TABLE audit_links (
    organization_id uuid NOT NULL,
    position bigint NOT NULL CHECK (position > 0),
    event_id uuid NOT NULL,
    sealed_at timestamptz NOT NULL,
    changes_hash bytea,
    origin_hash bytea,
    hash bytea NOT NULL,
    PRIMARY KEY (organization_id, position),
    UNIQUE (organization_id, event_id),
    FOREIGN KEY (organization_id, event_id) REFERENCES events (organization_id, id)
);

-- What was erased of a sealed event, and a keyed hash that only the product can make: who merely deletes has no mark.
CREATE TABLE audit_erasures (
    organization_id uuid NOT NULL,
    event_id uuid NOT NULL,
    part text NOT NULL CHECK (part IN ('changes', 'origin')),
    erased_at timestamptz NOT NULL DEFAULT now(),
    mark bytea NOT NULL,
    PRIMARY KEY (organization_id, event_id, part),
    FOREIGN KEY (organization_id, event_id) REFERENCES events (organization_id, id)
);

SELECT secure_tenant_table(name::regclass)
  FROM unnest(ARRAY['event_origins', 'audit_waiting', 'audit_links', 'audit_erasures']) AS tables (name);

-- append-only for every login; values go by an erasure, which is the worker's
REVOKE UPDATE, DELETE ON audit_links, audit_erasures, event_origins FROM getsale_app, getsale_worker;
REVOKE INSERT ON audit_links, audit_erasures, audit_waiting FROM getsale_app;
REVOKE UPDATE ON audit_waiting FROM getsale_app, getsale_worker;
REVOKE DELETE ON audit_waiting FROM getsale_app;
REVOKE UPDATE ON event_changes FROM getsale_app, getsale_worker;
REVOKE DELETE ON event_changes FROM getsale_app;
GRANT DELETE ON event_origins TO getsale_worker;

-- the relay moves events of any tenant here, ids only; whoever seals sees those of one
CREATE POLICY audit_waiting_claim ON audit_waiting FOR INSERT TO getsale_worker WITH CHECK (true);

-- What happened before there was a chain is sealed first. Whoever owns the tables is bound by their policies too, so
-- these are lifted for the two statements.
ALTER TABLE events NO FORCE ROW LEVEL SECURITY;
ALTER TABLE event_deliveries NO FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_waiting NO FORCE ROW LEVEL SECURITY;
ALTER TABLE due_work NO FORCE ROW LEVEL SECURITY;
INSERT INTO audit_waiting (organization_id, event_id)
SELECT e.organization_id, e.id
  FROM events e
 WHERE NOT EXISTS (
       SELECT FROM event_deliveries d
        WHERE (d.organization_id, d.event_id) = (e.organization_id, e.id)
          AND d.handler = 'route');
INSERT INTO due_work (organization_id, id, kind, subject_id, due_at)
SELECT DISTINCT ON (organization_id) organization_id, gen_random_uuid(), 'audit.seal', organization_id, now()
  FROM audit_waiting;
ALTER TABLE events FORCE ROW LEVEL SECURITY;
ALTER TABLE event_deliveries FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_waiting FORCE ROW LEVEL SECURITY;
ALTER TABLE due_work FORCE ROW LEVEL SECURITY;
