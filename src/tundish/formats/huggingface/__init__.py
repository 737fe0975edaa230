"""Labels as Hugging Face datasets have them: a row an image, in Parquet or in metadata files beside pictures.

Knows columns and rows; the pictures inside Parquet files are entries of the source like any other.
"""
