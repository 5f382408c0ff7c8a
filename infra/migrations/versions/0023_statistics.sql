-- An organization that is being filled is not in the planner's statistics: it seems empty, and each look for a key
-- reads all of its rows. Autovacuum notices after minutes; an import asks for it as it grows, of the keys alone.
SET LOCAL lock_timeout = '5s';

CREATE FUNCTION refresh_statistics() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    ANALYZE (SKIP_LOCKED) public.contacts (organization_id, id, company_id);
    ANALYZE (SKIP_LOCKED) public.contact_handles (organization_id, contact_id, kind, value);
    ANALYZE (SKIP_LOCKED) public.companies (organization_id, id, plain_name, domain);
    ANALYZE (SKIP_LOCKED) public.deals (organization_id, id, company_id, contact_id);
END
$$;

REVOKE ALL ON FUNCTION refresh_statistics() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION refresh_statistics() TO getsale_app, getsale_worker;
