-- Whom the campaigns of a user may call: patterns of numbers (see `dialer.patterns`), as they were entered and as LIKE takes them.

CREATE TABLE number_pattern (
    user_id BIGINT NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    kind TEXT COLLATE "C" NOT NULL CONSTRAINT number_pattern_kind CHECK (kind IN ('blacklist', 'whitelist')),
    pattern TEXT COLLATE "C" NOT NULL CONSTRAINT number_pattern_pattern CHECK (length(pattern) BETWEEN 1 AND 33),
    matcher TEXT COLLATE "C" NOT NULL CONSTRAINT number_pattern_matcher CHECK (
        length(matcher) BETWEEN 1 AND 33 AND rtrim(matcher, '%') !~ '[^0-9*#_]'
    ),
    CONSTRAINT number_pattern_pattern_key PRIMARY KEY (user_id, kind, pattern)
);
