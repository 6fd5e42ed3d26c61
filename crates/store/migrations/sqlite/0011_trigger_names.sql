-- Renames triggers to <table>_<effect>. SQLite cannot rename a trigger, so each is dropped and created
-- again with the same body.
DROP TRIGGER audit_stays;
CREATE TRIGGER audit_reject_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

DROP TRIGGER audit_is_kept;
CREATE TRIGGER audit_reject_delete BEFORE DELETE ON audit
WHEN NOT EXISTS (SELECT 1 FROM networks WHERE id = OLD.network_id AND sandbox = 1)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

DROP TRIGGER transactions_stay;
CREATE TRIGGER transactions_reject_update BEFORE UPDATE ON transactions
BEGIN SELECT RAISE(ABORT, 'transactions are append-only'); END;

DROP TRIGGER transactions_are_kept;
CREATE TRIGGER transactions_reject_delete BEFORE DELETE ON transactions
WHEN NOT EXISTS (SELECT 1 FROM networks WHERE id = OLD.network_id AND sandbox = 1)
BEGIN SELECT RAISE(ABORT, 'transactions are append-only'); END;

DROP TRIGGER campaign_is_new;
CREATE TRIGGER campaigns_record_status_on_insert AFTER INSERT ON campaigns BEGIN
    INSERT INTO statuses (object, object_id, since, status)
    VALUES ('campaign', NEW.id, NEW.created_at, NEW.status);
END;

DROP TRIGGER campaign_moves;
CREATE TRIGGER campaigns_record_status_on_update AFTER UPDATE OF status ON campaigns
WHEN NEW.status <> OLD.status BEGIN
    INSERT INTO statuses (object, object_id, since, status)
    VALUES ('campaign', NEW.id, NEW.updated_at, NEW.status);
END;

DROP TRIGGER affiliate_campaign_is_new;
CREATE TRIGGER affiliate_campaigns_record_status_on_insert AFTER INSERT ON affiliate_campaigns BEGIN
    INSERT INTO statuses (object, object_id, since, status)
    VALUES ('affiliate_campaign', NEW.id, NEW.created_at, NEW.status);
END;

DROP TRIGGER affiliate_campaign_moves;
CREATE TRIGGER affiliate_campaigns_record_status_on_update AFTER UPDATE OF status ON affiliate_campaigns
WHEN NEW.status <> OLD.status BEGIN
    INSERT INTO statuses (object, object_id, since, status)
    VALUES ('affiliate_campaign', NEW.id, NEW.updated_at, NEW.status);
END;

DROP TRIGGER tokens_changed;
CREATE TRIGGER tokens_advance_generation_on_update AFTER UPDATE ON tokens BEGIN
    INSERT INTO credential_generations (id, generation) VALUES (1, 1)
    ON CONFLICT (id) DO UPDATE SET generation = generation + 1;
END;

DROP TRIGGER tokens_deleted;
CREATE TRIGGER tokens_advance_generation_on_delete AFTER DELETE ON tokens BEGIN
    INSERT INTO credential_generations (id, generation) VALUES (1, 1)
    ON CONFLICT (id) DO UPDATE SET generation = generation + 1;
END;

DROP TRIGGER networks_changed;
CREATE TRIGGER networks_advance_generation_on_update AFTER UPDATE ON networks BEGIN
    INSERT INTO credential_generations (id, generation) VALUES (1, 1)
    ON CONFLICT (id) DO UPDATE SET generation = generation + 1;
END;

DROP TRIGGER networks_deleted;
CREATE TRIGGER networks_advance_generation_on_delete AFTER DELETE ON networks BEGIN
    INSERT INTO credential_generations (id, generation) VALUES (1, 1)
    ON CONFLICT (id) DO UPDATE SET generation = generation + 1;
END;
