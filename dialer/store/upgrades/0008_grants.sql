-- Which gateways and voice applications a user may use; a superuser may use all of them. A user has those that its campaigns use,
-- whoever chose them: so a campaign never refers to one that is not granted.

CREATE TABLE gateway_user (
    gateway_id {integer} NOT NULL REFERENCES gateway (id) ON DELETE CASCADE,
    user_id {integer} NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
-- only sqlite
    PRIMARY KEY (gateway_id, user_id)
-- only postgresql
    CONSTRAINT gateway_user_key PRIMARY KEY (gateway_id, user_id)
-- both
);

CREATE INDEX gateway_user_user ON gateway_user (user_id);

CREATE TABLE user_voip_app (
    user_id {integer} NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    voip_app_id {integer} NOT NULL REFERENCES voip_app (id) ON DELETE CASCADE,
-- only sqlite
    PRIMARY KEY (user_id, voip_app_id)
-- only postgresql
    CONSTRAINT user_voip_app_key PRIMARY KEY (user_id, voip_app_id)
-- both
);

CREATE INDEX user_voip_app_voip_app ON user_voip_app (voip_app_id);

INSERT INTO gateway_user (gateway_id, user_id) SELECT DISTINCT gateway_id, user_id FROM campaign WHERE archived_at IS NULL;
INSERT INTO user_voip_app (user_id, voip_app_id) SELECT DISTINCT user_id, voip_app_id FROM campaign WHERE archived_at IS NULL;
