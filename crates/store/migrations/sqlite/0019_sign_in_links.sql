-- A sign-in can be a link that asks for a new password. SQLite cannot change a CHECK, so the table is copied; the next
-- id is kept.
CREATE TABLE sign_ins_with_links (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('access_token', 'session', 'link')),
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL,
    grants TEXT NOT NULL DEFAULT '[]'
) STRICT;
INSERT INTO sqlite_sequence (name, seq) SELECT 'sign_ins_with_links', seq FROM sqlite_sequence WHERE name = 'sign_ins';
INSERT INTO sign_ins_with_links (id, hash, kind, user_id, expires_at, grants)
    SELECT id, hash, kind, user_id, expires_at, grants FROM sign_ins;
DROP TABLE sign_ins;
ALTER TABLE sign_ins_with_links RENAME TO sign_ins;
CREATE INDEX sign_ins_of_users ON sign_ins (user_id);
CREATE INDEX sign_ins_by_expiry ON sign_ins (expires_at);
