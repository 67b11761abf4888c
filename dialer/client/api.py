"""All resources of the API v2 together."""

from __future__ import annotations

from collections.abc import Callable

from dialer.client.calling import CallerIdPoolResource, CallerIdResource, CallResource
from dialer.client.calls import ApiCall
from dialer.client.installation import (
    DoNotCallResource,
    NodeResource,
    RuleResource,
    SwitchResource,
    TokenResource,
    UserResource,
    WebhookResource,
)
from dialer.client.loading import DoNotCallListResource, ImportResource
from dialer.client.resources import (
    A,
    AttemptResource,
    CampaignResource,
    ContactResource,
    F,
    GatewayResource,
    L,
    PhonebookResource,
    Resource,
    SoundResource,
    VoiceApplicationResource,
)


class ApiResources(Resource[A, L, F]):
    """Each resource under its name."""

    def __init__(self, send: Callable[[ApiCall], A], pages: Callable[[ApiCall], L], fetch: Callable[[ApiCall], F]) -> None:
        super().__init__(send, pages, fetch)
        self.campaigns: CampaignResource[A, L, F] = CampaignResource(send, pages, fetch)
        self.phonebooks: PhonebookResource[A, L, F] = PhonebookResource(send, pages, fetch)
        self.contacts: ContactResource[A, L, F] = ContactResource(send, pages, fetch)
        self.attempts: AttemptResource[A, L, F] = AttemptResource(send, pages, fetch)
        self.gateways: GatewayResource[A, L, F] = GatewayResource(send, pages, fetch)
        self.voice_applications: VoiceApplicationResource[A, L, F] = VoiceApplicationResource(send, pages, fetch)
        self.calls: CallResource[A, L, F] = CallResource(send, pages, fetch)
        self.caller_id_pools: CallerIdPoolResource[A, L, F] = CallerIdPoolResource(send, pages, fetch)
        self.caller_ids: CallerIdResource[A, L, F] = CallerIdResource(send, pages, fetch)
        self.sounds: SoundResource[A, L, F] = SoundResource(send, pages, fetch)
        self.tokens: TokenResource[A, L, F] = TokenResource(send, pages, fetch)
        self.users: UserResource[A, L, F] = UserResource(send, pages, fetch)
        self.do_not_call: DoNotCallResource[A, L, F] = DoNotCallResource(send, pages, fetch)
        self.do_not_call_lists: DoNotCallListResource[A, L, F] = DoNotCallListResource(send, pages, fetch)
        self.rules: RuleResource[A, L, F] = RuleResource(send, pages, fetch)
        self.imports: ImportResource[A, L, F] = ImportResource(send, pages, fetch)
        self.webhooks: WebhookResource[A, L, F] = WebhookResource(send, pages, fetch)
        self.nodes: NodeResource[A, L, F] = NodeResource(send, pages, fetch)
        self.switches: SwitchResource[A, L, F] = SwitchResource(send, pages, fetch)

    def me(self) -> A:
        """Who asks."""
        return self._get("me")

    def statistics(self, **query: object) -> A:
        """All campaigns together."""
        return self._send(ApiCall(method="GET", path="statistics", query=query))

    def problems(self) -> A:
        """The kinds of problems."""
        return self._get("problems")

    def document(self) -> A:
        """The OpenAPI document."""
        return self._get("openapi.json")
