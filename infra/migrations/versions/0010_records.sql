-- Records with owners, custom fields, tags and a trash.
SET LOCAL lock_timeout = '5s';

-- companies and contacts -------------------------------------------------------------------------------------------
-- `owner_id` is the responsible person, `bidi_id` the seat that works the contact. `custom` holds the values of custom
-- fields by the field's key. What was deleted, or merged into another record, stays until it is purged; no list shows it.
ALTER TABLE companies
    ADD COLUMN country text NOT NULL DEFAULT '',
    ADD COLUMN industry text NOT NULL DEFAULT '',
    ADD COLUMN phone text NOT NULL DEFAULT '',
    ADD COLUMN owner_id uuid,
    ADD COLUMN custom jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(custom) = 'object'),
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN deleted_at timestamptz,
    ADD COLUMN merged_into_id uuid,
    ADD FOREIGN KEY (organization_id, owner_id) REFERENCES members (organization_id, id),
    ADD FOREIGN KEY (organization_id, merged_into_id) REFERENCES companies (organization_id, id);
ALTER TABLE contacts
    ADD COLUMN owner_id uuid,
    ADD COLUMN bidi_id uuid,
    ADD COLUMN custom jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(custom) = 'object'),
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN deleted_at timestamptz,
    ADD COLUMN merged_into_id uuid,
    ADD FOREIGN KEY (organization_id, owner_id) REFERENCES members (organization_id, id),
    ADD FOREIGN KEY (organization_id, bidi_id) REFERENCES bidi (organization_id, id),
    ADD FOREIGN KEY (organization_id, merged_into_id) REFERENCES contacts (organization_id, id);

-- A web domain belongs to one company that is there; one in the trash does not hold it.
ALTER TABLE companies DROP CONSTRAINT companies_organization_id_domain_key;
CREATE UNIQUE INDEX companies_by_domain ON companies (organization_id, domain) WHERE deleted_at IS NULL;

-- The orders in which lists of a million rows are scrolled; the id at the end makes each place unique.
CREATE INDEX contacts_by_name ON contacts (organization_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX contacts_by_creation ON contacts (organization_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX contacts_by_change ON contacts (organization_id, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX contacts_by_owner ON contacts (organization_id, owner_id, id) WHERE deleted_at IS NULL;
CREATE INDEX companies_by_name ON companies (organization_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX companies_by_creation ON companies (organization_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX companies_by_change ON companies (organization_id, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX companies_by_owner ON companies (organization_id, owner_id, id) WHERE deleted_at IS NULL;

-- When somebody last wrote or was written to, over whichever channel: kept on the contact, for people sort by it.
ALTER TABLE contacts ADD COLUMN last_message_at timestamptz;
ALTER TABLE contacts NO FORCE ROW LEVEL SECURITY;
ALTER TABLE conversations NO FORCE ROW LEVEL SECURITY;
UPDATE contacts c
   SET last_message_at = v.last_message_at
  FROM (SELECT organization_id, contact_id, max(last_message_at) AS last_message_at
          FROM conversations
         GROUP BY organization_id, contact_id) v
 WHERE v.organization_id = c.organization_id
   AND v.contact_id = c.id;
ALTER TABLE contacts FORCE ROW LEVEL SECURITY;
ALTER TABLE conversations FORCE ROW LEVEL SECURITY;
CREATE FUNCTION follow_last_message() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- the maximum and not the new value: history is imported later than it happened, and a merge moves conversations
    UPDATE contacts c
       SET last_message_at = (SELECT max(v.last_message_at) FROM conversations v
                               WHERE v.organization_id = c.organization_id AND v.contact_id = c.id)
     WHERE c.organization_id = NEW.organization_id
       AND c.id IN (NEW.contact_id, CASE WHEN TG_OP = 'UPDATE' THEN OLD.contact_id END);
    RETURN NULL;
END $$;
CREATE TRIGGER conversations_last_message
    AFTER INSERT OR UPDATE OF last_message_at, contact_id ON conversations
    FOR EACH ROW EXECUTE FUNCTION follow_last_message();
CREATE INDEX contacts_by_last_message ON contacts (organization_id, last_message_at DESC NULLS LAST, id DESC)
    WHERE deleted_at IS NULL;

-- handles and consent ----------------------------------------------------------------------------------------------
-- At most one handle of a kind is the one to use first.
ALTER TABLE contact_handles DROP CONSTRAINT contact_handles_kind_check;
ALTER TABLE contact_handles
    ADD CONSTRAINT contact_handles_kind_check
        CHECK (kind IN ('email', 'phone', 'telegram_id', 'telegram_username', 'link')),
    ADD COLUMN label text NOT NULL DEFAULT '',
    ADD COLUMN is_primary boolean NOT NULL DEFAULT false;
CREATE UNIQUE INDEX contact_handles_primary ON contact_handles (organization_id, contact_id, kind) WHERE is_primary;

-- Every statement about consent that was ever made; the latest one of a channel holds.
CREATE TABLE contact_consents (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    contact_id uuid NOT NULL,
    channel text NOT NULL CHECK (channel IN ('email', 'sms', 'telegram', 'marketing')),
    is_given boolean NOT NULL,
    source text NOT NULL CHECK (source <> ''),
    given_at timestamptz NOT NULL DEFAULT now(),
    recorded_by_kind text NOT NULL,
    recorded_by_id uuid NOT NULL,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, contact_id) REFERENCES contacts (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX contact_consents_latest ON contact_consents (organization_id, contact_id, channel, given_at DESC, id DESC);

-- custom fields and tags -------------------------------------------------------------------------------------------
-- `key` names the value in a record's `custom`; it never changes, so that the label can. Choices are {key, label} pairs.
CREATE TABLE custom_fields (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    record_kind text NOT NULL CHECK (record_kind IN ('contact', 'company', 'deal')),
    key text NOT NULL CHECK (key ~ '^[a-z][a-z0-9_]{0,62}$'),
    label text NOT NULL CHECK (label <> ''),
    kind text NOT NULL CHECK (kind IN ('text', 'number', 'money', 'date', 'choice', 'choices', 'boolean', 'record')),
    choices jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(choices) = 'array'),
    target_kind text CHECK (target_kind IN ('contact', 'company', 'deal')),
    position int NOT NULL,
    archived_at timestamptz,
    version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, record_kind, key),
    CHECK ((kind = 'record') = (target_kind IS NOT NULL))
);

CREATE TABLE tags (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    tint int NOT NULL DEFAULT 0 CHECK (tint BETWEEN 0 AND 7),
    plain_name text NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, plain_name)
);
CREATE TABLE record_tags (
    organization_id uuid NOT NULL,
    record_kind text NOT NULL CHECK (record_kind IN ('contact', 'company', 'lead', 'deal')),
    record_id uuid NOT NULL,
    tag_id uuid NOT NULL,
    PRIMARY KEY (organization_id, record_kind, record_id, tag_id),
    FOREIGN KEY (organization_id, tag_id) REFERENCES tags (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX record_tags_by_tag ON record_tags (organization_id, tag_id, record_kind, record_id);

SELECT secure_tenant_table('contact_consents'::regclass), secure_tenant_table('custom_fields'::regclass),
       secure_tenant_table('tags'::regclass), secure_tenant_table('record_tags'::regclass);
