"""The methods of `campaigns`.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, Unpack

from dialer.client.calls import ApiCall
from dialer.client.sending import Resource

if TYPE_CHECKING:
    from dialer.client.objects.attempts import AttemptObject
    from dialer.client.objects.campaign_course import (
        AttachedPhonebookObject,
        CampaignContactObject,
        CampaignPhonebookObject,
        ChangedCampaignContactObject,
        ProgressObject,
        RedialledObject,
        RedialObject,
    )
    from dialer.client.objects.campaigns import CampaignObject, ChangedCampaignObject, ExplanationObject, NewCampaignObject
    from dialer.client.objects.contact_explanations import ContactExplanationObject, NumberExplanationObject
    from dialer.client.objects.previews import OutlookObject, PreviewObject
    from dialer.client.objects.rules import CampaignHoursObject
    from dialer.client.objects.statistics import CampaignStatisticsObject


class CampaignsResource(Resource):
    """Each method waits for its answer."""

    def list(
        self,
        *,
        status: Literal["start", "pause", "abort", "end"] | None = None,
        name: str | None = None,
        draft: bool | None = None,
        sort: Literal[
            "id", "-id", "name", "-name", "starting_at", "-starting_at", "created_at", "-created_at", "updated_at",
            "-updated_at",
        ] | None = None,
        limit: int | None = None,
    ) -> Iterator[CampaignObject]:
        """Your campaigns, the newest first."""
        return self._pages(ApiCall(
            method="GET",
            path="campaigns",
            query={"status": status, "name": name, "draft": draft, "sort": sort, "limit": limit},
        ))

    def create(self, **body: Unpack[NewCampaignObject]) -> CampaignObject:
        """Create a campaign, started unless it is a draft or says otherwise, with a phonebook of its name."""
        return self._send(ApiCall(method="POST", path="campaigns", body={**body}))

    def get(self, campaign_id: int, /) -> CampaignObject:
        """One campaign."""
        return self._send(ApiCall(method="GET", path="campaigns/{campaign_id}", ids={"campaign_id": campaign_id}))

    def change(self, campaign_id: int, /, *, tag: str | None = None, **body: Unpack[ChangedCampaignObject]) -> CampaignObject:
        """Change the settings of a campaign: a merge patch, which acts at once."""
        return self._send(ApiCall(
            method="PATCH",
            path="campaigns/{campaign_id}",
            ids={"campaign_id": campaign_id},
            body={**body},
            tag=tag,
        ))

    def delete(self, campaign_id: int, /, *, tag: str | None = None) -> None:
        """Remove a campaign; the live calls of one that is started are hung up. Its phonebooks and its attempts stay."""
        return self._send(ApiCall(method="DELETE", path="campaigns/{campaign_id}", ids={"campaign_id": campaign_id}, tag=tag))

    def resume(self, campaign_id: int, /) -> CampaignObject:
        """Start a campaign that is paused."""
        return self._send(ApiCall(method="POST", path="campaigns/{campaign_id}/resume", ids={"campaign_id": campaign_id}))

    def explain(self, campaign_id: int, /) -> ExplanationObject:
        """How far a campaign is, and why it is not calling now."""
        return self._send(ApiCall(method="GET", path="campaigns/{campaign_id}/explain", ids={"campaign_id": campaign_id}))

    def start(self, campaign_id: int, /) -> CampaignObject:
        """Start a campaign."""
        return self._send(ApiCall(method="POST", path="campaigns/{campaign_id}/start", ids={"campaign_id": campaign_id}))

    def pause(self, campaign_id: int, /) -> CampaignObject:
        """Pause a campaign: live calls go on."""
        return self._send(ApiCall(method="POST", path="campaigns/{campaign_id}/pause", ids={"campaign_id": campaign_id}))

    def stop(self, campaign_id: int, /) -> CampaignObject:
        """End a campaign: live calls go on."""
        return self._send(ApiCall(method="POST", path="campaigns/{campaign_id}/stop", ids={"campaign_id": campaign_id}))

    def abort(self, campaign_id: int, /) -> CampaignObject:
        """Abort a campaign: live calls are hung up."""
        return self._send(ApiCall(method="POST", path="campaigns/{campaign_id}/abort", ids={"campaign_id": campaign_id}))

    def progress(self, campaign_id: int, /) -> ProgressObject:
        """How far a campaign is."""
        return self._send(ApiCall(method="GET", path="campaigns/{campaign_id}/progress", ids={"campaign_id": campaign_id}))

    def report(self, campaign_id: int, /, *, format: Literal["csv", "jsonl"] | None = None) -> bytes:
        """What became of the contacts of a campaign, as a file: each with its state and its last attempt."""
        return self._fetch(ApiCall(
            method="GET",
            path="campaigns/{campaign_id}/report",
            ids={"campaign_id": campaign_id},
            query={"format": format},
        ))

    def attach(self, campaign_id: int, /, **body: Unpack[CampaignPhonebookObject]) -> AttachedPhonebookObject:
        """Have a campaign call the contacts of a phonebook, too, those that come later among them."""
        return self._send(ApiCall(
            method="POST",
            path="campaigns/{campaign_id}/phonebooks",
            ids={"campaign_id": campaign_id},
            body={**body},
        ))

    def detach(self, campaign_id: int, phonebook_id: int, /) -> None:
        """Have a campaign call the contacts of a phonebook no more, unless another one of it has them; their attempts
        stay."""
        return self._send(ApiCall(
            method="DELETE",
            path="campaigns/{campaign_id}/phonebooks/{phonebook_id}",
            ids={"campaign_id": campaign_id, "phonebook_id": phonebook_id},
        ))

    def redial(self, campaign_id: int, /, **body: Unpack[RedialObject]) -> RedialledObject:
        """Call contacts again that are done: each once more, and more often as far as `max_retry` allows."""
        return self._send(ApiCall(
            method="POST",
            path="campaigns/{campaign_id}/redial",
            ids={"campaign_id": campaign_id},
            body={**body},
        ))

    def contacts(
        self,
        campaign_id: int,
        /,
        *,
        state: Sequence[
            Literal["pending", "paused", "aborted", "failed", "completed", "in_process", "not_authorised"],
        ] | None = None,
        limit: int | None = None,
    ) -> Iterator[CampaignContactObject]:
        """The contacts of a campaign in the order of their numbers: what became of them, and what comes next."""
        return self._pages(ApiCall(
            method="GET",
            path="campaigns/{campaign_id}/contacts",
            ids={"campaign_id": campaign_id},
            query={"state": state, "limit": limit},
        ))

    def contact(self, campaign_id: int, number: str, /) -> CampaignContactObject:
        """One contact of a campaign, by its number in any spelling."""
        return self._send(ApiCall(
            method="GET",
            path="campaigns/{campaign_id}/contacts/{number}",
            ids={"campaign_id": campaign_id, "number": number},
        ))

    def set_contact(
        self,
        campaign_id: int,
        number: str,
        /,
        *,
        tag: str | None = None,
        **body: Unpack[ChangedCampaignContactObject]
    ) -> CampaignContactObject:
        """Have a contact called again, paused, or not called any more in this campaign."""
        return self._send(ApiCall(
            method="PATCH",
            path="campaigns/{campaign_id}/contacts/{number}",
            ids={"campaign_id": campaign_id, "number": number},
            body={**body},
            tag=tag,
        ))

    def preview(self, campaign_id: int, /, *, horizon: str | None = None) -> PreviewObject:
        """Who a campaign will call within a horizon, who later, who never, and why."""
        return self._send(ApiCall(
            method="GET",
            path="campaigns/{campaign_id}/preview",
            ids={"campaign_id": campaign_id},
            query={"horizon": horizon},
        ))

    def previewed(
        self,
        campaign_id: int,
        /,
        *,
        horizon: str | None = None,
        prospect: Literal[
            "called", "behind-others", "due-later", "caller-id", "calling-rules", "listed-until", "do-not-call", "blacklist",
            "whitelist", "consent-later", "consent", "dialled-form", "no-gateway", "emergency", "refused-by-rules",
            "not-authorised", "expires",
        ] | None = None,
        limit: int | None = None,
    ) -> Iterator[OutlookObject]:
        """The contacts of a preview that have one prospect; those that are called in their order."""
        return self._pages(ApiCall(
            method="GET",
            path="campaigns/{campaign_id}/preview/contacts",
            ids={"campaign_id": campaign_id},
            query={"horizon": horizon, "prospect": prospect, "limit": limit},
        ))

    def explain_number(self, campaign_id: int, number: str, /) -> NumberExplanationObject:
        """What keeps a number, in any spelling, from being called by a campaign, whether that has it or not."""
        return self._send(ApiCall(
            method="GET",
            path="campaigns/{campaign_id}/numbers/{number}/explain",
            ids={"campaign_id": campaign_id, "number": number},
        ))

    def explain_contact(self, campaign_id: int, contact_id: int, /) -> ContactExplanationObject:
        """What keeps a contact from being called by a campaign."""
        return self._send(ApiCall(
            method="GET",
            path="campaigns/{campaign_id}/contacts/{contact_id}/explain",
            ids={"campaign_id": campaign_id, "contact_id": contact_id},
        ))

    def statistics(self, campaign_id: int, /, *, from_: str | None = None, to: str | None = None) -> CampaignStatisticsObject:
        """How the calls of a campaign ended, when and through what, and when it may be done."""
        return self._send(ApiCall(
            method="GET",
            path="campaigns/{campaign_id}/statistics",
            ids={"campaign_id": campaign_id},
            query={"from": from_, "to": to},
        ))

    def attempts(self, campaign_id: int, /, *, limit: int | None = None) -> Iterator[AttemptObject]:
        """The attempts of a campaign, the oldest first."""
        return self._pages(ApiCall(
            method="GET",
            path="campaigns/{campaign_id}/attempts",
            ids={"campaign_id": campaign_id},
            query={"limit": limit},
        ))

    def rules(self, campaign_id: int, /) -> CampaignHoursObject:
        """The hours of a campaign, and the rules that narrow them for its contacts."""
        return self._send(ApiCall(method="GET", path="campaigns/{campaign_id}/rules", ids={"campaign_id": campaign_id}))
