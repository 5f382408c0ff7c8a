-- Records are found by their tags and custom texts too, and so are notes, meetings and files: what was there before is
-- looked at again. Nothing is emptied; until it is looked at, a record is found as it was.
SET LOCAL lock_timeout = '5s';

DO $$
DECLARE
    organizations uuid[];
    organization uuid;
BEGIN
    -- only its owner and the worker may ask which organizations there are
    SET LOCAL ROLE getsale_definer;
    organizations := ARRAY(SELECT all_organizations());
    RESET ROLE;
    FOREACH organization IN ARRAY organizations LOOP
        PERFORM set_config('app.organization_id', organization::text, true);
        INSERT INTO due_work (organization_id, id, kind, subject_id, due_at)
        VALUES (organization, gen_random_uuid(), 'search.look_again', organization, now())
            ON CONFLICT DO NOTHING;
    END LOOP;
    PERFORM set_config('app.organization_id', '', true);
END $$;
