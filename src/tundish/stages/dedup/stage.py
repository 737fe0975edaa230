"""dedup: find which images are the same picture, how, and which one is kept.

Files of equal bytes and images of equal pixels are one picture; re-encoded, rescaled, re-exposed, mirrored
and turned copies are found by their hashes and thumbnails; crops, shifted frames and strips that overlap by
their corners (`overlaps`). Clusters are stars: each member agrees directly
with the representative, as chains of likeness would connect pictures that have nothing in common.
"""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, BinaryIO

import polars as pl
import pyarrow.parquet as pq

from tundish.engine import each
from tundish.formats.given.splits import HELD_OUT
from tundish.imaging.files.bad import BadImage
from tundish.imaging.files.decode import decode
from tundish.imaging.measure import pixel_hash
from tundish.imaging.similarity import TRANSFORMS, Copy, find_copies
from tundish.imaging.thumbnails import StoredThumbnails
from tundish.stages.base import Context, Outcome, Stage
from tundish.stages.dedup.conflicts import conflict_between, labels_of, values_differ, values_of
from tundish.stages.dedup.overlaps import Found, find_in_groups
from tundish.stages.dedup.pairs import pair_rows, summary
from tundish.stages.targets import accepted_values, files_with_values
from tundish.storage.features import feature_parts, read_features
from tundish.storage.shards import Blob, latest_files, read_blobs, read_files
from tundish.storage.tables import ANNOTATIONS, COVERAGE, DUPLICATES, IMAGES, PAIRS

if TYPE_CHECKING:
    from collections.abc import Sequence


__all__ = ["STAGE"]

_PROBABLY = "probably same picture"
_PIXELS_PERHAPS = 0.99
_LABELLED = ["labelled", "incomplete", "negative"]
"""States of files of which the labels are known."""

_HELD_OUT = {split: place for place, split in enumerate(HELD_OUT)}
_TIES = {
    "picture": pl.Int64,
    "leader": pl.Int64,
    "likeness": pl.String,
    "code": pl.Int64,
    "score": pl.Float64,
}


def _run(context: Context) -> Outcome:
    files = _files(context)
    ties = _ties(context, files, _stars(_copies(context, files)))
    found = _overlaps(context, files, ties)
    context.dataset.write(PAIRS, pair_rows(files, ties, found.overlaps))
    rows = _clusters(files, ties)
    rows = rows.with_columns(label_conflict=pl.Series(_conflicts(context, rows), dtype=pl.String))
    context.dataset.write(DUPLICATES, rows.select(DUPLICATES.schema.names))
    outcome = _outcome(files, rows)
    counts, notes = summary(found, files["picture"].n_unique())
    return Outcome(outcome.counts | counts, [*outcome.notes, *notes])


def _overlaps(context: Context, files: pl.DataFrame, ties: pl.DataFrame) -> Found:
    """Overlaps among the pictures that are kept; what a copy shows, the one that is kept shows as well."""
    excluded = ties.filter(pl.col("likeness") != _PROBABLY)["picture"]
    pictures = files.unique("picture", keep="first").sort("picture")
    with tempfile.TemporaryFile(dir=context.dataset.curated) as file:
        kept = pictures.filter(~pl.col("picture").is_in(excluded.implode()))
        return find_in_groups(context, kept, file)


def _files(context: Context) -> pl.DataFrame:
    """Files of valid images, best first; those of equal pixels have one `picture`, a number in this order."""
    coverage = context.dataset.read(COVERAGE)
    taken = latest_files(read_files(context.dataset.store)).select("source", "path", "size", "shard")
    images = context.dataset.read(IMAGES).select("image_id", "width", "height", "captured_at")
    hashes = ["gray_hash", "frame_hash", "frame_code", "other_hashes", "other_codes"]
    features = read_features(
        context.dataset, context.recipe.images.max_pixels, ["image_id", "decodable", *hashes]
    ).filter("decodable")
    largest = [-pl.col("width").cast(pl.Int64) * pl.col("height"), -pl.col("size")]
    # Without its suffix the name of an original sorts before that of its "- copy".
    by_name = ["source", pl.col("path").str.replace(r"\.[^./]*$", ""), "path"]
    # The copy that is held out represents a picture that came in several splits: its labels are the test's.
    held_out = [pl.col("given_split").replace_strict(_HELD_OUT, default=len(_HELD_OUT), return_dtype=pl.Int8)]
    kept = held_out if context.recipe.split.given == "keep" else []
    order = [~pl.col("known"), *kept, *(largest if context.recipe.dedup.keep == "largest" else []), *by_name]
    files = (
        coverage.join(taken, on=["source", "path"])
        .join(images, on="image_id")
        .join(features, on="image_id")
        .join(files_with_values(context), on=["source", "path"], how="left", maintain_order="left")
        .with_columns(known=pl.col("state").is_in(_LABELLED) | pl.col("value").is_not_null())
        .sort(order)
        .with_row_index("place")
    )
    alike = files.filter(pl.col("image_id").n_unique().over("gray_hash") > 1)
    pixels = _pixel_hashes(context, alike)
    identity = pl.col("image_id").replace(list(pixels), list(pixels.values()))
    return files.with_columns(picture=pl.col("place").min().over(identity).rank("dense").cast(pl.Int64) - 1)


def _pixel_hashes(context: Context, files: pl.DataFrame) -> dict[str, str]:
    """Digests of the whole pixels of some images, decoded again: proof where gray pixels are equal."""

    def digest(blob: Blob) -> tuple[str, str]:
        try:
            return blob.id, pixel_hash(decode(blob.data, max_pixels=context.recipe.images.max_pixels)).hex()
        except BadImage:  # decodable in gray but not in colour: equal to no other
            return blob.id, blob.id

    found: dict[str, str] = {}
    for (shard,), rows in files.group_by("shard", maintain_order=True):
        found |= dict(
            each(digest, read_blobs(context.dataset.image_shards / f"{shard}.parquet", rows["image_id"]))
        )
    return found


def _ties(context: Context, files: pl.DataFrame, stars: Sequence[Copy]) -> pl.DataFrame:
    """Members with their representative; equal pixels in different formats are marked."""
    rows = [(copy.second, copy.first, copy.relation, copy.code, copy.score) for copy in stars]
    ties = pl.DataFrame(rows, schema=_TIES, orient="row")
    pictures = files.unique("picture", keep="first").select("picture", "image_id", "width", "height", "shard")
    pairs = ties.join(pictures, on="picture").join(
        pictures,
        left_on=["leader", "width", "height"],
        right_on=["picture", "width", "height"],
        suffix="_kept",
    )
    alike = pairs.filter((pl.col("code") == 0) & (pl.col("score") >= _PIXELS_PERHAPS))
    wanted = pl.concat([alike["image_id"], alike["image_id_kept"]])
    pixels = _pixel_hashes(context, pictures.filter(pl.col("image_id").is_in(wanted.implode())))
    equal = [
        picture
        for picture, one, other in alike.select("picture", "image_id", "image_id_kept").iter_rows()
        if pixels[one] == pixels[other]
    ]
    likeness = pl.when(pl.col("picture").is_in(equal)).then(pl.lit("identical pixels")).otherwise("likeness")
    return ties.with_columns(likeness=likeness)


def _copies(context: Context, files: pl.DataFrame) -> list[Copy]:
    pictures = files.unique("picture", keep="first", maintain_order=True)
    hashes = [
        [(digest, code), *zip(others, codes, strict=True)]
        for digest, code, others, codes in pictures.select(
            "frame_hash", "frame_code", "other_hashes", "other_codes"
        ).iter_rows()
    ]
    with tempfile.TemporaryFile(dir=context.dataset.curated) as file:
        thumbnails = _store_thumbnails(file, context, pictures["image_id"].to_list())
        threads = os.cpu_count() or 1
        return find_copies(hashes, thumbnails.read, threads=threads, progress=context.progress)


def _store_thumbnails(file: BinaryIO, context: Context, image_ids: Sequence[str]) -> StoredThumbnails:
    """The thumbnails of the pictures by number."""
    stored = StoredThumbnails(file)
    place = {image_id: number for number, image_id in enumerate(image_ids)}
    for part in feature_parts(context.dataset, context.recipe.images.max_pixels):
        # Without pre_buffer: Arrow would hold the thumbnails of a whole part at once.
        for batch in pq.ParquetFile(part, pre_buffer=False).iter_batches(
            4096, columns=["image_id", "thumbnail"]
        ):
            for image_id, thumbnail in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                if image_id in place:
                    stored.put(place[image_id], thumbnail)
    return stored


def _clusters(files: pl.DataFrame, ties: pl.DataFrame) -> pl.DataFrame:
    """Files of pictures that have copies, best first, with their cluster and their relation to its best."""
    rows = files.join(ties, on="picture", how="left", maintain_order="left").with_columns(
        pl.coalesce("leader", "picture").alias("leader"), pl.col("code").fill_null(0)
    )
    rows = rows.filter(pl.len().over("leader") > 1).with_columns(
        representative_id=pl.col("image_id").first().over("leader"),
        is_first=pl.int_range(pl.len()).over("leader") == 0,
        is_first_of_picture=pl.int_range(pl.len()).over("picture") == 0,
    )
    relation = (
        pl.when("is_first")
        .then(pl.lit("representative"))
        .when(pl.col("likeness").is_not_null())
        .then("likeness")
        .when(pl.col("image_id") == pl.col("representative_id"))
        .then(pl.lit("identical bytes"))
        .otherwise(pl.lit("identical pixels"))
    )
    identical = ~pl.col("is_first") & pl.col("likeness").is_null()
    probable = (pl.col("likeness") == _PROBABLY).fill_null(value=False)
    names = dict(enumerate(TRANSFORMS))
    return rows.with_columns(
        cluster_id="representative_id",
        relation=relation,
        transform=pl.when(pl.col("code") > 0).then(
            pl.col("code").replace_strict(names, return_dtype=pl.String)
        ),
        score=pl.when(identical).then(1.0).otherwise("score"),
        kept=pl.col("is_first") | (probable & pl.col("is_first_of_picture")),
    )


def _stars(copies: Sequence[Copy]) -> list[Copy]:
    """For each member the copy that ties it to its representative; better pictures have smaller numbers."""
    ties: dict[int, list[Copy]] = {}
    for copy in copies:
        ties.setdefault(copy.first, []).append(copy)
    chosen: dict[int, Copy] = {}
    for first in sorted(ties):
        if first not in chosen:
            chosen |= {copy.second: copy for copy in ties[first] if copy.second not in chosen}
    return [chosen[second] for second in sorted(chosen)]


def _conflicts(context: Context, rows: pl.DataFrame) -> list[str | None]:
    """For each row how its labels contradict those of its representative.

    An unlabelled copy does not contradict labels, but makes a negative doubtful: is it empty, or unlabelled?
    """
    known = rows.filter(pl.col("state").is_in(_LABELLED)).select("source", "path", "width", "height")
    sizes = {(source, path): (width, height) for source, path, width, height in known.iter_rows()}
    # By the imported labels: later answers of annotators are not a fault of the copies.
    imported = context.dataset.read(ANNOTATIONS).filter(pl.col("origin").ne_missing("annotator"))
    labels = labels_of(imported, sizes)
    firsts = rows.filter("is_first").select("cluster_id", "source", "path", "state")
    leaders = {cluster: (source, path, state) for cluster, source, path, state in firsts.iter_rows()}
    values = values_of(accepted_values(context))
    found: list[str | None] = []
    for cluster, *file, state, code in rows.select(
        "cluster_id", "source", "path", "state", "code"
    ).iter_rows():
        *leader, leader_state = leaders[cluster]
        kept, copy = labels.get((leader[0], leader[1])), labels.get((file[0], file[1]))
        if kept is None or copy is None:
            found.append("state" if (leader_state, state) == ("negative", "unlabelled") else None)
        else:
            found.append(conflict_between(kept, copy, code))
        mine, theirs = values.get((leader[0], leader[1]), {}), values.get((file[0], file[1]), {})
        if found[-1] is None and values_differ(mine, theirs):
            found[-1] = "value"
    return found


def _outcome(files: pl.DataFrame, rows: pl.DataFrame) -> Outcome:
    relations = dict(rows["relation"].value_counts().iter_rows())
    conflicts = rows.filter(pl.col("label_conflict").is_not_null())
    names = ("identical bytes", "identical pixels", "same picture", _PROBABLY, "mirrored or turned")
    counts = {"image files": files.height, "clusters": relations.get("representative", 0)}
    counts |= {name: relations.get(name, 0) for name in names}
    counts |= {"excluded": rows.height - int(rows["kept"].sum())}
    counts |= {"clusters with label conflicts": conflicts["cluster_id"].n_unique()}
    kinds = sorted(conflicts["label_conflict"].value_counts().iter_rows())
    text = ", ".join(f"{count} by {kind}" for kind, count in kinds)
    return Outcome(counts, [f"copies labelled differently from the one that is kept: {text}"] if text else [])


STAGE = Stage(
    name="dedup",
    reads=(
        "store",
        "curated/features",
        "curated/images.parquet",
        "curated/annotations.parquet",
        "curated/coverage.parquet",
        "curated/targets.parquet",
    ),
    writes=("curated/duplicates.parquet", "curated/pairs.parquet"),
    # sources, split: the keys by which pictures are grouped where they are too many to compare all, and
    # which copy represents a picture that came in several splits
    depends=("sources", "dedup", "split"),
    run=_run,
)
