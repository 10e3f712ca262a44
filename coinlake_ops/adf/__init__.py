"""The local Data Factory: reads, checks and runs the JSON of a factory as Azure Data Factory does."""
