-- Whom the campaigns of a user may call: patterns of numbers (see `dialer.patterns`), as they were entered and as LIKE takes them.

CREATE TABLE number_pattern (
    user_id {integer} NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    kind {text} NOT NULL CONSTRAINT number_pattern_kind CHECK (kind IN ('blacklist', 'whitelist')),
    pattern {text} NOT NULL CONSTRAINT number_pattern_pattern CHECK (length(pattern) BETWEEN 1 AND 33),
    matcher {text} NOT NULL CONSTRAINT number_pattern_matcher CHECK (
-- only sqlite
        length(matcher) BETWEEN 1 AND 33 AND rtrim(matcher, '%') NOT GLOB '*[^0-9*#_]*'
    ),
    PRIMARY KEY (user_id, kind, pattern)
) WITHOUT ROWID;
-- only postgresql
        length(matcher) BETWEEN 1 AND 33 AND rtrim(matcher, '%') !~ '[^0-9*#_]'
    ),
    CONSTRAINT number_pattern_pattern_key PRIMARY KEY (user_id, kind, pattern)
);
-- both
