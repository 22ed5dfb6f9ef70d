"""The documents of the API as shapes: what a consumption may hold, and what the schema says of every answer."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers


class Problem(serializers.Serializer[dict[str, Any]]):
    """RFC 9457 problem details; decide by ``code`` (the last part of ``type``)."""

    type = serializers.CharField()
    code = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(required=False)
    fields_ = serializers.DictField(required=False, help_text="sent as `fields`: what is wrong with which field")


class ChannelState(serializers.Serializer[dict[str, Any]]):
    channel = serializers.CharField()
    sequence = serializers.IntegerField(help_text="rises with every change of the channel; refuse one that fell")
    version = serializers.CharField()
    prefix = serializers.CharField(help_text="file:// or s3:// URL of the release")
    content_digest = serializers.CharField()
    manifest_sha256 = serializers.CharField()
    state = serializers.CharField()
    signoff_current = serializers.BooleanField()
    published_at = serializers.DateTimeField()
    poll_after_s = serializers.IntegerField()


class ReleaseSummary(serializers.Serializer[dict[str, Any]]):
    version = serializers.CharField()
    sequence = serializers.IntegerField()
    state = serializers.CharField()
    demo = serializers.BooleanField()
    prefix = serializers.CharField()
    content_digest = serializers.CharField()
    manifest_sha256 = serializers.CharField()
    published_at = serializers.DateTimeField()


class ReleasePage(serializers.Serializer[dict[str, Any]]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = ReleaseSummary(many=True)


class SplitTotals(serializers.Serializer[dict[str, Any]]):
    files = serializers.IntegerField()
    bytes = serializers.IntegerField()
    records = serializers.IntegerField()
    tokens = serializers.IntegerField()


class GateLine(serializers.Serializer[dict[str, Any]]):
    id = serializers.CharField()
    verdict = serializers.CharField()
    examined = serializers.IntegerField()
    expected = serializers.IntegerField()


class SignoffLine(serializers.Serializer[dict[str, Any]]):
    role = serializers.CharField()
    person = serializers.CharField()
    decision = serializers.CharField()
    at = serializers.CharField()
    content_digest = serializers.CharField()


class WaiverLine(serializers.Serializer[dict[str, Any]]):
    gate = serializers.CharField()
    waiver = serializers.CharField()


class ReleaseDetail(ReleaseSummary):
    records = serializers.IntegerField()
    bytes = serializers.IntegerField()
    tokens = serializers.IntegerField()
    tokenizer = serializers.CharField()
    splits = serializers.DictField(child=SplitTotals())
    families = serializers.DictField(child=serializers.IntegerField(), help_text="records by family")
    gates = GateLine(many=True)
    signoffs = SignoffLine(many=True)
    signoff_statement = serializers.CharField()
    waivers = WaiverLine(many=True)
    storage_level = serializers.IntegerField(help_text="0: nobody measured what the store honours")


class FileUrl(serializers.Serializer[dict[str, Any]]):
    url = serializers.CharField(help_text="GET it without the token; Range is honoured")
    expires_at = serializers.DateTimeField()
    bytes = serializers.IntegerField()
    sha256 = serializers.CharField()


class EventLine(serializers.Serializer[dict[str, Any]]):
    seq = serializers.IntegerField()
    action = serializers.CharField()
    state = serializers.CharField()
    at = serializers.DateTimeField()


class Events(serializers.Serializer[dict[str, Any]]):
    version = serializers.CharField()
    events = EventLine(many=True)


class ConsumptionReport(serializers.Serializer[dict[str, Any]]):
    """What one run read. ``by_family`` sums to ``records`` and names families of the release."""

    run_id = serializers.CharField(max_length=200)
    version = serializers.CharField(max_length=24)
    content_digest = serializers.RegexField(r"^sha256:[0-9a-f]{64}$")
    manifest_sha256 = serializers.RegexField(r"^[0-9a-f]{64}$")
    records = serializers.IntegerField(min_value=0)
    by_family = serializers.DictField(child=serializers.IntegerField(min_value=0))
    order_sha256 = serializers.RegexField(r"^[0-9a-f]{64}$")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = self.initial_data if isinstance(self.initial_data, dict) else {}
        unknown = sorted(set(given) - set(self.fields))
        if unknown:
            raise serializers.ValidationError({"unknown": [f"{len(unknown)} fields that this API does not know"]})
        if sum(attrs["by_family"].values()) != attrs["records"]:
            raise serializers.ValidationError({"by_family": ["its counts do not sum to records"]})
        return attrs


class ConsumptionAnswer(serializers.Serializer[dict[str, Any]]):
    id = serializers.UUIDField()
    run_id = serializers.CharField()
    version = serializers.CharField()
    records = serializers.IntegerField()
    by_family = serializers.DictField(child=serializers.IntegerField())
    recorded_at = serializers.DateTimeField()


def refusals(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """Problem details for each status, beside 401 and 403, which every call may answer."""
    kind = "application/problem+json"
    return {(status, kind): OpenApiResponse(Problem, WORDS[status]) for status in sorted({401, 403, *statuses})}


WORDS = {
    400: "the request cannot be read, or lacks its Idempotency-Key",
    401: "no token, or one that is unknown, expired or revoked",
    403: "the token lacks the scope",
    404: "no such published release, channel or file",
    409: "the key came with another body, or the digests are not those of the release",
    410: "the release was withdrawn; the detail says why",
    422: "a field cannot be used",
}
