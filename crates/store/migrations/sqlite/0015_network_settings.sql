-- Settings of the network that have no column of their own, as a JSON object. An absent property has its default.
ALTER TABLE networks ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
