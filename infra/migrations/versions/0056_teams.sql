-- Teams of members, and the first steps of an organization until they are put away.
SET LOCAL lock_timeout = '5s';

CREATE TABLE teams (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id)
);
CREATE UNIQUE INDEX teams_by_name ON teams (organization_id, lower(name));

CREATE TABLE team_members (
    organization_id uuid NOT NULL,
    team_id uuid NOT NULL,
    member_id uuid NOT NULL,
    is_lead boolean NOT NULL DEFAULT false,
    PRIMARY KEY (organization_id, team_id, member_id),
    FOREIGN KEY (organization_id, team_id) REFERENCES teams (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, member_id) REFERENCES members (organization_id, id)
);
CREATE INDEX team_members_by_member ON team_members (organization_id, member_id);
CREATE UNIQUE INDEX team_members_lead ON team_members (organization_id, team_id) WHERE is_lead;

ALTER TABLE organizations ADD COLUMN first_steps_put_away_at timestamptz;

SELECT secure_tenant_table('teams'::regclass), secure_tenant_table('team_members'::regclass);
