"""The resources of the API v2 as methods. `A` is an answer, `L` a list, `F` a file: themselves, or what they come in.

What a method takes and gives, the OpenAPI document says under the same names (`/api/v2/docs`); `query` are filters, and
`sort`. A test holds each method against that document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

from attrs import evolve

from dialer.client.calls import ApiCall

Object = dict[str, Any]

A = TypeVar("A")
L = TypeVar("L")
F = TypeVar("F")

PAGE: Final = 100
"""Entries that are fetched at once."""


def page_query(call: ApiCall, cursor: str) -> ApiCall:
    """The call for the page behind a cursor, "" for the first one."""
    return evolve(call, query={"limit": PAGE, **call.query, **({"cursor": cursor} if cursor else {})})


class Resource(Generic[A, L, F]):
    """What all of them have: how a call is sent, how a list is fetched, how a file is."""

    def __init__(self, send: Callable[[ApiCall], A], pages: Callable[[ApiCall], L], fetch: Callable[[ApiCall], F]) -> None:
        self._send = send
        self._pages = pages
        self._fetch = fetch

    def _get(self, path: str, **ids: object) -> A:
        return self._send(ApiCall(method="GET", path=path, ids=ids))

    def _list(self, path: str, query: Mapping[str, object], **ids: object) -> L:
        return self._pages(ApiCall(method="GET", path=path, ids=ids, query=query))

    def _post(self, path: str, body: Mapping[str, Any] | None = None, **ids: object) -> A:
        return self._send(ApiCall(method="POST", path=path, ids=ids, body=body))

    def _patch(self, path: str, body: Mapping[str, Any], tag: str | None, **ids: object) -> A:
        return self._send(ApiCall(method="PATCH", path=path, ids=ids, body=body, tag=tag))

    def _delete(self, path: str, tag: str | None, **ids: object) -> A:
        return self._send(ApiCall(method="DELETE", path=path, ids=ids, tag=tag))

    def _file(self, path: str, query: Mapping[str, object], **ids: object) -> F:
        return self._fetch(ApiCall(method="GET", path=path, ids=ids, query=query))


class NounResource(Resource[A, L, F]):
    """A resource with an id: `path` is that of its list, `key` the name of the id in the document."""

    path: str
    key: str

    @property
    def _one(self) -> str:
        return f"{self.path}/{{{self.key}}}"

    def list(self, **query: object) -> L:
        """All of them that you may see, as far as the filters leave them."""
        return self._list(self.path, query)

    def get(self, key: object) -> A:
        """One of them."""
        return self._get(self._one, **{self.key: key})


class RemovableResource(NounResource[A, L, F]):
    """One that is made, and removed."""

    def create(self, **body: Any) -> A:
        """Make one."""
        return self._post(self.path, body)

    def delete(self, key: object, *, tag: str | None = None) -> A:
        """Remove one; with a `tag`, only if it is as it was then."""
        return self._delete(self._one, tag, **{self.key: key})


class ChangeableResource(RemovableResource[A, L, F]):
    """One that is changed, too."""

    def change(self, key: object, *, tag: str | None = None, **body: Any) -> A:
        """Change what is named; None takes a setting away. With a `tag`, only if it is as it was then."""
        return self._patch(self._one, body, tag, **{self.key: key})


class CampaignResource(ChangeableResource[A, L, F]):
    """Campaigns, their course and their contacts."""

    path, key = "campaigns", "campaign_id"

    def start(self, key: int) -> A:
        """Start one."""
        return self._post(f"{self._one}/start", campaign_id=key)

    def pause(self, key: int) -> A:
        """Pause one: live calls go on."""
        return self._post(f"{self._one}/pause", campaign_id=key)

    def resume(self, key: int) -> A:
        """Start one that is paused."""
        return self._post(f"{self._one}/resume", campaign_id=key)

    def stop(self, key: int) -> A:
        """End one: live calls go on."""
        return self._post(f"{self._one}/stop", campaign_id=key)

    def abort(self, key: int) -> A:
        """Abort one: live calls are hung up."""
        return self._post(f"{self._one}/abort", campaign_id=key)

    def redial(self, key: int, **body: Any) -> A:
        """Call contacts again that are done; `after` of the answer tells where to go on."""
        return self._post(f"{self._one}/redial", body, campaign_id=key)

    def attach(self, key: int, phonebook_id: int) -> A:
        """Have it call the contacts of a phonebook, too."""
        return self._post(f"{self._one}/phonebooks", {"phonebook_id": phonebook_id}, campaign_id=key)

    def detach(self, key: int, phonebook_id: int) -> A:
        """Have it call them no more."""
        return self._delete(f"{self._one}/phonebooks/{{phonebook_id}}", None, campaign_id=key, phonebook_id=phonebook_id)

    def explain(self, key: int) -> A:
        """Why it is not calling."""
        return self._get(f"{self._one}/explain", campaign_id=key)

    def explain_contact(self, key: int, contact_id: int) -> A:
        """Why one of its contacts is not called now."""
        return self._get(f"{self._one}/contacts/{{contact_id}}/explain", campaign_id=key, contact_id=contact_id)

    def preview(self, key: int, **query: object) -> A:
        """How many contacts will be called within a `horizon`, later, and never."""
        return self._send(ApiCall(method="GET", path=f"{self._one}/preview", ids={"campaign_id": key}, query=query))

    def previewed(self, key: int, **query: object) -> L:
        """These contacts."""
        return self._list(f"{self._one}/preview/contacts", query, campaign_id=key)

    def rules(self, key: int) -> A:
        """Its hours, and the calling rules that narrow them."""
        return self._get(f"{self._one}/rules", campaign_id=key)

    def progress(self, key: int) -> A:
        """How far it is."""
        return self._get(f"{self._one}/progress", campaign_id=key)

    def statistics(self, key: int, **query: object) -> A:
        """How its calls ended."""
        return self._send(ApiCall(method="GET", path=f"{self._one}/statistics", ids={"campaign_id": key}, query=query))

    def report(self, key: int, **query: object) -> F:
        """What became of its contacts, as a file."""
        return self._file(f"{self._one}/report", query, campaign_id=key)

    def attempts(self, key: int) -> L:
        """Its attempts."""
        return self._list(f"{self._one}/attempts", {}, campaign_id=key)

    def contacts(self, key: int, **query: object) -> L:
        """Its contacts, and what became of them."""
        return self._list(f"{self._one}/contacts", query, campaign_id=key)

    def contact(self, key: int, number: str) -> A:
        """One of them."""
        return self._get(f"{self._one}/contacts/{{number}}", campaign_id=key, number=number)

    def set_contact(self, key: int, number: str, state: str, *, tag: str | None = None) -> A:
        """Have one of them called again, paused, or not called any more."""
        return self._patch(f"{self._one}/contacts/{{number}}", {"state": state}, tag, campaign_id=key, number=number)


class PhonebookResource(ChangeableResource[A, L, F]):
    """Phonebooks."""

    path, key = "phonebooks", "phonebook_id"


class ContactResource(Resource[A, L, F]):
    """The contacts of phonebooks."""

    _OF: Final = "phonebooks/{phonebook_id}/contacts"
    _ONE: Final = "phonebooks/{phonebook_id}/contacts/{contact_id}"

    def search(self, **query: object) -> L:
        """Those of all phonebooks that have a `number`, or a `reference`."""
        return self._list("contacts", query)

    def list(self, phonebook_id: int, **query: object) -> L:
        """Those of a phonebook."""
        return self._list(self._OF, query, phonebook_id=phonebook_id)

    def get(self, phonebook_id: int, contact_id: int) -> A:
        """One of them."""
        return self._get(self._ONE, phonebook_id=phonebook_id, contact_id=contact_id)

    def create(self, phonebook_id: int, **body: Any) -> A:
        """Add one."""
        return self._post(self._OF, body, phonebook_id=phonebook_id)

    def create_many(self, phonebook_id: int, contacts: Sequence[Mapping[str, Any]], *, dry_run: bool = False) -> A:
        """Add many, as far as they can be."""
        return self._post(f"{self._OF}/batch", {"contacts": list(contacts), "dry_run": dry_run}, phonebook_id=phonebook_id)

    def remove_many(
        self, phonebook_id: int, numbers: Sequence[str] = (), references: Sequence[str] = (), *, dry_run: bool = False
    ) -> A:
        """Remove those of these numbers and references."""
        body = {"numbers": [*numbers], "references": [*references], "dry_run": dry_run}
        return self._post(f"{self._OF}/remove", body, phonebook_id=phonebook_id)

    def change(self, phonebook_id: int, contact_id: int, *, tag: str | None = None, **body: Any) -> A:
        """Change one."""
        return self._patch(self._ONE, body, tag, phonebook_id=phonebook_id, contact_id=contact_id)

    def delete(self, phonebook_id: int, contact_id: int, *, tag: str | None = None) -> A:
        """Remove one."""
        return self._delete(self._ONE, tag, phonebook_id=phonebook_id, contact_id=contact_id)


class AttemptResource(NounResource[A, L, F]):
    """The records of calls."""

    path, key = "attempts", "attempt_id"

    def export(self, **query: object) -> F:
        """All of them as a file."""
        return self._file("attempts/export", query)

    def recording(self, key: str) -> F:
        """What was recorded of one."""
        return self._file(f"{self._one}/recording", {}, attempt_id=key)

    def delete_recording(self, key: str) -> A:
        """Remove that."""
        return self._delete(f"{self._one}/recording", None, attempt_id=key)


class GatewayResource(ChangeableResource[A, L, F]):
    """Gateways."""

    path, key = "gateways", "gateway_id"

    def health(self, key: int) -> A:
        """Whether one serves."""
        return self._get(f"{self._one}/health", gateway_id=key)


class VoiceApplicationResource(ChangeableResource[A, L, F]):
    """Voice applications."""

    path, key = "voice-applications", "voip_app_id"


class SoundResource(NounResource[A, L, F]):
    """Files that voice applications play."""

    path, key = "sounds", "sound"

    def upload(self, name: str, content: bytes, content_type: str = "audio/wav", *, replace: bool = False) -> A:
        """Put one there."""
        query = {"name": name, "replace": replace}
        return self._send(ApiCall(method="POST", path="sounds", query=query, content=content, content_type=content_type))

    def content(self, name: str) -> F:
        """The file itself."""
        return self._file(f"{self._one}/content", {}, sound=name)

    def delete(self, name: str) -> A:
        """Remove one."""
        return self._delete(self._one, None, sound=name)
