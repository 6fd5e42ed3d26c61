-- Skeleton of the name: names with equal ones look alike. SQL cannot compute it, so it is NULL until the server fills it
-- in, when it opens the database.
ALTER TABLE parties ADD COLUMN name_skeleton TEXT COLLATE "C";
CREATE INDEX parties_by_name_skeleton ON parties (network_id, kind, name_skeleton);
CREATE INDEX parties_without_name_skeleton ON parties (id) WHERE name_skeleton IS NULL;
ALTER TABLE campaigns ADD COLUMN name_skeleton TEXT COLLATE "C";
CREATE INDEX campaigns_by_name_skeleton ON campaigns (network_id, name_skeleton, advertiser_id);
CREATE INDEX campaigns_without_name_skeleton ON campaigns (id) WHERE name_skeleton IS NULL;
