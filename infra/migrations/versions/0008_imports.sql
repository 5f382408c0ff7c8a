-- Imports, and what each made, so that it can go on after a kill and be undone as a whole.
SET LOCAL lock_timeout = '5s';

-- An account whose talks were imported: nothing listens to it and nothing can be sent over it.
ALTER TABLE channel_accounts DROP CONSTRAINT channel_accounts_delivery_check;
ALTER TABLE channel_accounts ADD CONSTRAINT channel_accounts_delivery_check
    CHECK (delivery IN ('polling', 'webhook', 'imap', 'import'));

CREATE TABLE imports (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('telegram_desktop')),
    label text NOT NULL,
    fingerprint text NOT NULL,
    status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'finished', 'undoing', 'undone')),
    channel_account_id uuid NOT NULL,
    member_user_id uuid NOT NULL,
    total int NOT NULL,
    position int NOT NULL DEFAULT 0,
    contacts_made int NOT NULL DEFAULT 0,
    contacts_found int NOT NULL DEFAULT 0,
    conversations int NOT NULL DEFAULT 0,
    messages int NOT NULL DEFAULT 0,
    files int NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    undone_at timestamptz,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, channel_account_id) REFERENCES channel_accounts (organization_id, id)
);
-- The same file is imported once; after an undo it may come again.
CREATE UNIQUE INDEX imports_once ON imports (organization_id, kind, fingerprint) WHERE status <> 'undone';

-- What an import made and an undo takes away again; its messages are told by messages.import_id.
CREATE TABLE import_records (
    organization_id uuid NOT NULL,
    import_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('contact', 'handle', 'conversation')),
    record_id uuid NOT NULL,
    PRIMARY KEY (organization_id, import_id, kind, record_id),
    FOREIGN KEY (organization_id, import_id) REFERENCES imports (organization_id, id)
);

ALTER TABLE messages ADD COLUMN import_id uuid;
ALTER TABLE messages ADD FOREIGN KEY (organization_id, import_id) REFERENCES imports (organization_id, id);
CREATE INDEX messages_of_import ON messages (organization_id, import_id, conversation_id) WHERE import_id IS NOT NULL;

SELECT secure_tenant_table('imports'::regclass), secure_tenant_table('import_records'::regclass);
