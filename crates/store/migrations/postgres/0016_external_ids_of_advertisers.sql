-- The external id of a call is unique for each advertiser, not in the network: two switches may both count from 1.
-- Writes keep it unique, because one transaction writes at a time.
ALTER TABLE call_keys DROP CONSTRAINT call_keys_network_id_external_id_key;
CREATE INDEX call_keys_by_external_id ON call_keys (network_id, external_id);
