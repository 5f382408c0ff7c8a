-- Notes, tasks, reminders, meetings, files, notifications.
SET LOCAL lock_timeout = '5s';
