"""Functions on arrays and bytes: they know no files and no tables."""
