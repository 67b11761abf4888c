"""How use cases are run: together or alone, with what they need, and with what the flow has to do afterwards."""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from datetime import datetime
from functools import partial
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from attrs import define, evolve, field, frozen
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from dialer.accounts import NOBODY, verify_password
from dialer.errors import DialerError, Duplicate, NotFound
from dialer.files.import_folder import ImportFolder
from dialer.hooks.addresses import AddressRules
from dialer.interfaces import FlowControl, Now, ReceiverAnswer, WebhookSender
from dialer.management.batches import Batches
from dialer.management.kept_previews import KeptPreviews
from dialer.management.turns import SHORT, Turns
from dialer.management.workers import Lane, Workers
from dialer.model import Account, Token
from dialer.model.role import Role, scopes_of
from dialer.numbering import Numbering, numbering
from dialer.rules.book import NO_RULES, RuleBook
from dialer.store.connection import Connection
from dialer.store.database import Database
from dialer.store.entities import Entities
from dialer.store.faults import refusals, refused_value
from dialer.store.times import to_column
from dialer.stored import value_of
from dialer.tokens import NO_HASH, TokenText

T = TypeVar("T")
P = ParamSpec("P")
Effect = Callable[[FlowControl], None]


@define(eq=False)
class Transaction:
    """The means of a use case. `now` is the moment of asking; `numbering` knows the numbers of the installation's region,
    `rules` are its calling rules; `strict_caller_ids` tells that it refuses caller ids that stand in no pool. A `verb` has
    no `entities`: what Pony remembers of a row would not know of what a neighbour's statement did to it."""

    connection: Connection
    entities: Entities
    now: Any
    numbering: Numbering = field(factory=numbering)
    rules: RuleBook = NO_RULES
    effects: list[Effect] = field(factory=list)
    strict_caller_ids: bool = False

    def then(self, effect: Effect) -> None:
        """Tell the flow, where there is one, once this is durable."""
        self.effects.append(effect)


Around = Callable[[Transaction, Callable[[], Any]], Any]
"""What happens around a use case, in its transaction: calls it once, or refuses to."""


class Manner(enum.Enum):
    """How a use case is run."""

    READ = enum.auto()
    WRITE = enum.auto()
    VERB = enum.auto()


class NoSender:
    """Stands where nobody makes requests."""

    def send(self, url: str, headers: dict[str, str], body: bytes) -> Deferred[ReceiverAnswer]:
        """Nothing is sent."""
        return succeed(ReceiverAnswer(error="no requests are made from here"))


UseCase = Callable[Concatenate[Transaction, P], T]
_MANNER = "__manner__"


def reads(use_case: Callable[P, T]) -> Callable[P, T]:
    """Asks, by entities or by statements, and writes nothing: may share its transaction with others that do, and its answer
    with who asks the same at the same moment."""
    setattr(use_case, _MANNER, Manner.READ)
    return use_case


def writes(use_case: Callable[P, T]) -> Callable[P, T]:
    """Changes entities: has its transaction for itself. A refusal of the database is raised as `BadValue`."""
    setattr(use_case, _MANNER, Manner.WRITE)
    return use_case


def verb(use_case: Callable[P, T]) -> Callable[P, T]:
    """A few statements on the connection: may share its transaction with others of its kind."""
    setattr(use_case, _MANNER, Manner.VERB)
    return use_case


@frozen(kw_only=True)
class Folders:
    """Where files are that FreeSWITCH plays and records, as far as the installation says so; "" where it does not."""

    sounds: str = ""
    recordings: str = ""


@define(eq=False)
class Management:
    """Runs use cases on a database. `flow` is told what changed, where calls are made; with a `reactor`, requests that come
    close together share a transaction, and there are threads for what takes long. `emergency` are the installation's own
    emergency numbers, `receivers` says what webhooks may be, `rules` when contacts may be called, `folders` where files
    are; `imports` is where files of contacts wait, where they are taken."""

    database: Database
    now: Now
    flow: FlowControl | None = None
    reactor: Any = None
    emergency: frozenset[str] = frozenset()
    receivers: AddressRules = field(factory=AddressRules)
    sender: WebhookSender = field(factory=NoSender)
    rules: RuleBook = NO_RULES
    strict_caller_ids: bool = False
    folders: Folders = field(factory=Folders)
    examine: Callable[[], Awaitable[Any]] | None = field(default=None, init=False)
    """Gives the findings of the doctor, where the installation that it looks at is known."""
    imports: ImportFolder | None = None
    finished: dict[int, tuple[object, datetime | None]] = field(factory=dict, init=False)
    """When campaigns finished, by id, each with the state that it was read at: see `reports`."""
    previews: KeptPreviews = field(factory=KeptPreviews, init=False)
    _reads: Batches | None = field(default=None, init=False)
    _verbs: Batches | None = field(default=None, init=False)
    _workers: Workers = field(init=False)
    _turns: Turns | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._workers = Workers(self.reactor)
        if self.reactor is not None:
            self._reads = Batches(self.database.run_with_entities, self.reactor)
            self._verbs = Batches(self.database.run, self.reactor)
            self._turns = Turns(self.reactor)

    @property
    def numbering(self) -> Numbering:
        """The numbers of the installation's region; known once the database is open."""
        return numbering(self.database.region, self.emergency)

    def start(self) -> None:
        """To be called before the first request, when the database is open."""
        self._workers.start()

    def stop(self) -> None:
        """To be called after the last request. Waits for the threads, some tens of milliseconds at most."""
        self._workers.stop()

    def ask(self, use_case: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        """Fires with what the use case returns once that is durable, and the flow was told. Fails with what it raises, or with
        `StoreError`; then nothing was written. A user that proved who it is a little earlier is asked for again in the use
        case's own transaction: `NotFound` when it was locked or removed since, or has another password; its rights are those
        of that moment."""
        manner = getattr(use_case, _MANNER)
        now = self.now()
        asker = _place_of_asker(args)

        def on_entities(entities: Entities) -> tuple[T, list[Effect]]:
            transaction = self._transaction(entities.db.get_connection(), entities, now)
            current: Any = args if asker is None else _with_current(transaction.connection, args, asker, now)
            if manner is Manner.READ:
                return use_case(transaction, *current, **kwargs), []
            with refusals():
                return use_case(transaction, *current, **kwargs), transaction.effects

        def on_connection(connection: Connection) -> tuple[T, list[Effect]]:
            transaction = self._transaction(connection, None, now)
            current: Any = args if asker is None else _with_current(connection, args, asker, now)
            return use_case(transaction, *current, **kwargs), transaction.effects

        done: Deferred[tuple[T, list[Effect]]]
        if manner is Manner.VERB:
            done = self.database.run(on_connection) if self._verbs is None else self._verbs.ask(on_connection)
        elif manner is Manner.READ and self._reads is not None:
            done = self._reads.ask(on_entities, _question(use_case, args, kwargs))
        else:
            done = self.database.run_with_entities(on_entities)
            done.addErrback(self._again, on_entities)
        return done.addCallback(self._tell)

    def ask_within(
        self, around: Around, use_case: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Deferred[Any]:
        """The same in a transaction that is shared with nobody, whatever the manner of the use case. Fires with what `around`
        returns, which is given the use case."""
        now, asker = self.now(), _place_of_asker(args)

        def on_entities(entities: Entities) -> tuple[Any, list[Effect]]:
            transaction = self._transaction(entities.db.get_connection(), entities, now)
            current: Any = args if asker is None else _with_current(transaction.connection, args, asker, now)
            try:
                with refusals():
                    found = around(transaction, partial(use_case, transaction, *current, **kwargs))
            except DialerError:
                raise
            except Exception as error:  # of a statement, which `refusals` does not know
                raise refused_value(error) or error from error
            return found, transaction.effects

        done = self.database.run_with_entities(on_entities)
        done.addErrback(self._again, on_entities)
        return done.addCallback(self._tell)

    def ask_in_turn(
        self, use_case: Callable[Concatenate[Transaction, Account, P], T], who: Account, *args: P.args, **kwargs: P.kwargs
    ) -> Deferred[T]:
        """The same of a use case that keeps the database for milliseconds: when nothing else of the user does."""
        if self._turns is None:
            return self.ask(use_case, who, *args, **kwargs)
        return Deferred.fromCoroutine(self._turns.take(who.id, partial(self.ask, use_case, who, *args, **kwargs)))

    def on_connection(
        self, use_case: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Callable[[Connection], T]:
        """A verb without effects beyond its transaction, for whoever has one: the user is asked for again in it, too."""
        now, asker = self.now(), _place_of_asker(args)

        def run(connection: Connection) -> T:
            current: Any = args if asker is None else _with_current(connection, args, asker, now)
            return use_case(self._transaction(connection, None, now), *current, **kwargs)

        return run

    def ask_in_short_turn(
        self, use_case: Callable[Concatenate[Transaction, Account, P], T], who: Account, *args: P.args, **kwargs: P.kwargs
    ) -> Deferred[T]:
        """The same of one that comes again and again, for as long as it takes: others come between."""
        if self._turns is None:
            return self.ask(use_case, who, *args, **kwargs)
        work = partial(self.ask, use_case, who, *args, **kwargs)
        return Deferred.fromCoroutine(self._turns.take(who.id, work, SHORT))

    def perform(self, work: Callable[..., Awaitable[Any]], *args: Any) -> Awaitable[Any]:
        """Do what takes several use cases: `work` is given this management, and the arguments."""
        return work(self, *args)

    def iterate(self, work: Callable[..., AsyncIterator[Any]], *args: Any) -> AsyncIterator[Any]:
        """The same of what comes in pieces."""
        return work(self, *args)

    def _transaction(self, connection: Connection, entities: Any, now: datetime) -> Transaction:
        return Transaction(connection, entities, now, self.numbering, self.rules, strict_caller_ids=self.strict_caller_ids)

    def _again(self, failure: Failure, work: Callable[[Entities], T]) -> Deferred[T]:
        """The rows that another process wrote at the same moment are there by now: a use case that met with them is asked
        again, and tells of them as of anything known."""
        if failure.type is not Duplicate:
            failure.raiseException()
        return self.database.run_with_entities(work)

    def _tell(self, result: tuple[T, list[Effect]]) -> T:
        value, effects = result
        if self.flow is not None:
            for effect in effects:
                effect(self.flow)
        return value

    def in_thread(self, function: Callable[[], T]) -> Deferred[T]:
        """Run a pure function that takes more than a few milliseconds off the reactor thread. Fails also with `Busy`."""
        return self._workers.run(function)

    def authenticate(self, username: str, password: str, lane: Lane = Lane.NEW) -> Deferred[Account | None]:
        """Which user it is, None for anybody else. Takes as long for an unknown name as for a wrong password, on another
        thread. Fails with `Busy` when too many passwords wait to be verified in that lane."""
        return Deferred.fromCoroutine(self._authenticate(username, password, lane))

    async def _authenticate(self, username: str, password: str, lane: Lane) -> Account | None:
        found = await self.ask(credentials, username)
        account, password_hash = found or (None, "")
        right = await self._workers.run(partial(verify_password, password_hash or NOBODY, password), lane)
        return account if right else None

    async def authenticate_token(self, token: TokenText) -> Account | None:
        """Whose token it is, None for one that is nobody's, or nobody's any more. A look into the database and a hash, both
        cheap: it needs no thread."""
        found = await self.ask(token_credentials, token.public_id)
        account, secret_hash = found or (None, NO_HASH)
        return account if token.fits(secret_hash) else None


_STILL: Final = "SELECT is_superuser, role FROM user_account WHERE id = ? AND is_active = 1 AND password_hash = ?"
_STILL_GOOD: Final = (
    "SELECT u.is_superuser, u.role FROM user_account u JOIN api_token k ON k.user_id = u.id WHERE u.id = ? "
    "AND u.is_active = 1 AND k.secret_hash = ? AND k.id = ? AND (k.expires_at IS NULL OR k.expires_at > ?)"
)


def _place_of_asker(args: tuple[Any, ...]) -> int | None:
    """Where among the arguments the user stands that proved who it is."""
    return next((place for place, given in enumerate(args) if type(given) is Account and given.proof), None)


def _with_current(connection: Connection, args: tuple[Any, ...], place: int, now: datetime) -> tuple[Any, ...]:
    """The arguments with the account at that place as it is now. One that may do less than it proved is not that account any
    more: who looks again finds what is left."""
    who: Account = args[place]
    if who.token_id is None:
        row = connection.execute(_STILL, (who.id, who.proof)).fetchone()
    else:
        row = connection.execute(_STILL_GOOD, (who.id, who.proof, who.token_id, to_column(now))).fetchone()
    if row is None:
        raise NotFound("user", who.username)
    superuser, scopes = bool(row[0]), scopes_of(Role(row[1]), superuser=bool(row[0]))
    if not who.scopes <= scopes:
        raise NotFound("user", who.username)
    if superuser is who.is_superuser:
        return args
    return (*args[:place], evolve(who, is_superuser=superuser), *args[place + 1 :])


def _question(use_case: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Hashable | None:
    """The same for the same use case of the same things; None where these cannot be compared."""
    question = (use_case, args, tuple(kwargs.items()))
    try:
        hash(question)
    except TypeError:
        return None
    return question


@reads
def credentials(t: Transaction, username: str) -> tuple[Account, str] | None:
    """An active user and its password's hash."""
    row = t.entities.User.get(username=username, is_active=True)
    if row is None:
        return None
    proof = row.password_hash
    scopes = scopes_of(Role(row.role), superuser=row.is_superuser)
    return Account(id=row.id, username=username, is_superuser=row.is_superuser, proof=proof, scopes=scopes), proof


@reads
def token_credentials(t: Transaction, public_id: str) -> tuple[Account, str] | None:
    """A token that has not expired, of an active user, and the hash of its secret."""
    row = t.entities.Token.get(public_id=public_id)
    if row is None or not row.user.is_active:
        return None
    token = value_of(Token, row)
    if token.expires_at is not None and token.expires_at <= t.now:
        return None
    account = Account(
        id=row.user.id,
        username=row.user.username,
        is_superuser=row.user.is_superuser,
        proof=token.secret_hash,
        token_id=token.id,
        scopes=frozenset(token.scopes) & scopes_of(Role(row.user.role), superuser=row.user.is_superuser),
    )
    return account, token.secret_hash


def call_soon(flow: FlowControl) -> None:
    """The flow looks at once at what was changed."""
    flow.call_soon()
