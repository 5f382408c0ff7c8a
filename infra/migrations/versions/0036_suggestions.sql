-- What agents suggest, the promises that were made in conversations, and what a run without a thread is about.
SET LOCAL lock_timeout = '5s';

-- A run that serves no conversation may still be about one thing: the deal that stands still, the promise that is due,
-- the conversation that came to rest.
ALTER TABLE runs
    ADD COLUMN about_kind text CHECK (about_kind IN ('conversation', 'deal', 'promise')),
    ADD COLUMN about_id uuid,
    ADD CONSTRAINT runs_are_about_one_thing CHECK ((about_kind IS NULL) = (about_id IS NULL));
CREATE INDEX runs_about ON runs (organization_id, about_id, agent, id) WHERE about_id IS NOT NULL;

-- One seat of each of these agents works for an organization.
DROP INDEX bidi_one_copilot;
CREATE UNIQUE INDEX bidi_one_of_agent ON bidi (organization_id, agent)
    WHERE agent IN ('copilot', 'follow_up', 'memory_writer');

-- Somebody said that they would do something by a time. `quote` are the words of the message.
CREATE TABLE promises (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    message_id uuid NOT NULL,
    is_ours boolean NOT NULL,
    quote text NOT NULL CHECK (length(quote) BETWEEN 1 AND 500),
    due_at timestamptz NOT NULL,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'kept', 'dropped')),
    kept_message_id uuid,
    noted_at timestamptz NOT NULL DEFAULT now(),
    run_id uuid,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, message_id, quote),
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversations (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, message_id) REFERENCES messages (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, kept_message_id) REFERENCES messages (organization_id, id),
    FOREIGN KEY (organization_id, run_id) REFERENCES runs (organization_id, id),
    CHECK (status = 'kept' OR kept_message_id IS NULL)
);
CREATE INDEX promises_of_conversation ON promises (organization_id, conversation_id, due_at);

-- A next step that an agent proposes: `calls` are the tool calls that happen once somebody accepts it.
CREATE TABLE suggestions (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('promise', 'stalled_deal')),
    record_kind text NOT NULL CHECK (record_kind IN ('contact', 'company', 'lead', 'deal')),
    record_id uuid NOT NULL,
    promise_id uuid,
    conversation_id uuid,
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 300),
    why text NOT NULL DEFAULT '',
    evidence jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(evidence) = 'array'),
    calls jsonb NOT NULL CHECK (jsonb_typeof(calls) = 'array' AND jsonb_array_length(calls) BETWEEN 1 AND 5),
    is_tainted boolean NOT NULL,
    run_id uuid NOT NULL,
    bidi_id uuid NOT NULL,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'accepted', 'dismissed', 'expired')),
    expires_at timestamptz NOT NULL,
    decided_by uuid,
    decided_at timestamptz,
    reason text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    CHECK ((kind = 'promise') = (promise_id IS NOT NULL)),
    FOREIGN KEY (organization_id, promise_id) REFERENCES promises (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversations (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, run_id) REFERENCES runs (organization_id, id),
    FOREIGN KEY (organization_id, bidi_id) REFERENCES bidi (organization_id, id)
);
-- About one thing of one kind there is one open suggestion.
CREATE UNIQUE INDEX suggestions_one_open ON suggestions (organization_id, kind, coalesce(promise_id, record_id))
    WHERE status = 'open';
CREATE INDEX suggestions_by_target ON suggestions (organization_id, kind, coalesce(promise_id, record_id), decided_at);
CREATE INDEX suggestions_by_record ON suggestions (organization_id, record_kind, record_id, created_at DESC, id DESC);
CREATE INDEX suggestions_open ON suggestions (organization_id, id) WHERE status = 'open';

-- The calls of a suggestion that was accepted are calls that somebody approved.
ALTER TABLE approvals
    ADD COLUMN suggestion_id uuid,
    ADD FOREIGN KEY (organization_id, suggestion_id) REFERENCES suggestions (organization_id, id) ON DELETE SET NULL (suggestion_id);
CREATE INDEX approvals_of_suggestion ON approvals (organization_id, suggestion_id) WHERE suggestion_id IS NOT NULL;

SELECT secure_tenant_table('promises'::regclass), secure_tenant_table('suggestions'::regclass);
