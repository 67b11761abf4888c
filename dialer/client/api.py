"""All resources of the API v2 together."""

from __future__ import annotations

from collections.abc import Callable

from dialer.client.calling import CallerIdPools, CallerIds, Calls
from dialer.client.calls import Call
from dialer.client.installation import DoNotCall, Nodes, Switches, Tokens, Users, Webhooks
from dialer.client.loading import DoNotCallLists, Imports
from dialer.client.resources import (
    A,
    Attempts,
    Campaigns,
    Contacts,
    F,
    Gateways,
    L,
    Phonebooks,
    Resource,
    Sounds,
    VoiceApplications,
)


class Api(Resource[A, L, F]):
    """Each resource under its name."""

    def __init__(self, send: Callable[[Call], A], pages: Callable[[Call], L], fetch: Callable[[Call], F]) -> None:
        super().__init__(send, pages, fetch)
        self.campaigns: Campaigns[A, L, F] = Campaigns(send, pages, fetch)
        self.phonebooks: Phonebooks[A, L, F] = Phonebooks(send, pages, fetch)
        self.contacts: Contacts[A, L, F] = Contacts(send, pages, fetch)
        self.attempts: Attempts[A, L, F] = Attempts(send, pages, fetch)
        self.gateways: Gateways[A, L, F] = Gateways(send, pages, fetch)
        self.voice_applications: VoiceApplications[A, L, F] = VoiceApplications(send, pages, fetch)
        self.calls: Calls[A, L, F] = Calls(send, pages, fetch)
        self.caller_id_pools: CallerIdPools[A, L, F] = CallerIdPools(send, pages, fetch)
        self.caller_ids: CallerIds[A, L, F] = CallerIds(send, pages, fetch)
        self.sounds: Sounds[A, L, F] = Sounds(send, pages, fetch)
        self.tokens: Tokens[A, L, F] = Tokens(send, pages, fetch)
        self.users: Users[A, L, F] = Users(send, pages, fetch)
        self.do_not_call: DoNotCall[A, L, F] = DoNotCall(send, pages, fetch)
        self.do_not_call_lists: DoNotCallLists[A, L, F] = DoNotCallLists(send, pages, fetch)
        self.imports: Imports[A, L, F] = Imports(send, pages, fetch)
        self.webhooks: Webhooks[A, L, F] = Webhooks(send, pages, fetch)
        self.nodes: Nodes[A, L, F] = Nodes(send, pages, fetch)
        self.switches: Switches[A, L, F] = Switches(send, pages, fetch)

    def me(self) -> A:
        """Who asks."""
        return self._get("me")

    def statistics(self, **query: object) -> A:
        """All campaigns together."""
        return self._send(Call(method="GET", path="statistics", query=query))

    def problems(self) -> A:
        """The kinds of problems."""
        return self._get("problems")

    def document(self) -> A:
        """The OpenAPI document."""
        return self._get("openapi.json")
