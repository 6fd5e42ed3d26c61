-- The network and everything it stores. Times are milliseconds since 1970, UTC. Bodies are JSON of
-- the domain's own shapes; what is looked up or must be unique is a column.
-- AUTOINCREMENT: an id that has been given away is never given to something else.

CREATE TABLE networks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    auto_generate_ids INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE parties (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    network_id INTEGER NOT NULL REFERENCES networks (id),
    kind TEXT NOT NULL CHECK (kind IN ('advertiser', 'affiliate')),
    id_from_network TEXT NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    status TEXT NOT NULL,
    sites TEXT NOT NULL,
    profile TEXT NOT NULL,
    custom_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (network_id, kind, id_from_network),
    UNIQUE (network_id, kind, name_key)
) STRICT;
CREATE INDEX parties_in_order ON parties (network_id, kind, id);

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    network_id INTEGER NOT NULL REFERENCES networks (id),
    id_from_network TEXT NOT NULL,
    body TEXT NOT NULL,
    password_hash TEXT,
    UNIQUE (network_id, id_from_network)
) STRICT;

CREATE TABLE user_emails (
    email_key TEXT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (email_key, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX emails_of_users ON user_emails (user_id);

CREATE TABLE memberships (
    organization TEXT NOT NULL CHECK (organization IN ('network', 'advertiser', 'affiliate')),
    organization_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users (id),
    role TEXT NOT NULL,
    PRIMARY KEY (organization, organization_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_of_users ON memberships (user_id);

CREATE TABLE custom_data_fields (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    network_id INTEGER NOT NULL REFERENCES networks (id),
    partner_name TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (network_id, partner_name)
) STRICT;

CREATE TABLE relationships (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    advertiser_id INTEGER NOT NULL REFERENCES parties (id) ON DELETE CASCADE,
    affiliate_id INTEGER NOT NULL REFERENCES parties (id) ON DELETE CASCADE,
    status TEXT NOT NULL,
    UNIQUE (advertiser_id, affiliate_id)
) STRICT;
CREATE INDEX relationships_of_affiliates ON relationships (affiliate_id);

CREATE TABLE campaigns (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    network_id INTEGER NOT NULL REFERENCES networks (id),
    advertiser_id INTEGER NOT NULL REFERENCES parties (id),
    id_from_network TEXT NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    current_terms_id INTEGER REFERENCES terms (id),
    future_terms TEXT,
    custom_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (network_id, id_from_network)
) STRICT;
CREATE INDEX campaigns_in_order ON campaigns (advertiser_id, id);

-- Terms that went live. They are kept for good: calls remember which ones priced them.
CREATE TABLE terms (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    campaign_id INTEGER NOT NULL REFERENCES campaigns (id),
    body TEXT NOT NULL,
    went_live_at INTEGER NOT NULL
) STRICT;
CREATE INDEX terms_of_campaigns ON terms (campaign_id, went_live_at);

CREATE TABLE affiliate_campaigns (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    network_id INTEGER NOT NULL REFERENCES networks (id),
    campaign_id INTEGER NOT NULL REFERENCES campaigns (id),
    affiliate_id INTEGER NOT NULL REFERENCES parties (id),
    id_from_network TEXT NOT NULL,
    status TEXT NOT NULL,
    custom_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (campaign_id, affiliate_id),
    UNIQUE (network_id, id_from_network)
) STRICT;
CREATE INDEX affiliate_campaigns_in_order ON affiliate_campaigns (campaign_id, id);
CREATE INDEX affiliate_campaigns_of_affiliates ON affiliate_campaigns (affiliate_id, campaign_id);

-- The network's numbers; one that is in use has a promo number.
CREATE TABLE numbers (
    network_id INTEGER NOT NULL REFERENCES networks (id),
    number TEXT NOT NULL,
    promo_number_id INTEGER,
    PRIMARY KEY (network_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX numbers_free ON numbers (network_id, number) WHERE promo_number_id IS NULL;

CREATE TABLE promo_numbers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    network_id INTEGER NOT NULL REFERENCES networks (id),
    campaign_id INTEGER NOT NULL REFERENCES campaigns (id),
    affiliate_id INTEGER REFERENCES parties (id),
    id_from_network TEXT NOT NULL,
    number TEXT NOT NULL,
    description TEXT NOT NULL,
    media_type TEXT NOT NULL,
    custom_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (network_id, number),
    UNIQUE (network_id, id_from_network)
) STRICT;
CREATE INDEX promo_numbers_in_order ON promo_numbers (campaign_id, affiliate_id, id);

CREATE TABLE tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    network_id INTEGER NOT NULL REFERENCES networks (id),
    hash BLOB NOT NULL UNIQUE,
    scope TEXT NOT NULL CHECK (scope IN ('network', 'advertiser', 'affiliate')),
    party_id INTEGER REFERENCES parties (id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    label TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT;
CREATE INDEX tokens_of_networks ON tokens (network_id, id);
CREATE INDEX tokens_of_parties ON tokens (party_id);

-- One-time tokens and console sessions.
CREATE TABLE sign_ins (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('access_token', 'session')),
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sign_ins_of_users ON sign_ins (user_id);
CREATE INDEX sign_ins_by_expiry ON sign_ins (expires_at);

-- Append-only: who changed what, when, and from what to what.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    network_id INTEGER NOT NULL REFERENCES networks (id),
    at INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    actor TEXT NOT NULL,
    object TEXT NOT NULL,
    action TEXT NOT NULL,
    before TEXT,
    after TEXT
) STRICT;
CREATE INDEX audit_in_order ON audit (network_id, id);
CREATE INDEX audit_of_objects ON audit (network_id, object, id);
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

-- Answers to requests that carried an Idempotency-Key.
CREATE TABLE idempotency (
    network_id INTEGER NOT NULL REFERENCES networks (id),
    actor TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    answer TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (network_id, actor, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (at);
