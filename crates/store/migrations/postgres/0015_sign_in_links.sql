-- A sign-in can be a link that asks for a new password.
ALTER TABLE sign_ins DROP CONSTRAINT sign_ins_kind_check;
ALTER TABLE sign_ins ADD CONSTRAINT sign_ins_kind_check CHECK (kind IN ('access_token', 'session', 'link'));
