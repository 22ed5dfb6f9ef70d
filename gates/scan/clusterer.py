"""The clusters of ``gates.scan.clusters`` behind the port that the build asks. Owns the adaptation, no definition."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from gates.scan.clusters import CLUSTER_VERSION, DEFAULT_THRESHOLD_BP, Clustering, cluster
from gates.scan.fingerprints import FINGERPRINT_VERSION
from gates.scan.marks import Collector, mark
from releases.build.plan import Clusters, NearPair
from releases.build.types import Messages


class BuildClusterer:
    """A ``releases.build.plan.Clusterer``: add each conversation, then ask. ``clustering`` keeps the full answer."""

    name = "near-or-shared-message"

    def __init__(self, threshold_bp: int = DEFAULT_THRESHOLD_BP) -> None:
        self.threshold_bp = threshold_bp
        self.clustering: Clustering | None = None
        self._collector = Collector()

    @property
    def version(self) -> str:
        return f"{CLUSTER_VERSION}:{self.threshold_bp}bp:{FINGERPRINT_VERSION}:unicode-{unicodedata.unidata_version}"

    def add(self, messages: Messages, content_hash: str, family: str) -> None:
        self._collector.add(content_hash, family, mark(messages))

    def clusters(self, text_of: Callable[[int], Messages]) -> Clusters:
        found = cluster(self._collector.conversations(), text_of, threshold_bp=self.threshold_bp)
        self.clustering = found
        return Clusters(found.cluster_of, [NearPair(pair.first, pair.second) for pair in found.near_pairs])
