-- A run may answer a colleague instead of serving a conversation; those of the inbox agent serve one, always.
SET LOCAL lock_timeout = '5s';

ALTER TABLE runs ALTER COLUMN conversation_id DROP NOT NULL;
ALTER TABLE runs ADD CONSTRAINT runs_inbox_serves_a_conversation
    CHECK (agent <> 'inbox' OR conversation_id IS NOT NULL);

-- One seat answers the questions of an organization's members.
CREATE UNIQUE INDEX bidi_one_copilot ON bidi (organization_id) WHERE agent = 'copilot';

-- What one member asked the copilot about one thing after the other; nobody else reads it.
CREATE TABLE copilot_chats (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    member_id uuid NOT NULL,
    title text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    asked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, member_id) REFERENCES members (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX copilot_chats_of_member ON copilot_chats (organization_id, member_id, asked_at DESC, id DESC);

-- A question with its answer. `about` is what the member looked at when asking, if that was a record.
CREATE TABLE copilot_questions (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    chat_id uuid NOT NULL,
    question text NOT NULL CHECK (length(question) BETWEEN 1 AND 4000),
    about_kind text CHECK (about_kind IN ('contact', 'company', 'lead', 'deal', 'conversation')),
    about_id uuid,
    run_id uuid NOT NULL,
    status text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'answered', 'stopped', 'failed')),
    answer text NOT NULL DEFAULT '',
    citations jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(citations) = 'array'),
    reason text NOT NULL DEFAULT '',
    asked_at timestamptz NOT NULL DEFAULT now(),
    answered_at timestamptz,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, run_id),
    CHECK ((about_kind IS NULL) = (about_id IS NULL)),
    FOREIGN KEY (organization_id, chat_id) REFERENCES copilot_chats (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, run_id) REFERENCES runs (organization_id, id)
);
CREATE INDEX copilot_questions_of_chat ON copilot_questions (organization_id, chat_id, id);
-- A chat waits for one answer at a time.
CREATE UNIQUE INDEX copilot_one_waiting ON copilot_questions (organization_id, chat_id) WHERE status = 'waiting';

SELECT secure_tenant_table('copilot_chats'::regclass), secure_tenant_table('copilot_questions'::regclass);
