-- Members are told of conversations that were given to them. Both checks only widen, so no row can fail them.
SET LOCAL lock_timeout = '5s';

ALTER TABLE notifications
    DROP CONSTRAINT notifications_kind_check,
    DROP CONSTRAINT notifications_subject_kind_check,
    ADD CONSTRAINT notifications_kind_check
        CHECK (kind IN ('task_due', 'task_reminder', 'task_assigned', 'meeting_soon', 'webhook_off',
                        'approval_assigned', 'approval_escalated', 'conversation_assigned')) NOT VALID,
    ADD CONSTRAINT notifications_subject_kind_check
        CHECK (subject_kind IN ('task', 'meeting', 'webhook', 'approval', 'conversation')) NOT VALID;
