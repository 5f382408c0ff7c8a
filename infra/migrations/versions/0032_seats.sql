-- Seats with languages, hours, capacity and budgets of a day; what earns autonomy, and what takes it back.
SET LOCAL lock_timeout = '5s';

-- `languages` empty: any. `time_zone` empty: the organization's. Limits that are NULL: none. `assigned_at` is when the
-- seat was last given a conversation, so that turns can be taken.
ALTER TABLE bidi
    ADD COLUMN languages text[] NOT NULL DEFAULT '{}',
    ADD COLUMN time_zone text NOT NULL DEFAULT '',
    ADD COLUMN capacity int CHECK (capacity > 0),
    ADD COLUMN max_runs_a_day int CHECK (max_runs_a_day >= 0),
    ADD COLUMN max_tokens_a_day bigint CHECK (max_tokens_a_day >= 0),
    ADD COLUMN max_cost_usd_micros_a_day bigint CHECK (max_cost_usd_micros_a_day >= 0),
    ADD COLUMN version int NOT NULL DEFAULT 1,
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN archived_at timestamptz,
    ADD COLUMN assigned_at timestamptz,
    ADD CONSTRAINT bidi_archived_is_paused CHECK (archived_at IS NULL OR is_paused);
-- A member sits on one seat at a time.
CREATE UNIQUE INDEX bidi_one_of_user ON bidi (organization_id, user_id)
    WHERE user_id IS NOT NULL AND archived_at IS NULL;

-- What all seats together may use in a day, and whether an intent that was earned goes on autopilot by itself.
ALTER TABLE organizations
    ADD COLUMN max_runs_a_day int CHECK (max_runs_a_day >= 0),
    ADD COLUMN max_tokens_a_day bigint CHECK (max_tokens_a_day >= 0),
    ADD COLUMN max_cost_usd_micros_a_day bigint CHECK (max_cost_usd_micros_a_day >= 0),
    ADD COLUMN promotes_seats boolean NOT NULL DEFAULT false;

-- An account belongs to one seat, or to all of them.
ALTER TABLE channel_accounts
    ADD COLUMN bidi_id uuid,
    ADD FOREIGN KEY (organization_id, bidi_id) REFERENCES bidi (organization_id, id);
CREATE INDEX channel_accounts_of_bidi ON channel_accounts (organization_id, bidi_id) WHERE bidi_id IS NOT NULL;

-- What the contact wanted when the reply was written, as triage named it.
ALTER TABLE drafts ADD COLUMN intents text[] NOT NULL DEFAULT '{}';

-- A reply that was taken back or complained about.
CREATE TABLE reply_incidents (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    draft_id uuid NOT NULL,
    bidi_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('recalled', 'complained')),
    note text NOT NULL DEFAULT '',
    noted_by uuid NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, draft_id),
    FOREIGN KEY (organization_id, draft_id) REFERENCES drafts (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, bidi_id) REFERENCES bidi (organization_id, id)
);
CREATE INDEX reply_incidents_of_bidi ON reply_incidents (organization_id, bidi_id);

-- What a seat does now, what it did in a day, and what it wrote.
CREATE INDEX runs_open_of_bidi ON runs (organization_id, bidi_id) WHERE status IN ('queued', 'running', 'waiting');
CREATE INDEX runs_of_bidi ON runs (organization_id, bidi_id, created_at);
CREATE INDEX drafts_of_bidi ON drafts (organization_id, bidi_id, created_at);
CREATE INDEX messages_of_author ON messages (organization_id, author_id, occurred_at) WHERE direction = 'out';
CREATE INDEX conversations_of_holder ON conversations (organization_id, holder_id) WHERE holder_id IS NOT NULL;

SELECT secure_tenant_table('reply_incidents'::regclass);
