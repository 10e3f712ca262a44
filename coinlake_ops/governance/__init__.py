"""Unity Catalog as code: `python -m coinlake_ops.governance render|diff|apply|lineage`.

sql/governance/coinlake.yml and the tables' own documentation say what should be; `diff` fails when it is not.
"""
