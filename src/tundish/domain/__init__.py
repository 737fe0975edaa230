"""Steel and coal arithmetic on numbers and Polars expressions.

Public: plants' schemas may import it, and its names keep working between releases. Knows neither files nor
tables, and no other folder of the package but the errors.
"""
