"""Parquet as Hugging Face `datasets` reads it: columns, files, and the card that describes them.

Knows no disk: files go to the target that the export stage hands out.
"""
