"""Steel and coal arithmetic on numbers and Polars expressions; knows no files and no canonical tables."""
