-- Pipelines with rules, leads, deals with stakeholders.
SET LOCAL lock_timeout = '5s';
