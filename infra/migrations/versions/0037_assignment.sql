-- Rules that give new conversations and leads to seats, and what becomes of those that nobody can take.
SET LOCAL lock_timeout = '5s';

-- Looked at in the order of `position`. An empty `channel` is any, no segment everybody.
CREATE TABLE assignment_rules (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    record_kind text NOT NULL CHECK (record_kind IN ('conversation', 'lead')),
    name text NOT NULL CHECK (name <> ''),
    position int NOT NULL,
    segment_id uuid,
    channel text NOT NULL DEFAULT '',
    way text NOT NULL CHECK (way IN ('in_turn', 'least_loaded')),
    is_enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version int NOT NULL DEFAULT 1,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, segment_id) REFERENCES segments (organization_id, id)
);

-- `assigned_at` is when a rule last gave the seat something, so that turns can be taken. It stands here and not on the
-- seat: whoever assigns holds a conversation already, and seats are locked before those.
CREATE TABLE assignment_rule_seats (
    organization_id uuid NOT NULL,
    rule_id uuid NOT NULL,
    bidi_id uuid NOT NULL,
    assigned_at timestamptz,
    PRIMARY KEY (organization_id, rule_id, bidi_id),
    FOREIGN KEY (organization_id, rule_id) REFERENCES assignment_rules (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, bidi_id) REFERENCES bidi (organization_id, id)
);
CREATE INDEX assignment_rule_seats_of_bidi ON assignment_rule_seats (organization_id, bidi_id);

-- Why nobody holds it although there are rules: no_rule, nobody_free.
ALTER TABLE conversations ADD COLUMN unassigned_why text CHECK (unassigned_why IN ('no_rule', 'nobody_free'));
CREATE INDEX conversations_unassigned ON conversations (organization_id, last_message_at)
    WHERE unassigned_why IS NOT NULL;

-- Whether what a seat holds goes to others when it is paused. What nothing ever read goes.
ALTER TABLE organizations
    ADD COLUMN reassigns_paused boolean NOT NULL DEFAULT true,
    DROP COLUMN promotes_seats;
ALTER TABLE bidi DROP COLUMN assigned_at;

SELECT secure_tenant_table('assignment_rules'::regclass);
SELECT secure_tenant_table('assignment_rule_seats'::regclass);
