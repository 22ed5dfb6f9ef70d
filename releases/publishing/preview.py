"""What a publication writes, folder by folder: exact from the plan, and before it what the frozen bytes tell. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
PLANNED = "made when publishing"


@dataclass(frozen=True, slots=True)
class Folder:
    """One line of the table. ``objects`` and ``size`` are None where only the plan can tell them."""

    path: str
    holds: str
    objects: int | None
    size: int | None


# Path as shown, the starts that belong to it, what it holds.
FOLDERS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("data/<split>/<family>/", ("data/",), "shards of records"),
    ("index/", ("index/",), "record offsets of each shard"),
    ("config/", ("config/",), "routing and curriculum"),
    ("coverage/", ("coverage/",), "the matrix as json, csv and md"),
    ("provenance/", ("provenance/",), "every source object and what became of it"),
    ("gates/, reports/", ("gates/", "reports/"), "verdicts and reports"),
    ("reviews/", ("reviews/",), "rounds and scores, without text"),
    ("signoff/", ("signoff/",), "the sign-off record"),
    ("docs/", ("docs/",), "dataset card and release notes"),
    ("SHA256SUMS", ("SHA256SUMS",), "the claim, written first"),
)
COMMIT = ("manifest.json", "the commit point, written last")


def planned(files: Sequence[Row], manifest_bytes: int) -> list[Folder]:
    """Exact: of the plan. What no folder names is listed by itself, so that the sum is the sum of the plan."""
    made = [_folder(path, starts, holds, files) for path, starts, holds in FOLDERS]
    known = tuple(start for _path, starts, _holds in FOLDERS for start in starts)
    rest = [row for row in files if not row["path"].startswith(known)]
    made += [Folder(row["path"], row["role"], 1, row["bytes"]) for row in rest]
    return [*(one for one in made if one.objects), Folder(*COMMIT, 1, manifest_bytes)]


def frozen(files: Sequence[Row], records: int) -> list[Folder]:
    """Before the plan: what is frozen is known, the rest is made when publishing."""
    made = [_folder(path, starts, holds, files, records) for path, starts, holds in FOLDERS]
    unknown = [Folder(one.path, one.holds, None, None) if not one.objects else one for one in made]
    return [*unknown, Folder(*COMMIT, 1, None)]


def _folder(path: str, starts: tuple[str, ...], holds: str, files: Iterable[Row], records: int = 0) -> Folder:
    mine = [row for row in files if row["path"].startswith(starts)]
    if path.startswith("data/"):
        records = records or sum(row["records"] or 0 for row in mine)
        holds = f"{len(mine):,} shard{'' if len(mine) == 1 else 's'}, {records:,} records"
    return Folder(path, holds, len(mine), sum(row["bytes"] for row in mine))


def total(folders: Sequence[Folder]) -> Folder:
    """``objects`` and ``size`` of what is known; the words say whether that is all."""
    known = all(one.objects is not None and one.size is not None for one in folders)
    words = "create-once; other bytes under a key stop it" if known else "of what is known before publishing"
    return Folder(
        "All" if known else "So far",
        words,
        sum(one.objects or 0 for one in folders),
        sum(one.size or 0 for one in folders),
    )
