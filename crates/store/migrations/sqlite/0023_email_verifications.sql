-- Addresses are verified before mail is sent to them. Those from before are taken as verified: which of them a party
-- wrote is not recorded, and alerts must not end silently. Addresses that are added later begin as not verified.
ALTER TABLE user_emails ADD COLUMN verified INTEGER NOT NULL DEFAULT 1 CHECK (verified IN (0, 1));

-- Request to confirm an address that a credential of a party wrote. `hash` is that of the token in the last mail with the
-- link; NULL before the first attempt to send it.
CREATE TABLE email_verifications (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    network_id INTEGER NOT NULL REFERENCES networks (id),
    party_id INTEGER NOT NULL REFERENCES parties (id) ON DELETE CASCADE,
    email_key TEXT NOT NULL,
    hash BLOB UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    confirmed_at INTEGER
) STRICT;
CREATE INDEX email_verifications_of_addresses ON email_verifications (party_id, email_key);
CREATE INDEX email_verifications_of_parties ON email_verifications (party_id, created_at);
CREATE INDEX email_verifications_by_expiry ON email_verifications (expires_at);

-- A mail is about an event, or asks for the confirmation of its address. SQLite cannot drop NOT NULL, so the table is
-- copied; the next id is kept.
CREATE TABLE mails_of_two_kinds (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    network_id INTEGER NOT NULL REFERENCES networks (id),
    event_id INTEGER,
    email_verification_id INTEGER,
    address TEXT NOT NULL,
    address_key TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'failed', 'expired')),
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER,
    give_up_at INTEGER NOT NULL,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    sent_at INTEGER,
    UNIQUE (event_id, address_key),
    CHECK ((event_id IS NULL) <> (email_verification_id IS NULL))
) STRICT;
INSERT INTO sqlite_sequence (name, seq) SELECT 'mails_of_two_kinds', seq FROM sqlite_sequence WHERE name = 'mails';
INSERT INTO mails_of_two_kinds (id, network_id, event_id, address, address_key, subject, body, state, attempts, due_at,
    give_up_at, last_error, created_at, sent_at)
    SELECT id, network_id, event_id, address, address_key, subject, body, state, attempts, due_at, give_up_at,
    last_error, created_at, sent_at FROM mails;
DROP TABLE mails;
ALTER TABLE mails_of_two_kinds RENAME TO mails;
CREATE INDEX mails_of_networks ON mails (network_id, id);
CREATE INDEX mails_by_age ON mails (created_at);
CREATE INDEX mails_due ON mails (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX mails_to_give_up ON mails (give_up_at) WHERE due_at IS NOT NULL;
CREATE INDEX mails_due_of_networks ON mails (network_id, due_at) WHERE due_at IS NOT NULL;
