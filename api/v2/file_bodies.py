"""Bodies that are a file: the file itself, or a form with a part that is one (multipart/form-data, RFC 7578).

A compressed body is not taken: a little of it could be very much.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from attrs import define, field
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from api.errors import retry_after
from api.origins import refuse_cross_site
from api.request import ApiRequest
from api.uploads import Upload
from api.v2.problems import Places, Problem, of_http, problem_of
from api.v2.replies import refusal
from api.v2.routes import PREFIX, Route
from dialer.errors import Busy
from dialer.files.import_folder import NewUpload
from dialer.management import Management
from dialer.safe_files import UnsafeFile

MULTIPART: Final = "multipart/form-data"
MOST_FIELDS: Final = 20
_NO_FORM: Final = "the body is no whole multipart/form-data with the boundary that its Content-Type names"
LONGEST_FIELD: Final = 65_536
"""Bytes of all fields of a form that are no file."""
PIECE: Final = 32_768
"""Bytes that are read at once: the decoder takes no more together than fields may have, be they a file's."""
MOST_UPLOADS: Final = 4
"""At the same time, of one user."""
AGAIN: Final = 5.0
"""Seconds."""


@define(eq=False)
class FileBody:
    """A body on its way to disk. Once it is whole: `name` is that of the file, as its client calls it, `content_type` its
    type, and `fields` are the parts of the form that are no file."""

    disk: NewUpload
    content_type: str
    name: str = ""
    fields: dict[str, str] = field(factory=dict, init=False)
    is_kept: bool = field(default=False, init=False)
    """Whether an import has the file."""

    def feed(self, data: bytes) -> None:
        """More of it. Raises `OSError`."""
        self.disk.write(data)

    def end(self) -> None:
        """It is whole. Raises `OSError`, and `Problem` for one that is none."""
        if not self.disk.size:
            raise Problem("bad-request", "the body is empty; expected a file")
        self.disk.keep()

    def discard(self) -> None:
        """Nobody wants it."""
        self.disk.discard()


@define(eq=False)
class FormBody(FileBody):
    """A form with one file."""

    boundary: bytes = b""
    _decoder: MultipartDecoder = field(init=False)
    _into: str | None = field(default=None, init=False)
    """The field whose data comes; "" for the file, None for nothing."""
    _texts: dict[str, bytearray] = field(factory=dict, init=False)
    _has_file: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._decoder = MultipartDecoder(self.boundary, max_form_memory_size=LONGEST_FIELD, max_parts=MOST_FIELDS)

    def feed(self, data: bytes) -> None:
        """More of it. Raises `Problem`, `OSError`."""
        for begin in range(0, len(data), PIECE):
            self._receive(data[begin : begin + PIECE])

    def _receive(self, data: bytes | None) -> None:
        try:
            self._decoder.receive_data(data)
            self._take()
        except RequestEntityTooLarge:
            problem = f"the form has more than {MOST_FIELDS} parts, or more than {LONGEST_FIELD} bytes beside its file"
            raise Problem("bad-request", problem) from None
        except ValueError:
            raise Problem("bad-request", _NO_FORM) from None

    def end(self) -> None:
        """It is whole. Raises `Problem`, `OSError`."""
        self._receive(None)
        if not self._has_file:
            raise Problem("bad-request", "the form has no part with a file name; expected the file in one")
        for name, text in self._texts.items():
            try:
                self.fields[name] = text.decode()
            except UnicodeDecodeError:
                raise Problem("bad-request", f"{ascii(name)[:40]}: is not UTF-8") from None
        super(FormBody, self).end()  # noqa: UP008 (a class with slots is made anew)

    def _take(self) -> None:
        while not isinstance(event := self._decoder.next_event(), NeedData):
            match event:
                case File():
                    if self._has_file:
                        raise Problem("bad-request", "the form has more than one file")
                    self._has_file, self._into = True, ""
                    self.name = event.filename
                    self.content_type = event.headers.get("content-type", "")
                case Field():
                    if not event.name or event.name in self._texts:
                        raise Problem("bad-request", f"{ascii(event.name)[:40]}: is there twice, or is no name of a field")
                    self._into = event.name
                    self._texts[event.name] = bytearray()
                case Data():
                    self._data(event.data)
                case Epilogue():
                    return

    def _data(self, data: bytes) -> None:
        if self._into == "":
            self.disk.write(data)
            return
        text = self._texts[self._into or ""]
        text += data
        if sum(map(len, self._texts.values())) > LONGEST_FIELD:
            raise Problem("bad-request", f"the form has more than {LONGEST_FIELD} bytes beside its file")


@define(eq=False)
class FileRoutes:
    """`api.branches.Uploads`, of those routes that take files."""

    management: Management
    routes: Sequence[Route]
    _by_path: Mapping[tuple[bytes, bytes], Route] = field(init=False)
    _by_user: Counter[int] = field(factory=Counter, init=False)

    def __attrs_post_init__(self) -> None:
        self._by_path = {
            (each.method.encode(), (PREFIX + each.path).encode()): each for each in self.routes if each.takes is not None
        }

    def takes(self, method: bytes, path: bytes) -> bool:
        """Whether it is the address of one."""
        return (method, path) in self._by_path

    def begin(self, request: ApiRequest) -> Upload:
        """Raises `Problem`, `HttpError`, `Busy`."""
        route, who = self._by_path[request.method, request.path], request.account
        if who is None:
            raise of_http(401, "a login is needed", {})
        refuse_cross_site(request)
        if route.scope is not None and route.scope not in who.scopes:
            raise Problem("forbidden", f"the login lacks the scope {route.scope}")
        if (request.header(b"Content-Encoding") or "identity").strip().lower() != "identity":
            raise Problem("unsupported-type", "a compressed body is not taken: send the file as it is")
        if self._by_user[who.id] >= MOST_UPLOADS:
            detail = f"{MOST_UPLOADS} files of this user are on their way already, and no more at the same time"
            raise Problem("too-many-requests", detail, headers=retry_after(AGAIN))
        body = self._body(route, request)
        self._by_user[who.id] += 1
        return Upload(body, self.management.in_thread, request.channel, partial(self._closed, who.id))

    def refusal(self, request: ApiRequest, error: Exception) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body of an upload that is refused, in the form of every problem."""
        problem = problem_of(error, Places())
        request.channel.site.note_fault(problem.fault, request_id=request.id)
        found = refusal(problem, request)
        return found.status, found.headers, found.body

    def _closed(self, user_id: int) -> None:
        self._by_user[user_id] -= 1
        if not self._by_user[user_id]:
            del self._by_user[user_id]

    def _body(self, route: Route, request: ApiRequest) -> FileBody:
        header = (request.content_type() or b"").decode("latin-1")
        kind, options = parse_options_header(header)
        taken: Any = route.takes
        if kind == MULTIPART:
            boundary = options.get("boundary", "").encode("latin-1", "replace")
            if not 1 <= len(boundary) <= 70:
                raise Problem("bad-request", "Content-Type: multipart/form-data has no boundary of 1 to 70 characters")
            return FormBody(new_on_disk(self.management), "", boundary=boundary)
        if kind not in taken.types:
            raise Problem("unsupported-type", f"the body must be {' or '.join((*taken.types, MULTIPART))}")
        return FileBody(new_on_disk(self.management), header)


def new_on_disk(management: Management) -> NewUpload:
    """A file for a body that comes. Raises `Busy`, `Problem`."""
    folder = management.imports
    if folder is None:
        raise Busy("no files are taken here")
    try:
        return folder.new()
    except (OSError, UnsafeFile) as error:
        raise no_room(error) from error


def no_room(error: OSError | UnsafeFile) -> Problem:
    """Files cannot be kept at the moment, by no fault of the client."""
    reason = error.problem if isinstance(error, UnsafeFile) else error.strerror
    detail = "the file cannot be kept here at the moment"
    return Problem("unavailable", detail, headers=retry_after(AGAIN), fault=f"the folder of imports: {reason}")
