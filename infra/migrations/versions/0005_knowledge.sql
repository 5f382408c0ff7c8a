-- The organization's own documents and their versions.
SET LOCAL lock_timeout = '5s';

-- One document under one name; the newest version is what was uploaded last, the live one is what agents find.
CREATE TABLE documents (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    is_publishable boolean NOT NULL DEFAULT true,
    live_version_id uuid,
    removed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id)
);
CREATE UNIQUE INDEX documents_by_name ON documents (organization_id, lower(name)) WHERE removed_at IS NULL;

CREATE TABLE document_versions (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    document_id uuid NOT NULL,
    number int NOT NULL,
    name text NOT NULL,
    mime text NOT NULL DEFAULT 'application/octet-stream',
    sha256 text NOT NULL,
    size_bytes bigint NOT NULL,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'ready', 'refused')),
    refusal text NOT NULL DEFAULT '',
    languages text[] NOT NULL DEFAULT '{}',
    pages int,
    chunks int NOT NULL DEFAULT 0,
    uploaded_by uuid NOT NULL,
    uploaded_at timestamptz NOT NULL DEFAULT now(),
    read_at timestamptz,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, document_id, number),
    FOREIGN KEY (organization_id, document_id) REFERENCES documents (organization_id, id),
    CHECK ((status = 'refused') = (refusal <> ''))
);

ALTER TABLE documents ADD FOREIGN KEY (organization_id, live_version_id)
    REFERENCES document_versions (organization_id, id);

SELECT secure_tenant_table('documents'::regclass);
SELECT secure_tenant_table('document_versions'::regclass);

-- A draft may rest on a line of a document and on what is remembered of a conversation.
ALTER TABLE draft_evidence
    DROP CONSTRAINT draft_evidence_kind_check,
    ADD CONSTRAINT draft_evidence_kind_check CHECK (kind IN ('message', 'fact', 'deal', 'company', 'contact', 'task',
        'relationship', 'memory', 'knowledge'));
