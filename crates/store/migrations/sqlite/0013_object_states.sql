-- States of advertisers, affiliates, campaigns and affiliate campaigns: name, status and custom data, each with
-- the moment from which they hold. A call is decided by the states at its start. They replace `statuses`,
-- which held the statuses of campaigns and affiliate campaigns only.
CREATE TABLE object_states (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    object TEXT NOT NULL CHECK (object IN ('advertiser', 'affiliate', 'campaign', 'affiliate_campaign')),
    object_id INTEGER NOT NULL,
    since INTEGER NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    custom_data TEXT NOT NULL
) STRICT;
CREATE INDEX object_states_of_objects ON object_states (object, object_id, since);

-- Objects with states, as they are now, each with its name in the audit log.
CREATE TEMP TABLE stateful_objects AS
SELECT kind AS object, id AS object_id, network_id, kind || ':' || id_from_network AS audit_object,
    created_at, updated_at, name, status, custom_data FROM parties
UNION ALL
SELECT 'campaign', id, network_id, 'advertiser_campaign:' || id_from_network,
    created_at, updated_at, name, status, custom_data FROM campaigns
UNION ALL
SELECT 'affiliate_campaign', a.id, a.network_id,
    'affiliate_campaign:' || p.id_from_network || '/' || k.id_from_network,
    a.created_at, a.updated_at, '', a.status, a.custom_data
FROM affiliate_campaigns a JOIN parties p ON p.id = a.affiliate_id JOIN campaigns k ON k.id = a.campaign_id;

-- States that the audit log holds. An entry before the creation is of a deleted object with the same id.
CREATE TEMP TABLE audited_states AS
SELECT o.object, o.object_id, e.at AS since, e.id AS position, COALESCE(json_extract(e.after, '$.name'), '') AS name, json_extract(e.after, '$.status') AS status,
    json_extract(e.after, '$.custom_data') AS custom_data
FROM stateful_objects o JOIN audit e ON e.network_id = o.network_id AND e.object = o.audit_object
WHERE e.at >= o.created_at AND e.after IS NOT NULL AND json_extract(e.after, '$.status') IS NOT NULL;
CREATE INDEX audited_states_of_objects ON audited_states (object, object_id, since);

-- State at the creation: the recorded status, and what the first change changed, or the current state if nothing
-- changed.
INSERT INTO audited_states (object, object_id, since, position, name, status, custom_data)
SELECT o.object, o.object_id, o.created_at, 0,
    COALESCE(json_extract(e.before, '$.name'), o.name), COALESCE((SELECT s.status FROM statuses s WHERE s.object = o.object
        AND s.object_id = o.object_id AND s.since = o.created_at ORDER BY s.id DESC LIMIT 1),
        json_extract(e.before, '$.status'), o.status), COALESCE(json_extract(e.before, '$.custom_data'), o.custom_data)
FROM stateful_objects o LEFT JOIN audit e ON e.id = (
    SELECT MIN(first.id) FROM audit first WHERE first.network_id = o.network_id
    AND first.object = o.audit_object AND first.at >= o.created_at AND first.before IS NOT NULL)
WHERE NOT EXISTS (SELECT 1 FROM audited_states s
    WHERE s.object = o.object AND s.object_id = o.object_id AND s.since = o.created_at);

-- Changes of status that have no entry in the audit log.
INSERT INTO audited_states (object, object_id, since, position, name, status, custom_data)
SELECT o.object, o.object_id, s.since, s.id, o.name, s.status, COALESCE((
    SELECT a.custom_data FROM audited_states a WHERE a.object = o.object AND a.object_id = o.object_id
    AND a.since < s.since ORDER BY a.since DESC, a.position DESC LIMIT 1), o.custom_data)
FROM statuses s JOIN stateful_objects o ON o.object = s.object AND o.object_id = s.object_id
WHERE NOT EXISTS (SELECT 1 FROM audited_states a
    WHERE a.object = s.object AND a.object_id = s.object_id AND a.since = s.since);

INSERT INTO object_states (object, object_id, since, name, status, custom_data)
SELECT object, object_id, since, name, status, custom_data FROM (
    SELECT object, object_id, since, position, name, status, custom_data,
        LAG(name) OVER states AS last_name, LAG(status) OVER states AS last_status,
        LAG(custom_data) OVER states AS last_data
    FROM audited_states WINDOW states AS (PARTITION BY object, object_id ORDER BY since, position)) s
WHERE last_status IS NULL OR last_status <> status OR last_name <> name OR last_data <> custom_data
ORDER BY object, object_id, since, position;

-- The newest state is the object's.
INSERT INTO object_states (object, object_id, since, name, status, custom_data)
SELECT o.object, o.object_id, CASE WHEN o.updated_at > s.since THEN o.updated_at ELSE s.since END,
    o.name, o.status, o.custom_data
FROM stateful_objects o JOIN object_states s ON s.id = (SELECT MAX(n.id) FROM object_states n
    WHERE n.object = o.object AND n.object_id = o.object_id)
WHERE s.name <> o.name OR s.status <> o.status OR s.custom_data <> o.custom_data;

DROP TABLE temp.audited_states;
DROP TABLE temp.stateful_objects;

DROP TRIGGER campaigns_record_status_on_insert;
DROP TRIGGER campaigns_record_status_on_update;
DROP TRIGGER affiliate_campaigns_record_status_on_insert;
DROP TRIGGER affiliate_campaigns_record_status_on_update;
DROP TABLE statuses;

CREATE TRIGGER parties_record_state_on_insert AFTER INSERT ON parties BEGIN
    INSERT INTO object_states (object, object_id, since, name, status, custom_data)
    VALUES (NEW.kind, NEW.id, NEW.created_at, NEW.name, NEW.status, NEW.custom_data);
END;
CREATE TRIGGER parties_record_state_on_update AFTER UPDATE OF name, status, custom_data ON parties
WHEN NEW.name <> OLD.name OR NEW.status <> OLD.status OR NEW.custom_data <> OLD.custom_data BEGIN
    INSERT INTO object_states (object, object_id, since, name, status, custom_data)
    VALUES (NEW.kind, NEW.id, NEW.updated_at, NEW.name, NEW.status, NEW.custom_data);
END;

CREATE TRIGGER campaigns_record_state_on_insert AFTER INSERT ON campaigns BEGIN
    INSERT INTO object_states (object, object_id, since, name, status, custom_data)
    VALUES ('campaign', NEW.id, NEW.created_at, NEW.name, NEW.status, NEW.custom_data);
END;
CREATE TRIGGER campaigns_record_state_on_update AFTER UPDATE OF name, status, custom_data ON campaigns
WHEN NEW.name <> OLD.name OR NEW.status <> OLD.status OR NEW.custom_data <> OLD.custom_data BEGIN
    INSERT INTO object_states (object, object_id, since, name, status, custom_data)
    VALUES ('campaign', NEW.id, NEW.updated_at, NEW.name, NEW.status, NEW.custom_data);
END;

CREATE TRIGGER affiliate_campaigns_record_state_on_insert AFTER INSERT ON affiliate_campaigns BEGIN
    INSERT INTO object_states (object, object_id, since, name, status, custom_data)
    VALUES ('affiliate_campaign', NEW.id, NEW.created_at, '', NEW.status, NEW.custom_data);
END;
CREATE TRIGGER affiliate_campaigns_record_state_on_update AFTER UPDATE OF status, custom_data ON affiliate_campaigns
WHEN NEW.status <> OLD.status OR NEW.custom_data <> OLD.custom_data BEGIN
    INSERT INTO object_states (object, object_id, since, name, status, custom_data)
    VALUES ('affiliate_campaign', NEW.id, NEW.updated_at, '', NEW.status, NEW.custom_data);
END;

CREATE TRIGGER parties_delete_states AFTER DELETE ON parties BEGIN
    DELETE FROM object_states WHERE object = OLD.kind AND object_id = OLD.id;
END;
