-- Network at schema version 12, with changes in the audit log.
INSERT INTO networks (id, name, time_zone, created_at) VALUES (1, 'N', 'UTC', 0);
INSERT INTO parties (id, network_id, kind, id_from_network, name, name_key, status, sites, profile, custom_data, created_at, updated_at) VALUES
 (1, 1, 'advertiser', 'a', 'A', 'a', 'Approved', '[]', '{}', '{}', 1000, 1000),
 (2, 1, 'affiliate', 'f', 'New', 'new', 'Suspended', '[]', '{}', '{"channel":"web"}', 1000, 3000),
 (3, 1, 'affiliate', 'g', 'G', 'g', 'Approved', '[]', '{}', '{}', 1500, 1500);
INSERT INTO campaigns (id, network_id, advertiser_id, id_from_network, name, status, custom_data, created_at, updated_at) VALUES (1, 1, 1, 'c', 'C', 'Entry', '{}', 1000, 1000);
UPDATE campaigns SET status = 'Activated', updated_at = 1200 WHERE id = 1;
UPDATE campaigns SET custom_data = '{"channel":"x"}', updated_at = 1300 WHERE id = 1;
INSERT INTO affiliate_campaigns (id, network_id, campaign_id, affiliate_id, id_from_network, status, custom_data, created_at, updated_at) VALUES (1, 1, 1, 2, '1', 'Approved', '{}', 1100, 1100);
INSERT INTO audit (network_id, at, request_id, actor, object, action, before, after) VALUES
 (1, 500, '', '', 'affiliate:f', 'create', NULL, '{"name":"Deleted","status":"Approved","custom_data":{}}'),
 (1, 1000, '', '', 'affiliate:f', 'create', NULL, '{"name":"Old","status":"Approved","custom_data":{"channel":"tv"}}'),
 (1, 2000, '', '', 'affiliate:f', 'update', '{"name":"Old","status":"Approved","custom_data":{"channel":"tv"}}', '{"name":"New","status":"Approved","custom_data":{"channel":"tv"}}'),
 (1, 2500, '', '', 'affiliate:f', 'update', '{"name":"New","status":"Approved","custom_data":{"channel":"tv"},"users":[]}', '{"name":"New","status":"Approved","custom_data":{"channel":"tv"},"users":[1]}'),
 (1, 3000, '', '', 'affiliate:f', 'update', '{"name":"New","status":"Approved","custom_data":{"channel":"tv"}}', '{"name":"New","status":"Suspended","custom_data":{"channel":"web"}}'),
 (1, 1300, '', '', 'advertiser_campaign:c', 'update', '{"name":"C","status":"Activated","custom_data":{}}', '{"name":"C","status":"Activated","custom_data":{"channel":"x"}}'),
 (1, 1600, '', '', 'promo_number:8005550100', 'create', NULL, '{"id":7,"campaign_id":1,"affiliate_id":2,"external_id":"e","number":"+18005550100","description":"D","media_type":"M","custom_data":{}}'),
 (1, 1700, '', '', 'promo_number:8005550100', 'delete', '{"id":7,"campaign_id":1,"affiliate_id":2,"external_id":"e","number":"+18005550100","description":"D","media_type":"M","custom_data":{}}', NULL),
 (1, 1800, '', '', 'promo_number:8005550100', 'create', NULL, '{"id":8,"campaign_id":1,"affiliate_id":null,"id_from_network":"h","number":"+18005550100","description":"E","media_type":"M","custom_data":{}}'),
 (1, 1900, '', '', 'promo_number:8005550100', 'update', '{"id":8,"campaign_id":1,"affiliate_id":null,"id_from_network":"h","number":"+18005550100","description":"E","media_type":"M","custom_data":{}}', '{"id":8,"campaign_id":1,"affiliate_id":null,"id_from_network":"h","number":"+18005550100","description":"E2","media_type":"M","custom_data":{}}'),
 (1, 1950, '', '', 'promo_number:8005550102', 'create', NULL, '{"id":10,"campaign_id":1,"affiliate_id":null,"id_from_network":"k","number":"+18005550102","description":"K","media_type":"M","custom_data":{}}'),
 (1, 1960, '', '', 'promo_number:8005550102', 'delete', '{"id":10,"campaign_id":1,"affiliate_id":null,"id_from_network":"k","number":"+18005550102","description":"K","media_type":"M","custom_data":{}}', NULL);
INSERT INTO numbers (network_id, number, promo_number_id) VALUES (1, '+18005550100', 8), (1, '+18005550101', 9), (1, '+18005550102', NULL), (1, '+18005550103', NULL);
INSERT INTO promo_numbers (id, network_id, campaign_id, affiliate_id, id_from_network, number, description, media_type, custom_data, created_at) VALUES
 (8, 1, 1, NULL, 'h', '+18005550100', 'E2', 'M', '{}', 1800), (9, 1, 1, 3, 'i', '+18005550101', 'F', 'M', '{}', 1850);
