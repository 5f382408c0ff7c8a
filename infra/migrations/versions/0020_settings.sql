-- Custom fields that are required and keep to one currency; tags that are renamed and merged.
SET LOCAL lock_timeout = '5s';

-- `currency` is what the amounts of a money field are in, so that comparing them means something; NULL takes any.
ALTER TABLE custom_fields
    ADD COLUMN currency text CHECK (currency ~ '^[A-Z]{3}$'),
    ADD COLUMN is_required boolean NOT NULL DEFAULT false,
    ADD CHECK (currency IS NULL OR kind = 'money');
ALTER TABLE tags ADD COLUMN version int NOT NULL DEFAULT 1;
