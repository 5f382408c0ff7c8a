-- The five roles of the product, made once per server by an administrator: getsale migrate --admin-url.
-- None is a superuser and none has BYPASSRLS. Passwords are set by the caller when logins come over TCP.
DO $$
DECLARE role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['getsale_migrator', 'getsale_app', 'getsale_worker', 'getsale_support'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE', role);
        END IF;
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'getsale_definer') THEN
        CREATE ROLE getsale_definer NOLOGIN NOSUPERUSER NOBYPASSRLS;
    END IF;
END $$;
-- The migrator may become the definer (to give it functions) but does not act as it: a policy of the definer would
-- otherwise be one of the migrator too, and show it every tenant's rows.
GRANT getsale_definer TO getsale_migrator WITH INHERIT FALSE, SET TRUE;
