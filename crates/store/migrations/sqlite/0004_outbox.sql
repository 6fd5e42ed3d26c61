-- Who is told of a network's events by HTTP. The secret signs what is sent, so it has to be kept as it is.
-- `kinds` is a JSON array of event types; an empty one is all of them. A
-- deleted one stays until its deliveries have been swept away.
CREATE TABLE webhooks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    network_id INTEGER NOT NULL REFERENCES networks (id),
    url TEXT NOT NULL,
    kinds TEXT NOT NULL,
    description TEXT,
    secret TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    deleted_at INTEGER
) STRICT;
CREATE INDEX webhooks_of_networks ON webhooks (network_id, id);

-- One event on its way to one webhook, written with the event. `due_at` is the next moment at which
-- anybody may send it: who takes it moves that on, past the time an attempt can take, so that nobody
-- else sends it meanwhile, and a crash makes it due again. It is set as long as the state is pending.
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook_id INTEGER NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    event_id INTEGER NOT NULL REFERENCES events (id),
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER,
    give_up_at INTEGER NOT NULL,
    last_status INTEGER,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    delivered_at INTEGER
) STRICT;
CREATE INDEX deliveries_of_webhooks ON deliveries (webhook_id, id);
CREATE INDEX deliveries_of_events ON deliveries (event_id);
CREATE INDEX deliveries_by_age ON deliveries (created_at);
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_to_give_up ON deliveries (give_up_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_due_of_webhooks ON deliveries (webhook_id, due_at) WHERE due_at IS NOT NULL;

-- Mail that waits to be sent, or was: one for each event and address. `due_at` is as in deliveries.
CREATE TABLE mails (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    network_id INTEGER NOT NULL REFERENCES networks (id),
    event_id INTEGER NOT NULL,
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
    UNIQUE (event_id, address_key)
) STRICT;
CREATE INDEX mails_of_networks ON mails (network_id, id);
CREATE INDEX mails_by_age ON mails (created_at);
CREATE INDEX mails_due ON mails (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX mails_to_give_up ON mails (give_up_at) WHERE due_at IS NOT NULL;
