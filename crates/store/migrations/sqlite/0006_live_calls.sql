-- Calls are listed by our id: a campaign's, and an affiliate's.
CREATE INDEX calls_in_order_of_campaigns ON calls (campaign_id, id);
CREATE INDEX calls_in_order_of_affiliates ON calls (affiliate_id, id) WHERE affiliate_id IS NOT NULL;
