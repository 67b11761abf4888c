"""Conditions that hold in a database at any moment, each as a query for the rows that break it, with their remedy.

A query gives one text a row, which names it. All of them hold within one transaction, so also beside dialers at work. Status
numbers are those of `SubscriberStatus` (1 START, 4 FAIL, 5 COMPLETE, 6 IN_PROCESS, 7 NOT_AUTHORISED).
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

from dialer.store import caller_id_counts
from dialer.store.connection import Dialect, Variants
from dialer.store.node_statements import CLOCK
from dialer.store.statistics import COUNT_AGAIN, MISCOUNTED

Text = str | Variants
"""A statement. In it, `:now` is this moment, and `:soon` is `SOON` later."""

SOON: Final = 3600.0
"""Seconds. Nothing is due in so long: pacing looks a minute ahead at most, so the clock was wrong that said so."""


@frozen(kw_only=True)
class Invariant:
    """`broken` finds the rows that break it. `repair` are statements that mend them, in order; none when that is not for a
    program to decide. `remedy` says what they do, or what an admin can do. `only` is the kind of database that it is
    about."""

    name: str
    problem: str
    broken: Text
    remedy: str
    repair: tuple[Text, ...] = ()
    only: Dialect | None = None


OPEN_ATTEMPTS: Final = "SELECT count(*) FROM attempt WHERE ended_at IS NULL"

_BACKUP: Final = "restore a backup; a program cannot tell which of the rows is right"

_NO_OPEN_ATTEMPT: Final = "NOT EXISTS (SELECT 1 FROM attempt a WHERE a.subscriber_id = subscriber.id AND a.ended_at IS NULL)"

_LEFT: Final = (
    "NOT EXISTS (SELECT 1 FROM contact k JOIN campaign_phonebook l ON l.phonebook_id = k.phonebook_id "
    "WHERE k.id = subscriber.contact_id AND l.campaign_id = subscriber.campaign_id AND k.archived_at IS NULL) "
    "AND EXISTS (SELECT 1 FROM campaign c WHERE c.id = subscriber.campaign_id AND c.archived_at IS NULL)"
)

_COUNTED: Final = (
    "SELECT a.id, a.subscriber_id, a.number_of_attempt, 1 + coalesce(p.counted, 0) + coalesce(sum(a.counts_as_attempt) OVER "
    "(PARTITION BY a.subscriber_id ORDER BY a.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS counted "
    "FROM attempt a LEFT JOIN purged_attempts p ON p.subscriber_id = a.subscriber_id"
)
"""Attempts, with the number that each must have: one more than the earlier ones that count, purged ones included."""

_COUNT_OF_ATTEMPTS: Final = (
    "(SELECT s.id AS subscriber_id, coalesce(p.counted, 0) + coalesce(n.counted, 0) AS counted FROM subscriber s "
    "LEFT JOIN purged_attempts p ON p.subscriber_id = s.id "
    "LEFT JOIN (SELECT subscriber_id, sum(counts_as_attempt) AS counted FROM attempt WHERE ended_at IS NOT NULL "
    "GROUP BY subscriber_id) AS n ON n.subscriber_id = s.id) AS n"
)
"""The attempts of each subscriber that count, and have ended or were purged."""

_BY_STATUS: Final = (
    "SELECT c.id AS campaign_id, j.column1 AS status, coalesce(r.subscribers, 0) AS subscribers FROM campaign c "
    "CROSS JOIN (VALUES (1), (2), (3), (4), (5), (6), (7)) AS j LEFT JOIN (SELECT campaign_id, status, count(*) "
    "AS subscribers FROM subscriber GROUP BY campaign_id, status) AS r ON r.campaign_id = c.id AND r.status = j.column1"
)
"""The subscribers of each campaign by status, counted now."""

_MISCOUNTED: Final = (
    f"({_BY_STATUS}) AS k LEFT JOIN subscriber_count n ON n.campaign_id = k.campaign_id AND n.status = k.status "
    "WHERE n.subscribers IS NULL OR n.subscribers <> k.subscribers"
)


_LISTED: Final = (
    "SELECT 'attempt ' || a.id || ' (' || a.number || '), call ' || a.call_uuid FROM attempt a "
    "JOIN campaign c ON c.id = a.campaign_id WHERE a.ended_at IS NULL AND EXISTS (SELECT 1 FROM do_not_call d "
    "JOIN do_not_call_list l ON l.id = d.list_id AND l.archived_at IS NULL WHERE d.identity = a.identity "
    "AND (l.user_id IS NULL OR l.user_id = c.user_id) AND (l.campaign_id IS NULL OR l.campaign_id = c.id) "
    "AND d.removed_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > a.planned_at) AND {})"
)


def _held_back(table: str) -> Invariant:
    """Of the moments that pacing keeps in `table`."""
    return Invariant(
        name=f"{table}-held-back",
        problem=f"{table}s whose next call is due at a time that no pacing can have set: they would call nobody until then",
        broken=f"SELECT '{table} ' || id || ' (' || name || '): ' || next_call_at FROM {table} "
        "WHERE next_call_at > :soon ORDER BY id",
        remedy="the time is removed: the next call may be made at once",
        repair=(f"UPDATE {table} SET next_call_at = NULL WHERE next_call_at > :soon",),
    )


_ATTEMPTS: Final = (
    Invariant(
        name="two-open-attempts",
        problem="numbers to which more than one attempt is open",
        broken=Variants(
            sqlite="SELECT identity || ': attempts ' || group_concat(id, ', ') FROM attempt WHERE ended_at IS NULL "
            "GROUP BY identity HAVING count(*) > 1 ORDER BY identity",
            postgresql="SELECT identity || ': attempts ' || string_agg(id::text, ', ' ORDER BY id) FROM attempt "
            "WHERE ended_at IS NULL GROUP BY identity HAVING count(*) > 1 ORDER BY identity",
        ),
        remedy="start the dialer: its recovery ends the attempts whose calls are gone",
    ),
    Invariant(
        name="attempt-of-nobody",
        problem="names that have attempts open and are no node: nobody would ever end these",
        broken="SELECT a.owner || ': open attempts: ' || count(*) FROM attempt a WHERE a.ended_at IS NULL "
        "AND NOT EXISTS (SELECT 1 FROM node n WHERE n.name = a.owner) GROUP BY a.owner ORDER BY a.owner",
        remedy="start a node of that name ([node] name) with the switch that it had: it takes them over",
        only=Dialect.POSTGRESQL,
    ),
    Invariant(
        name="attempts-left",
        problem="nodes that were last heard of more than ten minutes ago and have attempts open",
        broken="SELECT n.name || ' (process ' || n.pid || ' on ' || n.host || '): heard of ' "
        f"|| floor(extract(epoch FROM {CLOCK} - n.seen_at) / 60) || ' min ago, switch ' "
        "|| string_agg(DISTINCT coalesce(nullif(a.switch, ''), 'unknown'), ', ') || ', open attempts: ' || count(a.id) "
        "FROM node n "
        "JOIN attempt a ON a.owner = n.name AND a.ended_at IS NULL "
        f"WHERE n.lease_until < {CLOCK} - interval '10 minutes' GROUP BY n.id ORDER BY n.name",
        remedy="start that node again, or another one whose switch is the same ([[switch]] name): it finds out what became "
        "of the calls, and ends the attempts",
        only=Dialect.POSTGRESQL,
    ),
    Invariant(
        name="endless-lease",
        problem="nodes that nobody would take for dead, because their lease lasts longer than any can",
        broken="SELECT name || ': until ' || lease_until FROM node WHERE lease_until > :soon ORDER BY name",
        remedy="the lease ends now; see that the clock of the database is right",
        repair=("UPDATE node SET lease_until = :now WHERE lease_until > :soon",),
        only=Dialect.POSTGRESQL,
    ),
    Invariant(
        name="attempt-from-the-future",
        problem="open attempts that could be sent at a time which no pacing can have set: they would stay open until then",
        broken="SELECT 'attempt ' || id || ' (' || number || '): ' || deadline FROM attempt WHERE ended_at IS NULL "
        "AND deadline > :soon ORDER BY id",
        remedy="the attempt could be sent until now; the dialer's recovery finds out what became of it",
        repair=(
            "UPDATE attempt SET planned_at = :now, due_at = :now, deadline = :now WHERE ended_at IS NULL AND deadline > :soon",
        ),
    ),
    Invariant(
        name="left-second-leg",
        problem="attempts that have ended and have a second leg: its gateway could not be removed",
        broken="SELECT 'attempt ' || id || ' (' || number || '): gateway ' || second_gateway_id FROM attempt "
        "WHERE second_gateway_id IS NOT NULL AND ended_at IS NOT NULL ORDER BY id",
        remedy="the second leg is over",
        repair=("UPDATE attempt SET second_gateway_id = NULL WHERE second_gateway_id IS NOT NULL AND ended_at IS NOT NULL",),
    ),
    Invariant(
        name="forbidden-attempt",
        problem="open attempts to numbers that were on a do-not-call list of their campaigns when they were begun",
        broken=Variants(
            sqlite=_LISTED.format("a.planned_at > strftime('%Y-%m-%d %H:%M:%f', d.created_at, '+60 seconds')")
            + " ORDER BY a.id",
            postgresql=_LISTED.format("a.planned_at > d.created_at + interval '60 seconds'") + " ORDER BY a.id",
        ),
        remedy="hang the call up on the switch (uuid_kill); the number is not called again",
    ),
    Invariant(
        name="wrong-number-of-attempt",
        problem="attempts whose number is not one more than the earlier ones that count",
        broken=f"SELECT 'attempt ' || n.id || ' of subscriber ' || n.subscriber_id || ': ' || n.number_of_attempt "
        f"|| ' instead of ' || n.counted FROM ({_COUNTED}) AS n WHERE n.number_of_attempt <> n.counted ORDER BY n.id",
        remedy="the attempts are numbered again",
        repair=(
            f"UPDATE attempt SET number_of_attempt = n.counted FROM ({_COUNTED}) AS n WHERE n.id = attempt.id "
            "AND attempt.number_of_attempt <> n.counted",
        ),
    ),
)

_STATISTICS: Final = Invariant(
    name="wrong-statistics",
    problem="kept statistics of a campaign's attempts that are not those of the rows",
    broken=MISCOUNTED,
    remedy="the attempts that are there are counted again; those that were deleted stay counted",
    repair=(COUNT_AGAIN,),
)

_CALLER_IDS: Final = Invariant(
    name="wrong-caller-id-counts",
    problem="kept counts of the calls that showed a caller id that are not those of the rows",
    broken=caller_id_counts.MISCOUNTED,
    remedy="the attempts that are there are counted again; those that were deleted stay counted",
    repair=(caller_id_counts.COUNT_AGAIN,),
)

_SUBSCRIBERS: Final = (
    Invariant(
        name="attempt-without-claim",
        problem="open attempts whose subscriber is not in process",
        broken="SELECT 'attempt ' || a.id || ' of subscriber ' || s.id || ' (' || s.number || '), whose status is ' || "
        "s.status FROM attempt a JOIN subscriber s ON s.id = a.subscriber_id WHERE a.ended_at IS NULL "
        "AND s.status NOT IN (6, 7) ORDER BY a.id",
        remedy="the subscriber is in process until the dialer's recovery has ended the attempt; one that was not pending has "
        "its status again then",
        repair=(
            "UPDATE subscriber SET requested_status = CASE status WHEN 1 THEN NULL ELSE status END, status = 6 "
            "WHERE status NOT IN (6, 7) "
            "AND EXISTS (SELECT 1 FROM attempt a WHERE a.subscriber_id = subscriber.id AND a.ended_at IS NULL)",
        ),
    ),
    Invariant(
        name="wrong-count-of-attempts",
        problem="subscribers whose count of attempts is not that of their attempts that count",
        broken="SELECT 'subscriber ' || s.id || ' (' || s.number || '): ' || s.count_attempt || ' instead of ' || "
        f"n.counted FROM subscriber s JOIN {_COUNT_OF_ATTEMPTS} ON n.subscriber_id = s.id "
        "WHERE s.count_attempt <> n.counted ORDER BY s.id",
        remedy="the attempts are counted again",
        repair=(
            f"UPDATE subscriber SET count_attempt = n.counted FROM {_COUNT_OF_ATTEMPTS} "
            "WHERE n.subscriber_id = subscriber.id AND count_attempt <> n.counted",
        ),
    ),
    Invariant(
        name="claim-without-attempt",
        problem="subscribers in process of whom no attempt is open: nobody would ever call them",
        broken="SELECT 'subscriber ' || id || ' (' || number || ') of campaign ' || campaign_id FROM subscriber "
        f"WHERE status = 6 AND {_NO_OPEN_ATTEMPT} ORDER BY id",
        remedy="the subscriber gets the status that a user wished meanwhile; else it is complete when its last attempt was "
        "answered, failed when it has no attempt left, and otherwise pending and ready now; no attempt is counted",
        repair=(
            "UPDATE subscriber SET requested_status = coalesce(requested_status, "
            "CASE WHEN (SELECT a.disposition FROM attempt a WHERE a.subscriber_id = subscriber.id ORDER BY a.id DESC LIMIT 1) "
            "= 'ANSWERED' THEN 5 "
            "WHEN count_attempt > (SELECT c.max_retry FROM campaign c WHERE c.id = subscriber.campaign_id "
            "AND c.retry = '{}') THEN 4 "
            f"ELSE 1 END) WHERE status = 6 AND {_NO_OPEN_ATTEMPT}",
            "UPDATE subscriber SET status = requested_status, "
            "ready_at = CASE requested_status WHEN 1 THEN coalesce(:now, ready_at) END, requested_status = NULL "
            f"WHERE status = 6 AND requested_status IS NOT NULL AND {_NO_OPEN_ATTEMPT}",
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
        f"coalesce(CAST(n.subscribers AS TEXT), 'nothing') || ' instead of ' || k.subscribers FROM {_MISCOUNTED} "
        "ORDER BY k.campaign_id, k.status",
        remedy="the subscribers are counted again",
        repair=(
            Variants(
                sqlite="INSERT OR REPLACE INTO subscriber_count (campaign_id, status, subscribers) "
                f"SELECT k.campaign_id, k.status, k.subscribers FROM {_MISCOUNTED}",
                # The difference is one more part: which of the others is wrong, nobody can tell.
                postgresql="INSERT INTO subscriber_count_part AS p (campaign_id, status, part, subscribers) "
                f"SELECT k.campaign_id, k.status, 0, k.subscribers - n.subscribers FROM {_MISCOUNTED} "
                "ON CONFLICT (campaign_id, status, part) DO UPDATE SET subscribers = p.subscribers + excluded.subscribers",
            ),
        ),
    ),
)

_REFERENCES: Final = (
    Invariant(
        name="foreign-attempt",
        problem="attempts whose number or campaign is not their subscriber's",
        broken="SELECT 'attempt ' || a.id || ' (' || a.identity || ', campaign ' || a.campaign_id || ') of subscriber ' "
        "|| s.id || ' (' || s.identity || ', campaign ' || s.campaign_id || ')' FROM attempt a "
        "JOIN subscriber s ON s.id = a.subscriber_id WHERE a.identity <> s.identity OR a.campaign_id <> s.campaign_id "
        "ORDER BY a.id",
        remedy=_BACKUP,
    ),
    Invariant(
        name="foreign-subscriber",
        problem="subscribers whose number is not their contact's",
        broken="SELECT 'subscriber ' || s.id || ' (' || s.identity || ') of campaign ' || s.campaign_id || ', contact ' || "
        "k.id || ' (' || k.identity || ')' FROM subscriber s JOIN contact k ON k.id = s.contact_id "
        "WHERE k.identity <> s.identity ORDER BY s.id",
        remedy=_BACKUP,
    ),
    Invariant(
        name="left-behind",
        problem="subscribers that are pending, though their contact was removed or its phonebook detached from the campaign",
        broken="SELECT 'subscriber ' || id || ' (' || number || ') of campaign ' || campaign_id FROM subscriber "
        f"WHERE status = 1 AND {_LEFT} ORDER BY id",
        remedy="they are called no more, as the removal would have had it",
        repair=(f"UPDATE subscriber SET status = 3, ready_at = NULL WHERE status = 1 AND {_LEFT}",),
    ),
    Invariant(
        name="early-event",
        problem="events of the end of an attempt that has not ended, or is another campaign's",
        broken="SELECT 'event ' || e.id || ' about attempt ' || coalesce(CAST(a.id AS TEXT), 'none') FROM event e "
        "LEFT JOIN attempt a ON a.id = e.attempt_id WHERE e.kind = 'attempt.ended' "
        "AND ((a.id IS NULL AND e.attempt_id >= coalesce((SELECT min(id) FROM attempt), 0)) "  # older ones are purged
        "OR a.ended_at IS NULL AND a.id IS NOT NULL OR a.campaign_id <> e.campaign_id) ORDER BY e.id",
        remedy=_BACKUP,
    ),
    Invariant(
        name="double-event",
        problem="ends of attempts that are told more than once",
        broken="SELECT 'attempt ' || attempt_id || ': events: ' || count(*) FROM event WHERE kind = 'attempt.ended' "
        "AND attempt_id IS NOT NULL GROUP BY attempt_id HAVING count(*) > 1 ORDER BY attempt_id",
        remedy="receivers can tell them by the call's UUID; delete the ones that are too many",
    ),
    Invariant(
        name="no-installation",
        problem="installations without an id: their calls could not be told from those of others",
        broken="SELECT 'table installation is empty' WHERE NOT EXISTS (SELECT 1 FROM installation)",
        remedy="restore a backup: calls on the switch carry the id in their account code",
    ),
)


def _grants(noun: str, links: str, column: str, of: str) -> tuple[Invariant, ...]:
    """Of the links between users and what they may use."""
    word = noun.replace(" ", "-")
    lost = (
        f"SELECT l.user_id, l.{column} FROM {links} l LEFT JOIN user_account u ON u.id = l.user_id "
        f"LEFT JOIN {of} x ON x.id = l.{column} WHERE u.id IS NULL OR u.archived_at IS NOT NULL OR x.id IS NULL"
    )
    return (
        Invariant(
            name=f"lost-{word}-grant",
            problem=f"grants of {noun}s that name a user who was removed, or what is not there",
            broken=f"SELECT 'user ' || w.user_id || coalesce(' (' || u.username || ')', ', who is not there') || ': {noun} ' "
            f"|| w.{column} || coalesce(' (' || x.name || ')', ', which is not there') FROM ({lost}) AS w "
            f"LEFT JOIN user_account u ON u.id = w.user_id LEFT JOIN {of} x ON x.id = w.{column} "
            f"ORDER BY w.user_id, w.{column}",
            remedy="the grants are removed",
            repair=(f"DELETE FROM {links} WHERE (user_id, {column}) IN ({lost})",),
        ),
        Invariant(
            name=f"ungranted-{word}",
            problem=f"campaigns with a {noun} that their user, who is no superuser, was not granted",
            broken=f"SELECT 'campaign ' || c.id || ' (' || c.name || ') of ' || u.username || ': {noun} ' || x.id || ' (' || "
            f"x.name || ')' FROM campaign c JOIN user_account u ON u.id = c.user_id JOIN {of} x ON x.id = c.{column} "
            "WHERE c.archived_at IS NULL AND u.is_superuser = 0 AND NOT EXISTS "
            f"(SELECT 1 FROM {links} l WHERE l.user_id = c.user_id AND l.{column} = c.{column}) ORDER BY c.id",
            remedy=f"`dialer user grant USER --{word} NAME` where the user may use it; else `dialer campaign set` another one",
        ),
    )


_GRANTS: Final = (
    *_grants("gateway", "gateway_user", "gateway_id", "gateway"),
    *_grants("voip app", "user_voip_app", "voip_app_id", "voip_app"),
)

INVARIANTS: Final = (
    *_ATTEMPTS,
    _STATISTICS,
    _CALLER_IDS,
    *_SUBSCRIBERS,
    _held_back("campaign"),
    _held_back("gateway"),
    *_REFERENCES,
    *_GRANTS,
)
"""In the order in which they are mended: attempts are counted before it is asked whether any is left, subscribers after their
statuses are right."""
