"""The build, start to end: read, redact, deduplicate, cluster, split, write. Pure; all it needs comes in the plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from releases.build.collect import Collector, Held
from releases.build.dedup import exact_duplicates, near_duplicates
from releases.build.plan import BUILD_VERSION, PIPELINE, BuildPlan, BuildResult, BuiltFile, Clusters, Exclusion
from releases.build.record import compile_record, encode_record, record_id
from releases.build.routing import curriculum_config, encode_config, routing_config
from releases.build.shards import local_file, write_shards
from releases.build.splits import SPLIT_VERSION, Member, SplitPlan, assign
from releases.build.spool import Spool

SPLITS = ("train", "val", "test")


def build(plan: BuildPlan) -> BuildResult:
    """The compiled export of one candidate, its files below ``plan.work_dir``.

    The same source, catalog and earlier releases give the same bytes on every machine. Raises DetectorFailed where
    redaction could not be done: nothing is ever written unredacted.
    """
    with Spool(plan.work_dir) as spool:
        collector = Collector(plan, spool)
        collector.run()
        return _Builder(plan, spool, collector).run()


class _Builder:
    """From held records to files. ``held`` is indexed by reading order; lists of indices say who is still in."""

    def __init__(self, plan: BuildPlan, spool: Spool, collector: Collector) -> None:
        self.plan, self.spool, self.collector = plan, spool, collector
        self.held: list[Held] = collector.held
        self.families = plan.catalog.families
        self.stage_of = {family.id: family.stage for family in self.families}

    def run(self) -> BuildResult:
        kept, replaced = exact_duplicates(self.held, self.families, range(len(self.held)))
        self._exclude_for(replaced, "exact_duplicate")
        clusters = self._cluster(kept)
        near = [(pair.first, pair.second) for pair in clusters.near]
        dropped = near_duplicates(self.held, self.families, kept, near)
        self._exclude_for(dropped, "near_duplicate")
        self._say_dedup(kept, set(replaced.values()), near)
        cluster_of = {
            index: cluster for index, cluster in zip(kept, clusters.cluster_of, strict=True) if index not in dropped
        }
        splits, split_of = self._split(cluster_of)
        files, released = self._write(cluster_of, split_of)
        exclusions = sorted(self.collector.exclusions, key=lambda one: (one.key.encode(), one.source_record))
        facts = self._facts(clusters, splits)
        return BuildResult(files, self.collector.accounts, exclusions, released, facts)

    # --- who stays -------------------------------------------------------------------------------------------
    def _exclude(self, index: int, reason: str, kept: int | None = None) -> None:
        held = self.held[index]
        stands_for_it = self._record_id(self.held[kept]) if kept is not None else ""
        self.collector.exclusions.append(Exclusion(held.key, held.source_record, reason, kept=stands_for_it))
        self.collector.accounts[held.account].excluded[reason] += 1

    def _exclude_for(self, replaced: Mapping[int, int], reason: str) -> None:
        for index, kept in replaced.items():
            self._exclude(index, reason, kept)

    def _say_dedup(self, kept: Sequence[int], stand_ins: set[int], near: Sequence[tuple[int, int]]) -> None:
        """``dedup_status`` of what ships: it tells a reader of one record whether others like it were met."""
        for position in {one for pair in near for one in pair}:
            self.held[kept[position]].dedup = "near_duplicate_kept"
        for index in stand_ins:
            self.held[index].dedup = "kept_of_duplicates"

    def _cluster(self, kept: Sequence[int]) -> Clusters:
        for index in kept:
            held = self.held[index]
            self.plan.clusterer.add(self.spool.read(held.place), held.content_hash, held.family)
        return self.plan.clusterer.clusters(lambda position: self.spool.read(self.held[kept[position]].place))

    def _split(self, cluster_of: Mapping[int, str]) -> tuple[SplitPlan, dict[int, str]]:
        holdout = {family.id: family.holdout for family in self.families}
        members = [
            Member(cluster, holdout[self.held[index].family], self._was(self.held[index]))
            for index, cluster in cluster_of.items()
        ]
        catalog = self.plan.catalog
        splits = assign(members, seed=catalog.seed, splits_bp=catalog.splits_bp)
        split_of = {}
        for position, (index, split) in enumerate(zip(cluster_of, splits.split_of, strict=True)):
            if split is None:
                self._exclude(index, splits.reasons[position])
            else:
                split_of[index] = split
        return splits, split_of

    def _was(self, held: Held) -> frozenset[str]:
        """Every split that the record, or a long message of it, was in before."""
        return self.plan.earlier.get(held.content_hash, frozenset()) | self.plan.said(self.spool.read(held.place))

    # --- what is written ---------------------------------------------------------------------------------------
    def _write(
        self, cluster_of: Mapping[int, str], split_of: Mapping[int, str]
    ) -> tuple[list[BuiltFile], list[tuple[str, str, str, str]]]:
        groups: dict[tuple[str, str], list[int]] = {}
        for index, split in split_of.items():
            groups.setdefault((split, self.held[index].family), []).append(index)
        files: list[BuiltFile] = []
        for (split, family), indices in sorted(groups.items()):
            ordered = sorted(indices, key=lambda index: self._record_id(self.held[index]))
            files += write_shards(self._lines(ordered, split), split, family, self.plan.work_dir, self.plan.shard_bytes)
        files += self._configs(files)
        released = sorted(
            (self._record_id(self.held[index]), self.held[index].content_hash, split, cluster_of[index])
            for index, split in split_of.items()
        )
        return sorted(files, key=lambda file: file.path.encode()), released

    def _lines(self, ordered: Sequence[int], split: str) -> Iterator[bytes]:
        for index in ordered:
            held = self.held[index]
            self.collector.accounts[held.account].records_out += 1
            yield self._line(held, split)

    def _line(self, held: Held, split: str) -> bytes:
        source = self.plan.catalog.source_by_id[self.collector.accounts[held.account].source]
        record = compile_record(
            self.spool.read(held.place),
            source_family=held.family,
            phase=self.stage_of[held.family],
            source_key=self._source_key(held),
            source_record=held.source_record,
            pii_status=held.pii_status,
            license_tag=source.license_tag,
            language=held.language,
            split=split,
            processing_pipeline=PIPELINE,
            processed_at=f"{self.plan.date}T00:00:00Z",
            processing_steps=self._steps(),
            dedup_status=held.dedup,
            content=held.content_hash,
        )
        return encode_record(record)

    def _configs(self, files: Sequence[BuiltFile]) -> Iterator[BuiltFile]:
        shards: dict[str, dict[str, list[str]]] = {}
        for file in files:
            if file.role == "data":
                shards.setdefault(file.family, {split: [] for split in SPLITS})[file.split].append(file.path)
        routing = routing_config(self.plan.catalog, self.plan.version, shards)
        yield local_file("config/routing.json", "config", encode_config(routing), self.plan.work_dir)
        curriculum = encode_config(curriculum_config(routing))
        yield local_file("config/curriculum.json", "config", curriculum, self.plan.work_dir)

    def _source_key(self, held: Held) -> str:
        return f"s3://{self.plan.source_name}/{held.key}"

    def _record_id(self, held: Held) -> str:
        return record_id(self._source_key(held), held.source_record)

    def _steps(self) -> list[tuple[str, str]]:
        plan = self.plan
        return [
            ("read", BUILD_VERSION),
            (f"language:{plan.language.name}", plan.language.version),
            (f"redact:{plan.redactor.name}", plan.redactor.version),
            (f"cluster:{plan.clusterer.name}", plan.clusterer.version),
            ("split", SPLIT_VERSION),
        ]

    def _facts(self, clusters: Clusters, splits: SplitPlan) -> dict[str, object]:
        sizes = Counter(clusters.cluster_of)
        return {
            "redaction": self.collector.redaction.as_json(),
            "clusters": {
                "clusters": len(sizes),
                "of_two_or_more": sum(size > 1 for size in sizes.values()),
                "largest": max(sizes.values(), default=0),
                "near_pairs": len(clusters.near),
            },
            "splits": {"conflicts": splits.conflicts, "pinned": splits.pinned},
            "key_aliases": self.collector.aliases,
            "steps": [{"name": name, "version": version} for name, version in self._steps()],
        }
