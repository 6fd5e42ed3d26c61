-- A sandbox is a network to try things in: its clock can be set, its calls can be made up, and all of
-- it can be thrown away. `clock` is the time that its requests see; NULL is the system's.
ALTER TABLE networks ADD COLUMN sandbox INTEGER NOT NULL DEFAULT 0 CHECK (sandbox IN (0, 1));
ALTER TABLE networks ADD COLUMN clock INTEGER;

-- What is append-only stays so, but for what a sandbox throws away.
DROP TRIGGER audit_is_kept;
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
WHEN NOT EXISTS (SELECT 1 FROM networks WHERE id = OLD.network_id AND sandbox = 1)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
DROP TRIGGER transactions_are_kept;
CREATE TRIGGER transactions_are_kept BEFORE DELETE ON transactions
WHEN NOT EXISTS (SELECT 1 FROM networks WHERE id = OLD.network_id AND sandbox = 1)
BEGIN SELECT RAISE(ABORT, 'transactions are append-only'); END;

-- Deleting a party or terms looks for what refers to them: without these, through whole tables.
CREATE INDEX calls_of_terms ON calls (terms_id) WHERE terms_id IS NOT NULL;
CREATE INDEX promo_numbers_of_affiliates ON promo_numbers (affiliate_id) WHERE affiliate_id IS NOT NULL;
CREATE INDEX campaigns_by_terms ON campaigns (current_terms_id) WHERE current_terms_id IS NOT NULL;
