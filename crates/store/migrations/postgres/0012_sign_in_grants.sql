-- A sign-in holds the grants that it was made with. Sign-ins from before have none, so they end.
DELETE FROM sign_ins;
ALTER TABLE sign_ins ADD COLUMN grants TEXT NOT NULL DEFAULT '[]';

-- 1 if a credential of an advertiser or affiliate created the user. It was not recorded before, so it is assumed of
-- the users whom the network does not have.
ALTER TABLE users ADD COLUMN created_by_party BIGINT NOT NULL DEFAULT 0 CHECK (created_by_party IN (0, 1));
UPDATE users SET created_by_party = 1 WHERE NOT EXISTS
    (SELECT 1 FROM memberships m WHERE m.user_id = users.id AND m.organization = 'network');
