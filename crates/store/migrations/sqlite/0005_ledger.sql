-- Lists of the ledger go by id and are narrowed by time: with the time in the index, what is outside
-- is passed over without reading its row.
DROP INDEX transactions_of_networks;
DROP INDEX transactions_of_advertisers;
DROP INDEX transactions_of_affiliates;
CREATE INDEX transactions_of_networks ON transactions (network_id, id, start_time);
CREATE INDEX transactions_of_advertisers ON transactions (advertiser_id, id, start_time);
CREATE INDEX transactions_of_affiliates ON transactions (affiliate_id, id, start_time) WHERE affiliate_id IS NOT NULL;

-- Statements go by time.
CREATE INDEX transactions_of_advertisers_by_time ON transactions (advertiser_id, start_time);
CREATE INDEX transactions_of_affiliates_by_time ON transactions (affiliate_id, start_time) WHERE affiliate_id IS NOT NULL;
