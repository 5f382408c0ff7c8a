-- Records with owners, custom fields, tags and a trash.
SET LOCAL lock_timeout = '5s';
