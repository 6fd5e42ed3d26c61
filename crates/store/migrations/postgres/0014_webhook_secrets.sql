-- Secret that was rotated out: it also signs the deliveries until it expires.
ALTER TABLE webhooks ADD COLUMN previous_secret TEXT;
ALTER TABLE webhooks ADD COLUMN previous_secret_expires_at BIGINT;

-- Networks take turns in sending mail.
CREATE INDEX mails_due_of_networks ON mails (network_id, due_at) WHERE due_at IS NOT NULL;
