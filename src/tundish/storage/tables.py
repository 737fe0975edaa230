"""The canonical tables as Arrow schemas.

Units are in the field metadata. Times are UTC. Pixel boxes are 0-based and half-open, x right, y down, in
the upright frame (the EXIF orientation applied). A file is named by (source, path) everywhere.
"""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from tundish.storage.image_tables import DUPLICATES, PAIRS, TARGETS
from tundish.storage.table import Table, field

__all__ = [
    "ANNOTATIONS",
    "CONSENSUS",
    "COVERAGE",
    "DISPUTES",
    "DUPLICATES",
    "FEATURES",
    "FILES",
    "IMAGES",
    "LINEAGE",
    "LINKS",
    "PAIRS",
    "QUARANTINE",
    "RECORD_FAULTS",
    "RECORD_FIELDS",
    "RECORD_FILES",
    "SPLITS",
    "STANDING",
    "TABLES",
    "TARGETS",
]


_TEXT = pa.string()
_REAL = pa.float64()
_COUNT = pa.int32()
_FLAG = pa.bool_()
_TIME = pa.timestamp("us", tz="UTC")

_SOURCE = field("source", _TEXT, "name of the source in the recipe")
_PATH = field("path", _TEXT, "path of the file, relative to its source, POSIX")
_IMAGE_ID = field("image_id", _TEXT, "first 32 hex digits of the SHA-256 of the image file's bytes")
_GIVEN = field("given_split", _TEXT, "train, val or test where the file came with a split; null elsewhere")

FILES = Table(
    "files",
    pa.schema(
        [
            _PATH,
            _SOURCE,
            field(
                "kind",
                _TEXT,
                "image, annotation, classes, facts (lists and tables about images), record or other",
            ),
            field("outcome", _TEXT, "accepted, quarantined or skipped"),
            field("reason", _TEXT, "why, where it was not accepted"),
            field("sha256", _TEXT, "of the file's bytes; null where they could not be read"),
            _IMAGE_ID,
            field("size", pa.int64(), "size of the file", "byte"),
            field("shard", _TEXT, "name of the store shard that holds the bytes"),
            field("batch", _COUNT, "number of the ingest run that added it, from 1"),
        ]
    ),
    ("source", "path"),
    "ingest",
    history=True,
)

_HEADER_FIELDS = [
    field("format", _TEXT, "what the bytes are: jpeg, png, tiff, bmp, gif, webp"),
    field("width", _COUNT, "of the upright image", "px"),
    field("height", _COUNT, "of the upright image", "px"),
    field("channels", _COUNT, "1 gray, 3 colour, 4 with alpha or CMYK"),
    field("bit_depth", _COUNT, "of one channel", "bit"),
    field("orientation", _COUNT, "EXIF orientation the file carries, 1 to 8"),
    field("captured_at", _TIME, "EXIF time of exposure; features: the camera's clock as if UTC; images: UTC"),
]

_QUALITY_FIELDS = [
    field("sharpness", _REAL, "variance of the Laplacian of the gray image", "gray level squared"),
    field("brightness", _REAL, "mean gray, 0 black to 1 white", "1"),
    field("contrast", _REAL, "standard deviation of gray, 0 to 0.5", "1"),
    field("clipped_dark", _REAL, "share of pixels at the bottom of the range", "1"),
    field("clipped_bright", _REAL, "share of pixels at the top of the range", "1"),
]

IMAGES = Table(
    "images",
    pa.schema(
        [
            _IMAGE_ID,
            _PATH,
            _SOURCE,
            *_HEADER_FIELDS,
            *_QUALITY_FIELDS,
            field("files", _COUNT, "how many files have these bytes"),
            _GIVEN,
            field("valid", _FLAG, "no check of severity error failed"),
            field("shard", _TEXT, "name of the store shard that holds the bytes"),
        ]
    ),
    ("image_id",),
    "validate",
)

ANNOTATIONS = Table(
    "annotations",
    pa.schema(
        [
            field("annotation_id", _TEXT, "from source, label file and place in it"),
            _IMAGE_ID,
            _PATH,
            _SOURCE,
            field("label", _TEXT, "the recipe's class; null where the raw label has none"),
            field("raw_label", _TEXT, "the label as written in the file"),
            field("shape", _TEXT, "box, polygon, mask or class"),
            field("x", _REAL, "left edge", "px"),
            field("y", _REAL, "upper edge", "px"),
            field("width", _REAL, "of the box", "px"),
            field("height", _REAL, "of the box", "px"),
            field("segmentation", pa.list_(pa.list_(_REAL)), "rings x0, y0, x1, y1, ...", "px"),
            field("rle", _TEXT, "COCO compressed RLE counts of the mask, size (height, width) of the image"),
            field("is_crowd", _FLAG, "COCO iscrowd"),
            field("score", _REAL, "of a model, 0 to 1", "1"),
            field("author", _TEXT, "who drew it"),
            field("origin", _TEXT, "import, annotator or model"),
            field("attributes", _TEXT, "all other members of the label in the file, as JSON"),
            field("label_path", _TEXT, "label file, relative to the source"),
            field("label_row", _COUNT, "place in the label file, from 0"),
            field("valid", _FLAG, "no check of severity error failed"),
        ]
    ),
    ("source", "path", "label_path", "label_row"),
    "validate",
)

COVERAGE = Table(
    "coverage",
    pa.schema(
        [
            _PATH,
            _SOURCE,
            _IMAGE_ID,
            field("state", _TEXT, "labelled, incomplete (one was lost), negative, unlabelled or rejected"),
            field("labels", _COUNT, "valid labels"),
            _GIVEN,
        ]
    ),
    ("source", "path"),
    "validate",
)
"""What is known of each image file: an unlabelled image and a negative are never mixed."""

FEATURES = Table(
    "features",
    pa.schema(
        [
            _IMAGE_ID,
            field("decodable", _FLAG, "the whole image could be decoded"),
            field("reason", _TEXT, "short name of the fault where it could not"),
            field("message", _TEXT, "the fault in a sentence"),
            *_HEADER_FIELDS,
            *_QUALITY_FIELDS,
            field("gray_hash", _TEXT, "hex digest of the upright 8-bit gray pixels and their shape"),
            field("frame_hash", pa.binary(), "256 DCT signs in canonical orientation"),
            field("frame_code", pa.int8(), "orientation, 0 to 7, that made the hash canonical"),
            field("other_hashes", pa.list_(pa.binary()), "hashes of orientations that nearly tie"),
            field("other_codes", pa.list_(pa.int8()), "their orientations"),
            field("thumbnail", pa.binary(), "96 by 96 gray, row by row"),
            field("corners", pa.binary(), "up to 64 local features of 30 bytes"),
            field("detail", pa.binary(), "about 9,216 gray values in the shape of the image, row by row"),
        ]
    ),
    ("image_id",),
    "measure",
)

QUARANTINE = Table(
    "quarantine",
    pa.schema(
        [
            field("kind", _TEXT, "file, image, annotation, record or value (of a target)"),
            field("id", _TEXT, "image_id, annotation_id or record_id, where it has one"),
            _SOURCE,
            _PATH,
            field("row", pa.int64(), "row, line or place in the file, from 0"),
            field("place", _TEXT, "where a person finds a record: Sheet1!C12, or line 12, counted from 1"),
            field("check", _TEXT, "name of the check that failed"),
            field("column", _TEXT, "what was checked"),
            field("value", _TEXT, "the value that was found"),
            field("message", _TEXT, "the fault in a sentence"),
            field("severity", _TEXT, "error: quarantined; warning: reported, kept"),
            field("count", _COUNT, "labels concerned: a refused label file may contain many"),
        ]
    ),
    ("kind", "source", "path", "row", "check", "id"),
    "validate",
)

CONSENSUS = Table(
    "consensus",
    pa.schema(
        [
            *ANNOTATIONS.schema,
            field("votes", _COUNT, "annotators who drew it with this class; null where nobody was asked"),
            field("agreement", _REAL, "mean IoU of their pairs", "1"),
            field("decided_by", _TEXT, "import, the annotators who voted for it, or the adjudicator"),
        ]
    ),
    ANNOTATIONS.order,
    "consensus",
)
"""The labels that count: those of the annotators where they answered, else those that came with the files."""

STANDING = Table(
    "standing",
    pa.schema(
        [
            _PATH,
            _SOURCE,
            _IMAGE_ID,
            field(
                "state",
                _TEXT,
                "labelled, incomplete, negative, unlabelled, rejected, disputed, refused (its batch was not"
                " accepted) or"
                " unreviewed (its batch has no verdict, or it is in none and needs one)",
            ),
            field("labels", _COUNT, "labels that count"),
            field("decided_by", _TEXT, "import, annotators or adjudicator"),
        ]
    ),
    ("source", "path"),
    "consensus",
)
"""The state of each image file after the answers of the annotators."""

DISPUTES = Table(
    "disputes",
    pa.schema(
        [
            _IMAGE_ID,
            field("unit", _COUNT, "number of the object in the image"),
            field("annotation_id", _TEXT, "one of the labels of this object"),
            field("author", _TEXT, "who drew it"),
            field("label", _TEXT, "the class they chose"),
            field("reason", _TEXT, "quorum (too few drew it), class or geometry"),
            field("message", _TEXT, "the reason in words"),
            field("settled_by", _TEXT, "adjudicator whose answer holds; null while it is open"),
        ]
    ),
    ("image_id", "unit", "annotation_id"),
    "consensus",
)

SPLITS = Table(
    "splits",
    pa.schema(
        [
            _IMAGE_ID,
            _PATH,
            _SOURCE,
            field("split", _TEXT, "train, val, test, or null with a reason"),
            field("group_id", _TEXT, "images of one group are in one split"),
            field("reason", _TEXT, "how it was assigned, or why it is excluded"),
            field(
                "last_split", _TEXT, "its split, or the one it had before it was excluded and will return to"
            ),
        ]
    ),
    ("image_id",),
    "split",
    # A group keeps its split across an upgrade, so the table is never refused.
    later=(pl.col("split").alias("last_split"),),
    history=True,
)

LINEAGE = Table(
    "lineage",
    pa.schema(
        [
            _IMAGE_ID,
            field("parent_id", _TEXT, "image_id of the image it was made from"),
            field("operation", _TEXT, "what made it"),
            field("parameters", _TEXT, "all that is needed to reproduce it, as JSON"),
            field("seed", _TEXT, "seed of its random numbers"),
            field("step_version", _COUNT, "version of the code that made it"),
            field("dropped", _COUNT, "labels that were dropped"),
            field("shard", _TEXT, "name of the augmented shard that holds the bytes"),
        ]
    ),
    ("parent_id", "image_id"),
    "augment",
)

RECORD_FIELDS = (
    field("record_id", _TEXT, "file, sheet and row: lab.xlsx#Sheet1!12"),
    _PATH,
    field("sheet", _TEXT, "of a workbook"),
    field("row", pa.int64(), "record in the file or sheet after its header, from 0"),
    field("line", pa.int64(), "line or row in the file or sheet, as an editor or Excel counts, from 1"),
    field("outcome", _TEXT, "accepted, quarantined or skipped"),
    field("reason", _TEXT, "why, where it was not accepted"),
    field(
        "notes",
        pa.list_(pa.struct([("column", _TEXT), ("note", _TEXT), ("raw", _TEXT)])),
        "what a number or a gap cannot express: censored (<, >), not tested, below detection, error, remark,"
        " no data, not running, bad value, questionable, not calculated",
    ),
)
"""The first columns of every table in records/; the columns of its schema follow."""

RECORD_FAULTS = Table("record_faults", QUARANTINE.schema, QUARANTINE.order, "records")
"""The faults that the stage `records` found; validate copies them into the quarantine."""

RECORD_FILES = Table(
    "record_files",
    pa.schema(
        [
            field("table", _TEXT, "name of the table in the recipe"),
            _PATH,
            field("sheet", _TEXT, "of a workbook"),
            field("encoding", _TEXT, "of a text file"),
            field("separator", _TEXT, "of a text file"),
            field("header_rows", _COUNT, "rows before the first record"),
            field("rows", pa.int64(), "records in the file, valid or not"),
            field("columns", _TEXT, "how each header was understood, as JSON"),
        ]
    ),
    ("table", "path", "sheet"),
    "records",
)

LINKS = Table(
    "links",
    pa.schema(
        [
            _IMAGE_ID,
            field("table", _TEXT, "name of the table of records"),
            field("record_id", _TEXT, "null where the image has no record there"),
            field("how", _TEXT, "key, genealogy or nearest, and how it was tried where it failed"),
            field("reason", _TEXT, "why there is no record"),
            field("via", _TEXT, "pieces from the image's own to the record's: C1003 > S0042 > H77"),
            field("offset_s", _REAL, "time of the image minus that of the record, clocks aligned", "s"),
            field("offset_m", _REAL, "position of the image minus that of the record", "m"),
            field("position_m", _REAL, "of the image from the head of the record's piece", "m"),
            field("side", _TEXT, "of the image on the record's piece: top or bottom"),
            field("ambiguous", _FLAG, "several records fit equally well"),
        ]
    ),
    ("image_id", "table", "record_id"),
    "link",
)

TABLES = (
    FILES,
    RECORD_FILES,
    IMAGES,
    ANNOTATIONS,
    COVERAGE,
    TARGETS,
    FEATURES,
    QUARANTINE,
    DUPLICATES,
    PAIRS,
    CONSENSUS,
    STANDING,
    DISPUTES,
    LINKS,
    SPLITS,
    LINEAGE,
)
