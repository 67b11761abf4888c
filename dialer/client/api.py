"""All resources of the API v2 together.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from dialer.client.async_resources.attempts import AsyncAttemptsResource
from dialer.client.async_resources.caller_id_pools import AsyncCallerIdPoolsResource
from dialer.client.async_resources.caller_ids import AsyncCallerIdsResource
from dialer.client.async_resources.calls import AsyncCallsResource
from dialer.client.async_resources.campaigns import AsyncCampaignsResource
from dialer.client.async_resources.contacts import AsyncContactsResource
from dialer.client.async_resources.do_not_call import AsyncDoNotCallResource
from dialer.client.async_resources.do_not_call_lists import AsyncDoNotCallListsResource
from dialer.client.async_resources.gateways import AsyncGatewaysResource
from dialer.client.async_resources.imports import AsyncImportsResource
from dialer.client.async_resources.nodes import AsyncNodesResource
from dialer.client.async_resources.past_events import AsyncPastEventsResource
from dialer.client.async_resources.phonebooks import AsyncPhonebooksResource
from dialer.client.async_resources.root import AsyncRootResource
from dialer.client.async_resources.rules import AsyncRulesResource
from dialer.client.async_resources.sounds import AsyncSoundsResource
from dialer.client.async_resources.switches import AsyncSwitchesResource
from dialer.client.async_resources.tokens import AsyncTokensResource
from dialer.client.async_resources.users import AsyncUsersResource
from dialer.client.async_resources.voice_applications import AsyncVoiceApplicationsResource
from dialer.client.async_resources.webhooks import AsyncWebhooksResource
from dialer.client.resources.attempts import AttemptsResource
from dialer.client.resources.caller_id_pools import CallerIdPoolsResource
from dialer.client.resources.caller_ids import CallerIdsResource
from dialer.client.resources.calls import CallsResource
from dialer.client.resources.campaigns import CampaignsResource
from dialer.client.resources.contacts import ContactsResource
from dialer.client.resources.do_not_call import DoNotCallResource
from dialer.client.resources.do_not_call_lists import DoNotCallListsResource
from dialer.client.resources.gateways import GatewaysResource
from dialer.client.resources.imports import ImportsResource
from dialer.client.resources.nodes import NodesResource
from dialer.client.resources.past_events import PastEventsResource
from dialer.client.resources.phonebooks import PhonebooksResource
from dialer.client.resources.root import RootResource
from dialer.client.resources.rules import RulesResource
from dialer.client.resources.sounds import SoundsResource
from dialer.client.resources.switches import SwitchesResource
from dialer.client.resources.tokens import TokensResource
from dialer.client.resources.users import UsersResource
from dialer.client.resources.voice_applications import VoiceApplicationsResource
from dialer.client.resources.webhooks import WebhooksResource
from dialer.client.sending import Fetch, Pages, Send


class Resources(RootResource):
    """Each resource under its name. Each method waits for its answer."""

    def __init__(self, send: Send, pages: Pages, fetch: Fetch) -> None:
        super().__init__(send, pages, fetch)
        self.tokens = TokensResource(send, pages, fetch)
        self.campaigns = CampaignsResource(send, pages, fetch)
        self.phonebooks = PhonebooksResource(send, pages, fetch)
        self.contacts = ContactsResource(send, pages, fetch)
        self.imports = ImportsResource(send, pages, fetch)
        self.calls = CallsResource(send, pages, fetch)
        self.attempts = AttemptsResource(send, pages, fetch)
        self.gateways = GatewaysResource(send, pages, fetch)
        self.caller_id_pools = CallerIdPoolsResource(send, pages, fetch)
        self.caller_ids = CallerIdsResource(send, pages, fetch)
        self.voice_applications = VoiceApplicationsResource(send, pages, fetch)
        self.sounds = SoundsResource(send, pages, fetch)
        self.do_not_call = DoNotCallResource(send, pages, fetch)
        self.do_not_call_lists = DoNotCallListsResource(send, pages, fetch)
        self.rules = RulesResource(send, pages, fetch)
        self.webhooks = WebhooksResource(send, pages, fetch)
        self.past_events = PastEventsResource(send, pages, fetch)
        self.users = UsersResource(send, pages, fetch)
        self.nodes = NodesResource(send, pages, fetch)
        self.switches = SwitchesResource(send, pages, fetch)


class AsyncResources(AsyncRootResource):
    """Each resource under its name. Each method gives a Deferred, or an iterator for `async for`."""

    def __init__(self, send: Send, pages: Pages, fetch: Fetch) -> None:
        super().__init__(send, pages, fetch)
        self.tokens = AsyncTokensResource(send, pages, fetch)
        self.campaigns = AsyncCampaignsResource(send, pages, fetch)
        self.phonebooks = AsyncPhonebooksResource(send, pages, fetch)
        self.contacts = AsyncContactsResource(send, pages, fetch)
        self.imports = AsyncImportsResource(send, pages, fetch)
        self.calls = AsyncCallsResource(send, pages, fetch)
        self.attempts = AsyncAttemptsResource(send, pages, fetch)
        self.gateways = AsyncGatewaysResource(send, pages, fetch)
        self.caller_id_pools = AsyncCallerIdPoolsResource(send, pages, fetch)
        self.caller_ids = AsyncCallerIdsResource(send, pages, fetch)
        self.voice_applications = AsyncVoiceApplicationsResource(send, pages, fetch)
        self.sounds = AsyncSoundsResource(send, pages, fetch)
        self.do_not_call = AsyncDoNotCallResource(send, pages, fetch)
        self.do_not_call_lists = AsyncDoNotCallListsResource(send, pages, fetch)
        self.rules = AsyncRulesResource(send, pages, fetch)
        self.webhooks = AsyncWebhooksResource(send, pages, fetch)
        self.past_events = AsyncPastEventsResource(send, pages, fetch)
        self.users = AsyncUsersResource(send, pages, fetch)
        self.nodes = AsyncNodesResource(send, pages, fetch)
        self.switches = AsyncSwitchesResource(send, pages, fetch)
