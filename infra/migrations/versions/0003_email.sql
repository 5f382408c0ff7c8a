-- Mailboxes, mail threads and possible matches of contacts.
SET LOCAL lock_timeout = '5s';
