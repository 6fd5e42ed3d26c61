-- Kind of a promo number and the advertising account that shows it, as the client said them.
ALTER TABLE promo_numbers ADD COLUMN promo_type TEXT CHECK (promo_type IN ('Local', 'Mobile'));
ALTER TABLE promo_numbers ADD COLUMN adwords_account_id TEXT;
