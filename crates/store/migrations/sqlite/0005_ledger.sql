-- Statements go by time, and lists of the ledger that are narrowed by time find their first and last
-- row by it.
CREATE INDEX transactions_of_networks_by_time ON transactions (network_id, start_time);
CREATE INDEX transactions_of_advertisers_by_time ON transactions (advertiser_id, start_time);
CREATE INDEX transactions_of_affiliates_by_time ON transactions (affiliate_id, start_time) WHERE affiliate_id IS NOT NULL;
