-- Partners: external seats with a rate, and the commission of each deal that they won.
SET LOCAL lock_timeout = '5s';

-- Hundredths of a per cent. An invitation with a rate makes a partner of whoever accepts it.
ALTER TABLE bidi ADD COLUMN commission_basis_points int CHECK (commission_basis_points BETWEEN 0 AND 10000),
    ADD CHECK (commission_basis_points IS NULL OR kind = 'external');
ALTER TABLE invitations ADD COLUMN commission_basis_points int CHECK (commission_basis_points BETWEEN 0 AND 10000),
    ADD CHECK (commission_basis_points IS NULL OR role = 'bidi');

-- What a partner is owed for a deal, as amount and rate were when it was won; a deal that is opened again takes it back.
CREATE TABLE commissions (
    organization_id uuid NOT NULL,
    id uuid NOT NULL,
    deal_id uuid NOT NULL,
    bidi_id uuid NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    currency char(3) NOT NULL,
    basis_points int NOT NULL CHECK (basis_points BETWEEN 0 AND 10000),
    commission_minor bigint NOT NULL CHECK (commission_minor >= 0),
    won_at timestamptz NOT NULL,
    taken_back_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, deal_id) REFERENCES deals (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, bidi_id) REFERENCES bidi (organization_id, id)
);
-- One that stands per deal.
CREATE UNIQUE INDEX commissions_standing ON commissions (organization_id, deal_id) WHERE taken_back_at IS NULL;
CREATE INDEX commissions_of_bidi ON commissions (organization_id, bidi_id, won_at, id);
CREATE INDEX commissions_by_time ON commissions (organization_id, won_at, id);
SELECT secure_tenant_table('commissions'::regclass);
