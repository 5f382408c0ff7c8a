-- What was deleted, the last first: the trash is read by these, however much was never deleted.
SET LOCAL lock_timeout = '5s';

CREATE INDEX contacts_in_trash ON contacts (organization_id, deleted_at DESC, id DESC) WHERE deleted_at IS NOT NULL;
CREATE INDEX companies_in_trash ON companies (organization_id, deleted_at DESC, id DESC) WHERE deleted_at IS NOT NULL;
CREATE INDEX leads_in_trash ON leads (organization_id, deleted_at DESC, id DESC) WHERE deleted_at IS NOT NULL;
CREATE INDEX deals_in_trash ON deals (organization_id, deleted_at DESC, id DESC) WHERE deleted_at IS NOT NULL;
CREATE INDEX tasks_in_trash ON tasks (organization_id, removed_at DESC, id DESC) WHERE removed_at IS NOT NULL;
CREATE INDEX meetings_in_trash ON meetings (organization_id, removed_at DESC, id DESC) WHERE removed_at IS NOT NULL;
CREATE INDEX notes_in_trash ON notes (organization_id, removed_at DESC, id DESC) WHERE removed_at IS NOT NULL;
CREATE INDEX files_in_trash ON files (organization_id, removed_at DESC, id DESC) WHERE removed_at IS NOT NULL;
CREATE INDEX documents_in_trash ON documents (organization_id, removed_at DESC, id DESC) WHERE removed_at IS NOT NULL;
