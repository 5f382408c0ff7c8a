-- What is seen is worked out in a third of the time: no set is computed again for another that holds it already.
-- docs/decisions/0024
SET LOCAL lock_timeout = '5s';
GRANT CREATE ON SCHEMA public TO getsale_definer;
SET LOCAL ROLE getsale_definer;

CREATE FUNCTION own_deals() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER ROWS 300 SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT d.id
      FROM deals d
     WHERE d.organization_id = current_organization_id()
       AND d.owner_id = (SELECT own_member())
     UNION
    SELECT d.id
      FROM deals d
     WHERE d.organization_id = current_organization_id()
       AND d.bidi_id IN (SELECT own_seats())
$$;

CREATE FUNCTION own_leads() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER ROWS 300 SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT l.id
      FROM leads l
     WHERE l.organization_id = current_organization_id()
       AND l.owner_id = (SELECT own_member())
     UNION
    SELECT l.id
      FROM leads l
     WHERE l.organization_id = current_organization_id()
       AND l.bidi_id IN (SELECT own_seats())
$$;

CREATE OR REPLACE FUNCTION seen_deals() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER ROWS 300 SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT own_deals()
     UNION
    SELECT d.id
      FROM deals d
     WHERE d.organization_id = current_organization_id()
       AND d.contact_id IN (SELECT own_contacts())
$$;

-- Conversations and deals that are seen for their contact's sake lead to nobody new.
CREATE OR REPLACE FUNCTION seen_contacts() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER ROWS 300 SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT own_contacts()
     UNION
    SELECT c.contact_id
      FROM conversations c
     WHERE c.organization_id = current_organization_id()
       AND c.id IN (SELECT held_conversations())
     UNION
    SELECT d.contact_id
      FROM deals d
     WHERE d.organization_id = current_organization_id()
       AND d.id IN (SELECT own_deals())
       AND d.contact_id IS NOT NULL
     UNION
    SELECT s.contact_id
      FROM deal_stakeholders s
     WHERE s.organization_id = current_organization_id()
       AND s.deal_id IN (SELECT seen_deals())
     UNION
    SELECT l.contact_id
      FROM leads l
     WHERE l.organization_id = current_organization_id()
       AND l.id IN (SELECT own_leads())
$$;

-- One's own, and those of people and deals.
CREATE FUNCTION companies_of(contacts uuid[], deals uuid[]) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER ROWS 300 SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT c.id
      FROM companies c
     WHERE c.organization_id = current_organization_id()
       AND c.owner_id = (SELECT own_member())
     UNION
    SELECT c.company_id
      FROM contacts c
     WHERE c.organization_id = current_organization_id()
       AND c.id = ANY(companies_of.contacts)
       AND c.company_id IS NOT NULL
     UNION
    SELECT d.company_id
      FROM deals d
     WHERE d.organization_id = current_organization_id()
       AND d.id = ANY(companies_of.deals)
       AND d.company_id IS NOT NULL
$$;

CREATE OR REPLACE FUNCTION seen_companies() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER ROWS 300 SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT companies_of(ARRAY(SELECT seen_contacts()), ARRAY(SELECT seen_deals()))
$$;

CREATE OR REPLACE FUNCTION seen_records() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1000 SET search_path = pg_catalog, public, pg_temp AS $$
    WITH seen AS MATERIALIZED (
        SELECT ARRAY(SELECT seen_contacts()) AS contacts, ARRAY(SELECT seen_deals()) AS deals
    )
    SELECT unnest(contacts) FROM seen
     UNION ALL
    SELECT unnest(deals) FROM seen
     UNION ALL
    SELECT seen_leads()
     UNION ALL
    SELECT companies_of(contacts, deals) FROM seen
$$;

REVOKE ALL ON FUNCTION own_deals(), own_leads(), companies_of(uuid[], uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION own_deals(), own_leads() TO getsale_app, getsale_worker;
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM getsale_definer;
