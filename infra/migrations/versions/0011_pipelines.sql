-- Pipelines with rules, leads, deals with stakeholders.
SET LOCAL lock_timeout = '5s';

-- pipelines and stages ---------------------------------------------------------------------------------------------
ALTER TABLE pipelines
    ADD COLUMN version int NOT NULL DEFAULT 1,
    ADD COLUMN created_at timestamptz NOT NULL DEFAULT now();

-- `probability` holds for deals that have none of their own, `limit_hours` is how long a record may stay (SLA).
-- Rules are {"rule": ...} objects, see crm/pipelines/rules.py. A removed stage stays for the history; it has no place.
ALTER TABLE stages
    ADD COLUMN probability int NOT NULL DEFAULT 0 CHECK (probability BETWEEN 0 AND 100),
    ADD COLUMN limit_hours int CHECK (limit_hours > 0),
    ADD COLUMN allowed_actions text[] NOT NULL
        DEFAULT '{advance,skip,return,win,lose,reopen,convert,edit,delete}',
    ADD COLUMN entry_rules jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(entry_rules) = 'array'),
    ADD COLUMN exit_rules jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(exit_rules) = 'array'),
    ADD COLUMN removed_at timestamptz,
    ADD UNIQUE (organization_id, pipeline_id, id),
    ALTER COLUMN position DROP NOT NULL,
    ADD CHECK ((position IS NULL) = (removed_at IS NOT NULL)),
    DROP CONSTRAINT stages_organization_id_pipeline_id_position_key,
    -- checked at the end of a statement, so that one can reorder all stages
    ADD UNIQUE (organization_id, pipeline_id, position) DEFERRABLE INITIALLY IMMEDIATE;

-- What an event does to a record that stands in a stage: it goes on to a later one.
CREATE TABLE stage_transitions (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    pipeline_id uuid NOT NULL,
    stage_id uuid NOT NULL,
    record_kind text NOT NULL CHECK (record_kind IN ('lead', 'deal')),
    event_type text NOT NULL CHECK (event_type IN ('message.received', 'message.sent', 'task.completed',
        'meeting.created', 'meeting.held', 'deal.created', 'deal.closed')),
    to_stage_id uuid NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, stage_id, record_kind, event_type),
    CHECK (stage_id <> to_stage_id),
    FOREIGN KEY (organization_id, pipeline_id, stage_id) REFERENCES stages (organization_id, pipeline_id, id),
    FOREIGN KEY (organization_id, pipeline_id, to_stage_id) REFERENCES stages (organization_id, pipeline_id, id)
);
CREATE INDEX stage_transitions_by_event ON stage_transitions (organization_id, event_type, record_kind);

-- leads ------------------------------------------------------------------------------------------------------------
CREATE TABLE leads (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    contact_id uuid NOT NULL,
    pipeline_id uuid NOT NULL,
    stage_id uuid NOT NULL,
    stage_entered_at timestamptz NOT NULL DEFAULT now(),
    owner_id uuid,
    bidi_id uuid,
    source text NOT NULL DEFAULT '',
    next_step text NOT NULL DEFAULT '',
    lost_reason text NOT NULL DEFAULT '',
    converted_at timestamptz,
    closed_at timestamptz,
    version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, contact_id) REFERENCES contacts (organization_id, id),
    FOREIGN KEY (organization_id, pipeline_id, stage_id) REFERENCES stages (organization_id, pipeline_id, id),
    FOREIGN KEY (organization_id, owner_id) REFERENCES members (organization_id, id),
    FOREIGN KEY (organization_id, bidi_id) REFERENCES bidi (organization_id, id)
);
-- A person is in a pipeline once; a deleted lead makes room for another.
CREATE UNIQUE INDEX leads_one_per_pipeline ON leads (organization_id, contact_id, pipeline_id) WHERE deleted_at IS NULL;
CREATE INDEX leads_by_stage ON leads (organization_id, stage_id, stage_entered_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX leads_by_change ON leads (organization_id, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX leads_by_owner ON leads (organization_id, owner_id, id) WHERE deleted_at IS NULL;

-- deals ------------------------------------------------------------------------------------------------------------
ALTER TABLE deals
    ADD COLUMN pipeline_id uuid,
    ADD COLUMN stage_entered_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN probability int CHECK (probability BETWEEN 0 AND 100),
    ADD COLUMN owner_id uuid,
    ADD COLUMN bidi_id uuid,
    ADD COLUMN lead_id uuid,
    ADD COLUMN lost_reason text NOT NULL DEFAULT '',
    ADD COLUMN closed_at timestamptz,
    ADD COLUMN custom jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(custom) = 'object'),
    ADD COLUMN deleted_at timestamptz;
-- the owner's own UPDATE would see no row through forced policies
ALTER TABLE deals NO FORCE ROW LEVEL SECURITY;
ALTER TABLE stages NO FORCE ROW LEVEL SECURITY;
UPDATE deals d
   SET pipeline_id = s.pipeline_id,
       stage_entered_at = d.updated_at,
       closed_at = CASE WHEN s.outcome <> 'open' THEN d.updated_at END
  FROM stages s
 WHERE s.organization_id = d.organization_id
   AND s.id = d.stage_id;
UPDATE stages
   SET probability = CASE outcome WHEN 'won' THEN 100 WHEN 'lost' THEN 0 ELSE least(90, 10 + 15 * position) END;
ALTER TABLE stages FORCE ROW LEVEL SECURITY;
ALTER TABLE deals
    FORCE ROW LEVEL SECURITY,
    ALTER COLUMN pipeline_id SET NOT NULL,
    DROP CONSTRAINT deals_organization_id_stage_id_fkey,
    ADD FOREIGN KEY (organization_id, pipeline_id, stage_id) REFERENCES stages (organization_id, pipeline_id, id),
    ADD FOREIGN KEY (organization_id, owner_id) REFERENCES members (organization_id, id),
    ADD FOREIGN KEY (organization_id, bidi_id) REFERENCES bidi (organization_id, id),
    ADD FOREIGN KEY (organization_id, lead_id) REFERENCES leads (organization_id, id);
CREATE INDEX deals_by_stage ON deals (organization_id, stage_id, stage_entered_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX deals_by_change ON deals (organization_id, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX deals_by_owner ON deals (organization_id, owner_id, id) WHERE deleted_at IS NULL;
CREATE INDEX deals_by_amount ON deals (organization_id, amount_minor, id) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX deals_by_lead ON deals (organization_id, lead_id) WHERE lead_id IS NOT NULL AND deleted_at IS NULL;

-- A deal's pipeline is its stage's, also where many rows are brought in at once.
CREATE FUNCTION deal_pipeline() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.pipeline_id := (SELECT s.pipeline_id FROM stages s
                         WHERE s.organization_id = NEW.organization_id AND s.id = NEW.stage_id);
    RETURN NEW;
END $$;
CREATE TRIGGER deals_pipeline BEFORE INSERT ON deals FOR EACH ROW WHEN (NEW.pipeline_id IS NULL)
    EXECUTE FUNCTION deal_pipeline();

CREATE TABLE deal_stakeholders (
    organization_id uuid NOT NULL,
    deal_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('decision_maker', 'champion', 'influencer', 'buyer', 'legal', 'user', 'blocker')),
    added_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, deal_id, contact_id, role),
    FOREIGN KEY (organization_id, deal_id) REFERENCES deals (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, contact_id) REFERENCES contacts (organization_id, id)
);
CREATE INDEX deal_stakeholders_by_contact ON deal_stakeholders (organization_id, contact_id);

-- history ----------------------------------------------------------------------------------------------------------
-- Every stay of a lead or a deal in a stage; exactly one of a record is open.
CREATE TABLE stage_visits (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    record_kind text NOT NULL CHECK (record_kind IN ('lead', 'deal')),
    record_id uuid NOT NULL,
    pipeline_id uuid NOT NULL,
    stage_id uuid NOT NULL,
    cause text NOT NULL CHECK (cause IN ('created', 'moved', 'converted', 'event', 'stage_removed')),
    actor_kind text NOT NULL,
    actor_id uuid NOT NULL,
    run_id uuid,
    entered_at timestamptz NOT NULL,
    left_at timestamptz CHECK (left_at >= entered_at),
    breached_at timestamptz,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, pipeline_id, stage_id) REFERENCES stages (organization_id, pipeline_id, id)
);
CREATE UNIQUE INDEX stage_visits_open ON stage_visits (organization_id, record_kind, record_id) WHERE left_at IS NULL;
CREATE INDEX stage_visits_of_record ON stage_visits (organization_id, record_kind, record_id, entered_at);

SELECT secure_tenant_table('stage_transitions'::regclass), secure_tenant_table('leads'::regclass),
       secure_tenant_table('deal_stakeholders'::regclass), secure_tenant_table('stage_visits'::regclass);

-- deals of before have been in their stage since they last changed
ALTER TABLE stage_visits NO FORCE ROW LEVEL SECURITY;
ALTER TABLE deals NO FORCE ROW LEVEL SECURITY;
INSERT INTO stage_visits (organization_id, id, record_kind, record_id, pipeline_id, stage_id, cause, actor_kind, actor_id, entered_at)
SELECT organization_id, gen_random_uuid(), 'deal', id, pipeline_id, stage_id, 'created', 'system',
       '00000000-0000-7000-8000-000000000001', stage_entered_at
  FROM deals;
ALTER TABLE deals FORCE ROW LEVEL SECURITY;
ALTER TABLE stage_visits FORCE ROW LEVEL SECURITY;

-- who works deals works leads
ALTER TABLE bidi NO FORCE ROW LEVEL SECURITY;
UPDATE bidi SET scopes = scopes || '{leads:read}' WHERE 'deals:read' = ANY (scopes) AND NOT 'leads:read' = ANY (scopes);
UPDATE bidi SET scopes = scopes || '{leads:write}' WHERE 'deals:write' = ANY (scopes) AND NOT 'leads:write' = ANY (scopes);
ALTER TABLE bidi FORCE ROW LEVEL SECURITY;
