-- Four calls of one quarter of an hour: with a duration, without one, with one that a correction removed, and
-- with one that a correction gave. A call with the id 9 was deleted.
INSERT INTO networks (id, name, time_zone, created_at) VALUES (1, 'N', 'UTC', 0);
INSERT INTO parties (id, network_id, kind, id_from_network, name, name_key, status, sites, profile, custom_data, created_at, updated_at)
VALUES (1, 1, 'advertiser', '354', 'A', 'a', 'Approved', '[]', '{}', '{}', 0, 0);
INSERT INTO campaigns (id, network_id, advertiser_id, id_from_network, name, status, custom_data, created_at, updated_at)
VALUES (1, 1, 1, '12', 'C', 'Activated', '{}', 0, 0);
INSERT INTO calls (id, network_id, campaign_id, external_id, fingerprint, complete_call_id, start_time, body, created_at, ended_at)
VALUES (1, 1, 1, 'a', x'00', 'A', 900001, '{"facts":{"duration":100}}', 0, 0),
    (2, 1, 1, 'b', x'00', 'B', 900002, '{"facts":{"duration":null}}', 0, 0),
    (3, 1, 1, 'c', x'00', 'C', 900003, '{"facts":{"duration":70}}', 0, 0),
    (4, 1, 1, 'd', x'00', 'D', 900004, '{"facts":{"duration":null}}', 0, 0),
    (9, 1, 1, 'i', x'00', 'I', 900009, '{"facts":{"duration":7}}', 0, 0);
DELETE FROM calls WHERE id = 9;
INSERT INTO call_quarters (campaign_id, quarter, calls, seconds) VALUES (1, 1, 4, 150);
INSERT INTO transactions (id, network_id, call_id, campaign_id, advertiser_id, corrects_id, start_time, payin_delta, payout_delta, body, created_at)
VALUES (1, 1, 1, 1, 1, NULL, 900001, 0, 0, '{}', 0),
    (2, 1, 2, 1, 1, NULL, 900002, 0, 0, '{}', 0),
    (3, 1, 3, 1, 1, NULL, 900003, 0, 0, '{}', 0),
    (4, 1, 4, 1, 1, NULL, 900004, 0, 0, '{}', 0),
    (5, 1, 3, 1, 1, 3, 900003, 0, 0, '{"correction":{"heard":{"facts":{"duration":null}}}}', 0),
    (6, 1, 4, 1, 1, 4, 900004, 0, 0, '{"correction":{"heard":{"facts":{"duration":50}}}}', 0);
INSERT INTO call_events (call_id, sequence, event, at, answer) VALUES (2, 1, '{}', 0, '{}');
