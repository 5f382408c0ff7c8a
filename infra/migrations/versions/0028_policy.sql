-- A tool call may wait for a person; an organization tightens the policy; seats on autopilot have limits.
SET LOCAL lock_timeout = '5s';

-- asked: a person has to decide about it first; it is carried out once they have.
ALTER TABLE tool_calls
    DROP CONSTRAINT tool_calls_status_check,
    ADD CONSTRAINT tool_calls_status_check CHECK (status IN ('running', 'asked', 'done', 'refused', 'failed'));

-- An approval is about a draft, or about a tool call of a run. `scope` is what whoever decides must hold themselves,
-- `records` the records that the call is about, at the version that the agent saw, and `marks` what to look at first.
ALTER TABLE approvals
    ALTER COLUMN draft_id DROP NOT NULL,
    ADD COLUMN kind text NOT NULL DEFAULT 'draft' CHECK (kind IN ('draft', 'tool_call')),
    ADD COLUMN tool_call_id uuid,
    ADD COLUMN run_id uuid,
    ADD COLUMN bidi_id uuid,
    ADD COLUMN scope text NOT NULL DEFAULT 'drafts:approve',
    ADD COLUMN records jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(records) = 'array'),
    ADD COLUMN marks jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(marks) = 'array'),
    ADD CONSTRAINT approvals_are_about_one_thing
        CHECK ((kind = 'draft') = (draft_id IS NOT NULL) AND (kind = 'tool_call') = (tool_call_id IS NOT NULL)),
    ADD UNIQUE (organization_id, tool_call_id),
    ADD FOREIGN KEY (organization_id, tool_call_id) REFERENCES tool_calls (organization_id, id),
    ADD FOREIGN KEY (organization_id, run_id) REFERENCES runs (organization_id, id),
    ADD FOREIGN KEY (organization_id, bidi_id) REFERENCES bidi (organization_id, id);
-- The same call of the same run waits once.
CREATE UNIQUE INDEX approvals_one_open_call ON approvals (organization_id, content_hash)
    WHERE kind = 'tool_call' AND status = 'open';
CREATE INDEX approvals_open ON approvals (organization_id, kind, id) WHERE status = 'open';
CREATE INDEX approvals_decided ON approvals (organization_id, decided_at DESC NULLS LAST, kind, id)
    WHERE status IN ('approved', 'rejected', 'expired');
CREATE INDEX approvals_by_run ON approvals (organization_id, run_id) WHERE run_id IS NOT NULL;

-- What a seat on autopilot may do by itself: the intents it answers, replies a day, and when.
ALTER TABLE bidi
    ADD COLUMN autopilot_intents text[] NOT NULL DEFAULT '{}',
    ADD COLUMN daily_cap int NOT NULL DEFAULT 20 CHECK (daily_cap >= 0),
    ADD COLUMN working_hours jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(working_hours) = 'object');

-- Seats that were made before companies could be written by agents.
ALTER TABLE bidi NO FORCE ROW LEVEL SECURITY;
UPDATE bidi
   SET scopes = scopes || ARRAY['companies:write']
 WHERE kind = 'ai'
   AND 'contacts:write' = ANY (scopes)
   AND NOT 'companies:write' = ANY (scopes);
ALTER TABLE bidi FORCE ROW LEVEL SECURITY;

-- Where an organization is stricter than the policy of the product, or looser where that may be: one row per cell of
-- the matrix (tools/policy.py). The latest decision stands; what it was before is in the events.
CREATE TABLE policy_overrides (
    organization_id uuid NOT NULL,
    rule text NOT NULL,
    autonomy text NOT NULL CHECK (autonomy IN ('observe', 'suggest', 'assist', 'autopilot')),
    decision text NOT NULL CHECK (decision IN ('allow', 'ask', 'deny')),
    set_by uuid NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, rule, autonomy)
);

SELECT secure_tenant_table('policy_overrides'::regclass);
