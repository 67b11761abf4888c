"""What has to hold in a database at any moment, each as a query for the rows that break it, with what mends them.

A query gives one text a row, which names it. All of them hold within one transaction, so also beside a dialer at work. Status
numbers are those of `SubscriberStatus` (1 START, 4 FAIL, 5 COMPLETE, 6 IN_PROCESS, 7 NOT_AUTHORISED).
"""

from __future__ import annotations

from typing import Final

from attrs import frozen


@frozen(kw_only=True)
class Invariant:
    """`broken` finds the rows that break it. `repair` are statements that mend them, in order, with the parameter `:now`; none
    when that is not for a program to decide. `remedy` says what they do, or what an admin can do."""

    name: str
    problem: str
    broken: str
    remedy: str
    repair: tuple[str, ...] = ()


OPEN_ATTEMPTS: Final = "SELECT count(*) FROM attempt WHERE ended_at IS NULL"

_BACKUP: Final = "restore a backup; a program cannot tell which of the rows is right"

INVARIANTS: Final = (
    Invariant(
        name="two-open-attempts",
        problem="numbers to which more than one attempt is open",
        broken="SELECT number || ': attempts ' || group_concat(id, ', ') FROM attempt WHERE ended_at IS NULL "
        "GROUP BY number HAVING count(*) > 1",
        remedy="start the dialer: its recovery ends the attempts whose calls are gone",
    ),
    Invariant(
        name="attempt-without-claim",
        problem="open attempts whose subscriber is not in process",
        broken="SELECT 'attempt ' || a.id || ' of subscriber ' || s.id || ' (' || s.number || '), whose status is ' || "
        "s.status FROM attempt a JOIN subscriber s ON s.id = a.subscriber_id WHERE a.ended_at IS NULL "
        "AND s.status NOT IN (6, 7) ORDER BY a.id",
        remedy="the subscriber is in process until the dialer's recovery has ended the attempt; one that was not pending has "
        "its status again then",
        repair=(
            "UPDATE subscriber SET wanted_status = CASE status WHEN 1 THEN NULL ELSE status END, status = 6 "
            "WHERE status NOT IN (6, 7) "
            "AND EXISTS (SELECT 1 FROM attempt a WHERE a.subscriber_id = subscriber.id AND a.ended_at IS NULL)",
        ),
    ),
    Invariant(
        name="wrong-count-of-attempts",
        problem="subscribers whose count of attempts is not that of their attempts that count",
        broken="SELECT 'subscriber ' || s.id || ' (' || s.number || '): ' || s.count_attempt || ' instead of ' || "
        "coalesce(n.counted, 0) FROM subscriber s LEFT JOIN (SELECT subscriber_id, sum(counts) AS counted FROM attempt "
        "WHERE ended_at IS NOT NULL GROUP BY subscriber_id) n ON n.subscriber_id = s.id "
        "WHERE s.count_attempt <> coalesce(n.counted, 0) ORDER BY s.id",
        remedy="the attempts are counted again",
        repair=(
            "UPDATE subscriber SET count_attempt = n.counted FROM (SELECT s.id AS subscriber_id, coalesce(sum(a.counts), 0) "
            "AS counted FROM subscriber s LEFT JOIN attempt a ON a.subscriber_id = s.id AND a.ended_at IS NOT NULL "
            "GROUP BY s.id) n WHERE n.subscriber_id = subscriber.id AND count_attempt <> n.counted",
        ),
    ),
    Invariant(
        name="claim-without-attempt",
        problem="subscribers in process of whom no attempt is open: nobody would ever call them",
        broken="SELECT 'subscriber ' || s.id || ' (' || s.number || ') of campaign ' || s.campaign_id FROM subscriber s "
        "WHERE s.status = 6 AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.subscriber_id = s.id AND a.ended_at IS NULL) "
        "ORDER BY s.id",
        remedy="the subscriber gets the status that a user wished meanwhile; else it is complete when its last attempt was "
        "answered, failed when it has no attempt left, and otherwise pending and ready now; no attempt is counted",
        repair=(
            "UPDATE subscriber SET wanted_status = coalesce(wanted_status, "
            "CASE WHEN (SELECT a.disposition FROM attempt a WHERE a.subscriber_id = subscriber.id ORDER BY a.id DESC LIMIT 1) "
            "= 'ANSWERED' THEN 5 "
            "WHEN count_attempt > (SELECT c.max_retry FROM campaign c WHERE c.id = subscriber.campaign_id) THEN 4 "
            "ELSE 1 END) WHERE status = 6 "
            "AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.subscriber_id = subscriber.id AND a.ended_at IS NULL)",
            "UPDATE subscriber SET status = wanted_status, ready_at = CASE wanted_status WHEN 1 THEN :now END, "
            "wanted_status = NULL WHERE status = 6 AND wanted_status IS NOT NULL "
            "AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.subscriber_id = subscriber.id AND a.ended_at IS NULL)",
        ),
    ),
    Invariant(
        name="finished-and-ready",
        problem="subscribers that are not to be called and yet have a time from which on they are ready",
        broken="SELECT 'subscriber ' || id || ' (' || number || '), whose status is ' || status FROM subscriber "
        "WHERE status NOT IN (1, 6) AND ready_at IS NOT NULL ORDER BY id",
        remedy="the time is removed",
        repair=("UPDATE subscriber SET ready_at = NULL WHERE status NOT IN (1, 6) AND ready_at IS NOT NULL",),
    ),
    Invariant(
        name="wrong-count-of-subscribers",
        problem="kept counts of a campaign's subscribers by status that are not those of the rows",
        broken="SELECT 'campaign ' || k.campaign_id || ', status ' || k.status || ': ' || "
        "coalesce((SELECT n.subscribers FROM subscriber_count n WHERE n.campaign_id = k.campaign_id AND n.status = k.status), "
        "'nothing') || ' instead of ' || k.subscribers FROM (SELECT c.id AS campaign_id, j.value AS status, "
        "coalesce(r.subscribers, 0) AS subscribers FROM campaign c JOIN json_each('[1,2,3,4,5,6,7]') j LEFT JOIN "
        "(SELECT campaign_id, status, count(*) AS subscribers FROM subscriber GROUP BY campaign_id, status) r "
        "ON r.campaign_id = c.id AND r.status = j.value) k WHERE k.subscribers IS NOT (SELECT n.subscribers "
        "FROM subscriber_count n WHERE n.campaign_id = k.campaign_id AND n.status = k.status) ORDER BY 1",
        remedy="the subscribers are counted again",
        repair=(
            "INSERT OR REPLACE INTO subscriber_count (campaign_id, status, subscribers) "
            "SELECT c.id, j.value, coalesce(r.subscribers, 0) FROM campaign c JOIN json_each('[1,2,3,4,5,6,7]') j LEFT JOIN "
            "(SELECT campaign_id, status, count(*) AS subscribers FROM subscriber GROUP BY campaign_id, status) r "
            "ON r.campaign_id = c.id AND r.status = j.value WHERE coalesce(r.subscribers, 0) IS NOT "
            "(SELECT n.subscribers FROM subscriber_count n WHERE n.campaign_id = c.id AND n.status = j.value)",
        ),
    ),
    Invariant(
        name="foreign-attempt",
        problem="attempts whose number or campaign is not their subscriber's",
        broken="SELECT 'attempt ' || a.id || ' (' || a.number || ', campaign ' || a.campaign_id || ') of subscriber ' || "
        "s.id || ' (' || s.number || ', campaign ' || s.campaign_id || ')' FROM attempt a "
        "JOIN subscriber s ON s.id = a.subscriber_id WHERE a.number <> s.number OR a.campaign_id <> s.campaign_id "
        "ORDER BY a.id",
        remedy=_BACKUP,
    ),
    Invariant(
        name="foreign-subscriber",
        problem="subscribers whose number is not their contact's, or whose contact stands in no phonebook of their campaign",
        broken="SELECT 'subscriber ' || s.id || ' (' || s.number || ') of campaign ' || s.campaign_id || ', contact ' || k.id "
        "|| ' (' || k.number || ')' FROM subscriber s JOIN contact k ON k.id = s.contact_id WHERE k.number <> s.number "
        "OR NOT EXISTS (SELECT 1 FROM campaign_phonebook l WHERE l.campaign_id = s.campaign_id "
        "AND l.phonebook_id = k.phonebook_id) ORDER BY s.id",
        remedy=_BACKUP,
    ),
    Invariant(
        name="early-delivery",
        problem="deliveries to a hook about an attempt that has not ended, or is another campaign's",
        broken="SELECT 'delivery ' || o.id || ' about attempt ' || coalesce(a.id, 'none') FROM outbox o "
        "LEFT JOIN attempt a ON a.id = o.attempt_id WHERE o.kind = 'attempt.finished' "
        "AND (a.id IS NULL OR a.ended_at IS NULL OR a.campaign_id <> o.campaign_id) ORDER BY o.id",
        remedy=_BACKUP,
    ),
)
"""In the order in which they are mended: attempts are counted before it is asked whether any is left, subscribers after their
statuses are right."""
