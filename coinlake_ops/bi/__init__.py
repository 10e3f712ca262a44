"""Tools of others, made from the same documentation: a Power BI project and a Databricks dashboard.

`python -m coinlake_ops.bi` writes the folder bi/; a test keeps it up to date.
"""
