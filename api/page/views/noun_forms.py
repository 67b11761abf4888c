"""A noun whose settings stand in one form: the form of a new one and of each, and what comes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from attrs import frozen

from api.page.forms import Options, check, controls, defaults, typed_values
from api.page.problems import problem_of
from api.page.routes import PREFIX, Moved, PageReply, PageRoute, Visit, changes, shows
from dialer.errors import BadValue, InUse, NotFound
from dialer.model import Scope

_ADMINS: Final = {"scope": Scope.ADMIN, "superusers": True}


@frozen(kw_only=True)
class NounForm:
    """The form of `cls`, for admins: its `fields`, on `template`, below the address `place`, where `parameter` is the part
    that has the id. `word` is what the audit log calls one; it is not told what was typed into `untold`. `told` begins the
    names of what was done. `options` are the choices of references; the use cases are those of superusers."""

    cls: type
    fields: tuple[str, ...]
    template: str
    place: str
    parameter: str
    word: str
    told: str
    read: Callable[..., Any]
    create: Callable[..., Any]
    change: Callable[..., Any]
    remove: Callable[..., Any]
    options: Callable[[Visit, int], Awaitable[Options]]
    untold: frozenset[str] = frozenset()

    def routes(self) -> tuple[PageRoute, ...]:
        """Those of a new one, and of each."""
        one = f"{self.place}/<{self.parameter}>"
        return (
            shows(f"{self.place}/new", self._new, **_ADMINS),
            changes(f"{self.place}/new", self._create, **_ADMINS),
            shows(one, self._show, **_ADMINS),
            changes(f"{one}/settings", self._change, **_ADMINS),
            changes(f"{one}/remove", self._remove, **_ADMINS),
        )

    async def _form(
        self, visit: Visit, key: int, values: Mapping[str, str], problems: Mapping[str, str], flaw: str
    ) -> PageReply:
        rows = controls(self.cls, self.fields, values, problems, await self.options(visit, key))
        shown = {"controls": rows, "key": key, "name": values.get("name", ""), "flaw": flaw}
        return PageReply(template=self.template, values=shown, status=400 if problems or flaw else 200)

    async def _new(self, visit: Visit) -> PageReply:
        return await self._form(visit, 0, defaults(self.cls, self.fields), {}, "")

    async def _show(self, visit: Visit) -> PageReply:
        found = await visit.ask(self.read, visit.who, visit.key(self.parameter))
        return await self._form(visit, found.id, typed_values(self.cls, self.fields, found), {}, "")

    async def _create(self, visit: Visit) -> Moved | PageReply:
        return await self._save(visit, 0, "created")

    async def _change(self, visit: Visit) -> Moved | PageReply:
        return await self._save(visit, visit.key(self.parameter), "changed")

    async def _save(self, visit: Visit, key: int, done: str) -> Moved | PageReply:
        given, problems = check(self.cls, self.fields, visit.form)
        flaw = ""
        if not problems:
            details = {name: value for name, value in visit.form.items() if name not in self.untold}
            try:
                if key:
                    await visit.do(f"{self.word} {key}", self.change, key, given, details=details)
                else:
                    await visit.do(visit.form.get("name", ""), self.create, given, details=details)
            except BadValue as error:
                problems = {error.field: error.problem} if error.field in self.fields else {}
                flaw = "" if problems else problem_of(error).text
            except NotFound as error:
                flaw = problem_of(error).text
            else:
                return Moved(to=f"{PREFIX}{self.place}", told=f"{self.told}-{done}")
        return await self._form(visit, key, dict(visit.form), problems, flaw)

    async def _remove(self, visit: Visit) -> Moved | PageReply:
        key = visit.key(self.parameter)
        try:
            await visit.do(f"{self.word} {key}", self.remove, key)
        except InUse as error:
            found = await visit.ask(self.read, visit.who, key)
            return await self._form(visit, key, typed_values(self.cls, self.fields, found), {}, problem_of(error).text)
        return Moved(to=f"{PREFIX}{self.place}", told=f"{self.told}-removed")
