-- Notes, tasks, reminders, meetings, files, notifications.
SET LOCAL lock_timeout = '5s';

-- What hangs on a record names it by (record_kind, record_id), the same in every table: one index answers for all kinds
-- of records, a timeline is one union, and a merge moves everything with one UPDATE per table. A foreign key for each
-- kind would need four columns and four indexes in each of four tables. The actions look a record up under a lock
-- before they refer to it, and the trigger at the end keeps a record from being deleted while something hangs on it.

-- tasks ------------------------------------------------------------------------------------------------------------
ALTER TABLE tasks
    ADD COLUMN description text NOT NULL DEFAULT '',
    ADD COLUMN record_kind text CHECK (record_kind IN ('contact', 'company', 'lead', 'deal')),
    ADD COLUMN record_id uuid,
    ADD COLUMN assignee_id uuid,
    ADD COLUMN priority text NOT NULL DEFAULT 'normal' CHECK (priority IN ('low', 'normal', 'high')),
    ADD COLUMN remind_at timestamptz,
    ADD COLUMN removed_at timestamptz,
    ADD COLUMN version int NOT NULL DEFAULT 1,
    ADD CHECK ((record_kind IS NULL) = (record_id IS NULL)),
    ADD FOREIGN KEY (organization_id, assignee_id) REFERENCES members (organization_id, id);

-- A task of a deal and a contact becomes the deal's, which knows its contact; whoever made a task has it to do.
ALTER TABLE tasks NO FORCE ROW LEVEL SECURITY;
ALTER TABLE members NO FORCE ROW LEVEL SECURITY;
ALTER TABLE bidi NO FORCE ROW LEVEL SECURITY;
UPDATE tasks AS t
   SET record_kind = CASE WHEN t.deal_id IS NOT NULL THEN 'deal' WHEN t.contact_id IS NOT NULL THEN 'contact' END,
       record_id = coalesce(t.deal_id, t.contact_id),
       assignee_id = (SELECT m.id
                        FROM members m
                       WHERE m.organization_id = t.organization_id
                         AND m.user_id = coalesce((SELECT b.responsible_user_id
                                                     FROM bidi b
                                                    WHERE (b.organization_id, b.id) = (t.organization_id, t.created_by_id)),
                                                  t.created_by_id));
ALTER TABLE tasks DROP COLUMN contact_id, DROP COLUMN deal_id;

CREATE INDEX tasks_by_record ON tasks (organization_id, record_kind, record_id, created_at DESC, id DESC);
CREATE INDEX tasks_open ON tasks (organization_id, assignee_id, due_at, id) WHERE done_at IS NULL AND removed_at IS NULL;
CREATE INDEX tasks_by_due ON tasks (organization_id, due_at, id) WHERE done_at IS NULL AND removed_at IS NULL;

-- The agents of before may use the tools that came since.
UPDATE bidi SET scopes = scopes || ARRAY['notes:read', 'notes:write', 'meetings:read', 'meetings:write'] WHERE agent = 'inbox';
ALTER TABLE bidi FORCE ROW LEVEL SECURITY;
ALTER TABLE members FORCE ROW LEVEL SECURITY;
ALTER TABLE tasks FORCE ROW LEVEL SECURITY;

-- notes ------------------------------------------------------------------------------------------------------------
CREATE TABLE notes (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    record_kind text NOT NULL CHECK (record_kind IN ('contact', 'company', 'lead', 'deal')),
    record_id uuid NOT NULL,
    body text NOT NULL CHECK (body <> ''),
    author_kind text NOT NULL,
    author_id uuid NOT NULL,
    run_id uuid,
    version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    edited_at timestamptz,
    removed_at timestamptz,
    PRIMARY KEY (organization_id, id)
);
CREATE INDEX notes_by_record ON notes (organization_id, record_kind, record_id, created_at DESC, id DESC);

-- meetings ---------------------------------------------------------------------------------------------------------
-- `time_zone` is where the meeting takes place, so that it keeps its hour there; `remind_minutes` before it its members
-- are told, NULL for never.
CREATE TABLE meetings (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    title text NOT NULL CHECK (title <> ''),
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    time_zone text NOT NULL,
    place text NOT NULL DEFAULT '',
    link text NOT NULL DEFAULT '',
    record_kind text CHECK (record_kind IN ('contact', 'company', 'lead', 'deal')),
    record_id uuid,
    status text NOT NULL DEFAULT 'planned' CHECK (status IN ('planned', 'held', 'cancelled', 'no_show')),
    outcome text NOT NULL DEFAULT '',
    notes text NOT NULL DEFAULT '',
    remind_minutes int CHECK (remind_minutes BETWEEN 0 AND 40320),
    created_by_kind text NOT NULL,
    created_by_id uuid NOT NULL,
    run_id uuid,
    version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    removed_at timestamptz,
    PRIMARY KEY (organization_id, id),
    CHECK (ends_at > starts_at),
    CHECK ((record_kind IS NULL) = (record_id IS NULL))
);
CREATE INDEX meetings_by_start ON meetings (organization_id, starts_at, id) WHERE removed_at IS NULL;
CREATE INDEX meetings_by_record ON meetings (organization_id, record_kind, record_id, starts_at DESC, id DESC);

CREATE TABLE meeting_contacts (
    organization_id uuid NOT NULL,
    meeting_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    PRIMARY KEY (organization_id, meeting_id, contact_id),
    FOREIGN KEY (organization_id, meeting_id) REFERENCES meetings (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, contact_id) REFERENCES contacts (organization_id, id)
);
CREATE INDEX meeting_contacts_by_contact ON meeting_contacts (organization_id, contact_id, meeting_id);

CREATE TABLE meeting_members (
    organization_id uuid NOT NULL,
    meeting_id uuid NOT NULL,
    member_id uuid NOT NULL,
    PRIMARY KEY (organization_id, meeting_id, member_id),
    FOREIGN KEY (organization_id, meeting_id) REFERENCES meetings (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, member_id) REFERENCES members (organization_id, id)
);
CREATE INDEX meeting_members_by_member ON meeting_members (organization_id, member_id, meeting_id);

-- files ------------------------------------------------------------------------------------------------------------
CREATE TABLE files (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    record_kind text NOT NULL CHECK (record_kind IN ('contact', 'company', 'lead', 'deal')),
    record_id uuid NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    mime text NOT NULL,
    size_bytes bigint NOT NULL,
    blob_key text NOT NULL,
    uploaded_by_kind text NOT NULL,
    uploaded_by_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    removed_at timestamptz,
    PRIMARY KEY (organization_id, id)
);
CREATE INDEX files_by_record ON files (organization_id, record_kind, record_id, created_at DESC, id DESC);

-- notifications ----------------------------------------------------------------------------------------------------
-- What one member is told, once for each event. `title` is the subject's name as it was then.
CREATE TABLE notifications (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    member_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('task_due', 'task_reminder', 'task_assigned', 'meeting_soon')),
    subject_kind text NOT NULL CHECK (subject_kind IN ('task', 'meeting')),
    subject_id uuid NOT NULL,
    title text NOT NULL,
    event_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    read_at timestamptz,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, member_id, event_id),
    FOREIGN KEY (organization_id, member_id) REFERENCES members (organization_id, id)
);
CREATE INDEX notifications_of_member ON notifications (organization_id, member_id, id DESC);
CREATE INDEX notifications_unread ON notifications (organization_id, member_id) WHERE read_at IS NULL;

-- timeline ---------------------------------------------------------------------------------------------------------
CREATE INDEX messages_by_time ON messages (organization_id, conversation_id, occurred_at DESC, id DESC);
CREATE INDEX events_by_time ON events (organization_id, subject_kind, subject_id, occurred_at DESC, id DESC);

SELECT secure_tenant_table(name::regclass)
  FROM unnest(ARRAY['notes', 'meetings', 'meeting_contacts', 'meeting_members', 'files', 'notifications']) AS tables (name);

-- A record that something hangs on is not deleted; what was removed can be brought back, so it counts too.
CREATE FUNCTION keep_referred_record() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM notes WHERE (organization_id, record_kind, record_id) = (OLD.organization_id, TG_ARGV[0], OLD.id))
       OR EXISTS (SELECT FROM tasks WHERE (organization_id, record_kind, record_id) = (OLD.organization_id, TG_ARGV[0], OLD.id))
       OR EXISTS (SELECT FROM meetings WHERE (organization_id, record_kind, record_id) = (OLD.organization_id, TG_ARGV[0], OLD.id))
       OR EXISTS (SELECT FROM files WHERE (organization_id, record_kind, record_id) = (OLD.organization_id, TG_ARGV[0], OLD.id))
    THEN
        RAISE foreign_key_violation USING MESSAGE = format('%s %s has notes, tasks, meetings or files', TG_ARGV[0], OLD.id);
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER keep_referred BEFORE DELETE ON contacts FOR EACH ROW EXECUTE FUNCTION keep_referred_record('contact');
CREATE TRIGGER keep_referred BEFORE DELETE ON companies FOR EACH ROW EXECUTE FUNCTION keep_referred_record('company');
CREATE TRIGGER keep_referred BEFORE DELETE ON deals FOR EACH ROW EXECUTE FUNCTION keep_referred_record('deal');
CREATE TRIGGER keep_referred BEFORE DELETE ON leads FOR EACH ROW EXECUTE FUNCTION keep_referred_record('lead');
