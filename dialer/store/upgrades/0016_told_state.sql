-- What others were told last of things that go on: a campaign that is idle, and why; a gateway that is down. A change of it is
-- one row, written with its event, so that of several nodes one tells it, and a node that was killed does not tell it again.

CREATE TABLE told_state (
    noun {text} NOT NULL CONSTRAINT told_state_noun CHECK (noun IN ('campaign', 'gateway')),
    noun_id {integer} NOT NULL,
    state {text} NOT NULL,
    PRIMARY KEY (noun, noun_id)
);

-- Nobody wants to hear of what finished long ago.
INSERT INTO told_state (noun, noun_id, state)
SELECT 'campaign', c.id, 'all-done' FROM campaign c WHERE c.status = 1
AND EXISTS (SELECT 1 FROM subscriber_count n WHERE n.campaign_id = c.id AND n.subscribers > 0)
AND NOT EXISTS (SELECT 1 FROM subscriber_count n WHERE n.campaign_id = c.id AND n.status IN (1, 6) AND n.subscribers > 0);
