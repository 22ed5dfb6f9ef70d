"""What a candidate's rows tell a reader of its release: families, exclusions, decisions, licences. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.conf import settings

from releases.models import Candidate, ExclusionDecision, SourceDecision
from releases.publishing import attachments
from releases.publishing.attachments import Attachment, Figures
from releases.publishing.documents import About, Decision
from releases.publishing.manifest import family_row, split_rows

Row = Mapping[str, Any]


def about(
    candidate: Candidate,
    matrix: Row,
    given: Iterable[Attachment],
    files: Sequence[Row],
    figures: Figures,
    used: Collection[str],
) -> About:
    """``matrix`` as published, ``files`` as planned so far, ``used``: ids of the sources that gave records."""
    given = list(given)
    catalog = candidate.catalog_version.catalog
    coverage = {row["id"]: row for row in matrix["families"]}
    sources = [one for one in catalog.sources if one.id in used]
    return About(
        version=candidate.release.version,
        date=candidate.release.date,
        demo=is_demo(candidate),
        content_digest=candidate.content_digest,
        families=[
            family_row(files, one.id, stage=one.stage, required=one.required, coverage=coverage[one.id]["status"])
            for one in catalog.families
        ],
        splits=split_rows(files),
        gates=[attachments.gate_line(item) for item in given if item.role == "gate"],
        signoffs=[asdict(one) for one in attachments.signatures_of(candidate)],
        exclusions=candidate.exclusions,
        refused=_refused(candidate),
        decisions=list(decisions(candidate)),
        licences=sorted({one.license_tag for one in sources if one.license_tag}),
        attributions=sorted({one.attribution for one in sources if one.attribution}),
        languages=catalog.languages,
        tokenizer=figures.tokenizer,
        bias_report=any(item.path == attachments.BIAS_REPORT for item in given),
    )


def is_demo(candidate: Candidate) -> bool:
    """Made in a demo, or by an invented person."""
    invented = candidate.contributions.filter(user__is_demo=True).exists()
    return bool(settings.DEMO or candidate.release.is_demo or invented)


def _refused(candidate: Candidate) -> dict[str, int]:
    objects = candidate.issues.filter(source_record="").values_list("reason", flat=True)
    return dict(sorted(Counter(objects).items()))


def decisions(candidate: Candidate) -> Iterator[Decision]:
    """What people decided to leave out of this candidate, in the order of keys."""
    made = {
        (one.key, one.etag, one.source_record, one.reason): one.because
        for one in ExclusionDecision.objects.filter(reason__in=candidate.issues.values("reason")).order_by("at", "pk")
    }
    for issue in candidate.issues.order_by("key", "source_record", "pk"):
        because = made.get((issue.key, issue.etag, issue.source_record, issue.reason))
        if because is not None:
            record = f" record {issue.source_record}" if issue.source_record else ""
            yield Decision(issue.key + record, issue.reason, because)
    for source in candidate.catalog_version.catalog.sources:
        decision = SourceDecision.objects.filter(source_id=source.id, row_digest=source.digest).order_by("at").last()
        if decision is not None and decision.kind == SourceDecision.Kind.EXCLUDED:
            yield Decision(source.id, "source_excluded", decision.because)
