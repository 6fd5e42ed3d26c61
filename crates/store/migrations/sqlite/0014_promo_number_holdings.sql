-- Holdings: which campaign and affiliate held a promo number, from when until when, and with which description.
-- A call is attributed by the holding at its start. A change of the description ends one holding and begins
-- the next, and so does a move to another campaign.
CREATE TABLE promo_number_holdings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    network_id INTEGER NOT NULL REFERENCES networks (id),
    promo_number_id INTEGER NOT NULL,
    number TEXT NOT NULL,
    id_from_network TEXT NOT NULL,
    campaign_id INTEGER NOT NULL REFERENCES campaigns (id),
    affiliate_id INTEGER REFERENCES parties (id),
    description TEXT NOT NULL,
    media_type TEXT NOT NULL,
    custom_data TEXT NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER
) STRICT;
CREATE INDEX holdings_of_numbers ON promo_number_holdings (network_id, number, starts_at);
CREATE INDEX holdings_of_promo_numbers ON promo_number_holdings (promo_number_id, id);
CREATE INDEX holdings_of_campaigns ON promo_number_holdings (campaign_id);
CREATE INDEX holdings_of_affiliates ON promo_number_holdings (affiliate_id) WHERE affiliate_id IS NOT NULL;

-- Free numbers are assigned in the order in which they became free; 0 means that nobody held the number yet.
ALTER TABLE numbers ADD COLUMN free_since INTEGER NOT NULL DEFAULT 0;
DROP INDEX numbers_free;
CREATE INDEX numbers_free ON numbers (network_id, free_since, number) WHERE promo_number_id IS NULL;

-- Holdings that the audit log holds: each entry begins one, and the next entry of the promo number ends it.
CREATE TEMP TABLE audited_holdings AS
SELECT id, network_id, at, CASE WHEN after IS NULL THEN before ELSE after END AS body,
    CASE WHEN after IS NULL THEN 1 ELSE 0 END AS is_end
FROM audit WHERE object LIKE 'promo_number:%' AND (after IS NOT NULL OR before IS NOT NULL);
INSERT INTO promo_number_holdings (network_id, promo_number_id, number, id_from_network, campaign_id, affiliate_id,
    description, media_type, custom_data, starts_at, ends_at)
SELECT network_id, promo_number_id, json_extract(body, '$.number'), COALESCE(json_extract(body, '$.external_id'), json_extract(body, '$.id_from_network'), ''), campaign_id, affiliate_id, json_extract(body, '$.description'), json_extract(body, '$.media_type'),
    json_extract(body, '$.custom_data'), at, CASE WHEN next_at < at THEN at ELSE next_at END
FROM (SELECT network_id, id, at, body, is_end, json_extract(body, '$.id') AS promo_number_id, json_extract(body, '$.campaign_id') AS campaign_id,
        json_extract(body, '$.affiliate_id') AS affiliate_id, LEAD(at) OVER (PARTITION BY json_extract(body, '$.id') ORDER BY id) AS next_at
    FROM audited_holdings) h
WHERE is_end = 0 AND EXISTS (SELECT 1 FROM campaigns k WHERE k.id = h.campaign_id)
AND (h.affiliate_id IS NULL OR EXISTS (SELECT 1 FROM parties p WHERE p.id = h.affiliate_id))
ORDER BY id;

-- A promo number without an entry is held since its assignment.
INSERT INTO promo_number_holdings (network_id, promo_number_id, number, id_from_network, campaign_id, affiliate_id,
    description, media_type, custom_data, starts_at, ends_at)
SELECT network_id, id, number, id_from_network, campaign_id, affiliate_id, description, media_type, custom_data,
    created_at, NULL
FROM promo_numbers p
WHERE NOT EXISTS (SELECT 1 FROM promo_number_holdings h WHERE h.promo_number_id = p.id) ORDER BY id;

-- The newest holding of a promo number has no end, and that of a released one has.
UPDATE promo_number_holdings SET ends_at = CASE
    WHEN id = (SELECT MAX(h.id) FROM promo_number_holdings h WHERE h.promo_number_id = promo_number_holdings.promo_number_id)
        AND EXISTS (SELECT 1 FROM promo_numbers p WHERE p.id = promo_number_holdings.promo_number_id) THEN NULL
    ELSE COALESCE(ends_at, starts_at) END;
UPDATE numbers SET free_since = COALESCE((SELECT MAX(h.ends_at) FROM promo_number_holdings h
    WHERE h.network_id = numbers.network_id AND h.number = numbers.number), 0)
WHERE promo_number_id IS NULL;
DROP TABLE temp.audited_holdings;
