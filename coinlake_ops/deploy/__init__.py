"""Brings an Azure environment to what this repository says: `python -m coinlake_ops.deploy plan|apply|destroy`.

Every part compares what should be with what is, prints the difference, and changes only that.
"""
