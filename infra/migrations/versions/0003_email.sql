-- Mailboxes, mail threads and possible matches of contacts.
SET LOCAL lock_timeout = '5s';

-- accounts ---------------------------------------------------------------------------------------------------------
ALTER TABLE channel_accounts DROP CONSTRAINT channel_accounts_delivery_check;
ALTER TABLE channel_accounts ADD CONSTRAINT channel_accounts_delivery_check
    CHECK (delivery IN ('polling', 'webhook', 'imap'));

-- Where the mail of an account is read and handed in; its password is the account's secret.
CREATE TABLE mailboxes (
    organization_id uuid NOT NULL,
    channel_account_id uuid NOT NULL,
    imap_host text NOT NULL,
    imap_port int NOT NULL CHECK (imap_port BETWEEN 1 AND 65535),
    imap_security text NOT NULL CHECK (imap_security IN ('tls', 'starttls', 'plain')),
    smtp_host text NOT NULL,
    smtp_port int NOT NULL CHECK (smtp_port BETWEEN 1 AND 65535),
    smtp_security text NOT NULL CHECK (smtp_security IN ('tls', 'starttls', 'plain')),
    username text NOT NULL,
    sender_name text NOT NULL DEFAULT '',
    PRIMARY KEY (organization_id, channel_account_id),
    FOREIGN KEY (organization_id, channel_account_id) REFERENCES channel_accounts (organization_id, id)
);

-- How far a folder was read: the UIDs that were dealt with, under one UIDVALIDITY. A UID that is in the folder and
-- not in here is a gap, whatever came after it.
CREATE TABLE mail_folders (
    organization_id uuid NOT NULL,
    channel_account_id uuid NOT NULL,
    folder text NOT NULL,
    uid_validity bigint NOT NULL,
    seen int8multirange NOT NULL DEFAULT '{}',
    PRIMARY KEY (organization_id, channel_account_id, folder),
    FOREIGN KEY (organization_id, channel_account_id) REFERENCES channel_accounts (organization_id, id)
);

-- Mails that could not be taken in, by name; the mail itself is kept.
CREATE TABLE mail_refusals (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    channel_account_id uuid NOT NULL,
    folder text NOT NULL,
    uid bigint NOT NULL,
    reason text NOT NULL,
    size_bytes bigint NOT NULL,
    blob_key text,
    refused_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, channel_account_id) REFERENCES channel_accounts (organization_id, id)
);
CREATE INDEX mail_refusals_recent ON mail_refusals (organization_id, channel_account_id, refused_at DESC);

-- threads ----------------------------------------------------------------------------------------------------------
-- `address` is where answers of the conversation go; it is settled when the conversation begins.
ALTER TABLE conversations
    ADD COLUMN subject text NOT NULL DEFAULT '',
    ADD COLUMN address text NOT NULL DEFAULT '';

-- `external_id` of a mail is its Message-ID; `address` is the other side's; `full_text` is the whole mail where
-- `body` is only what its writer added to the thread; `delays` counts how often its receiver put it off.
ALTER TABLE messages
    ADD COLUMN kind text NOT NULL DEFAULT 'ordinary' CHECK (kind IN ('ordinary', 'bulk', 'auto_reply', 'dsn', 'arf')),
    ADD COLUMN subject text NOT NULL DEFAULT '',
    ADD COLUMN address text NOT NULL DEFAULT '',
    ADD COLUMN full_text text,
    ADD COLUMN reference_ids text[] NOT NULL DEFAULT '{}',
    ADD COLUMN delays int NOT NULL DEFAULT 0;
CREATE INDEX messages_by_external_id ON messages (organization_id, channel_account_id, external_id)
    WHERE external_id IS NOT NULL;

-- Which conversation a Message-ID belongs to: of the mails themselves and of those that they refer to, seen or not.
CREATE TABLE mail_threads (
    organization_id uuid NOT NULL,
    channel_account_id uuid NOT NULL,
    mail_id text NOT NULL,
    conversation_id uuid NOT NULL,
    PRIMARY KEY (organization_id, channel_account_id, mail_id, conversation_id),
    FOREIGN KEY (organization_id, channel_account_id) REFERENCES channel_accounts (organization_id, id),
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversations (organization_id, id)
);
CREATE INDEX mail_threads_by_conversation ON mail_threads (organization_id, conversation_id);
-- The fallback looks for the same person's recent conversation under the same subject.
CREATE INDEX conversations_by_contact_account ON conversations
    (organization_id, contact_id, channel_account_id, last_message_at DESC);

-- contacts ---------------------------------------------------------------------------------------------------------
-- An address that does not take our mail: it bounced for good, or its owner complained.
ALTER TABLE contact_handles
    ADD COLUMN suppressed_at timestamptz,
    ADD COLUMN suppressed_reason text NOT NULL DEFAULT '',
    -- how people spell themselves: vera.lind@..., vera_lind
    ADD COLUMN plain_name text NOT NULL GENERATED ALWAYS AS (translate(split_part(value, '@', 1), '._-', '')) STORED;
ALTER TABLE contacts ADD COLUMN plain_name text NOT NULL GENERATED ALWAYS AS (lower(name)) STORED;
-- Columns and not expressions: under row level security an index serves comparisons of plain columns only.
CREATE INDEX contact_handles_by_plain_name ON contact_handles (organization_id, kind, plain_name);
CREATE INDEX contacts_by_plain_name ON contacts (organization_id, plain_name);

-- Two contacts who may be one person. Nothing is merged because of a row in here.
CREATE TABLE contact_matches (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    contact_id uuid NOT NULL,
    other_contact_id uuid NOT NULL,
    reason text NOT NULL CHECK (reason IN ('same_handle', 'name_and_company', 'name', 'username', 'signature_phone')),
    score real NOT NULL CHECK (score BETWEEN 0 AND 1),
    evidence text NOT NULL,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'accepted', 'dismissed')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, contact_id, other_contact_id, reason),
    FOREIGN KEY (organization_id, contact_id) REFERENCES contacts (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, other_contact_id) REFERENCES contacts (organization_id, id) ON DELETE CASCADE,
    CHECK (contact_id < other_contact_id)
);
CREATE INDEX contact_matches_by_other ON contact_matches (organization_id, other_contact_id);

SELECT secure_tenant_table('mailboxes'::regclass);
SELECT secure_tenant_table('mail_folders'::regclass);
SELECT secure_tenant_table('mail_refusals'::regclass);
SELECT secure_tenant_table('mail_threads'::regclass);
SELECT secure_tenant_table('contact_matches'::regclass);
