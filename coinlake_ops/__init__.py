"""What works on the lakehouse from outside: the command `coinlake` and what it calls.

`cli` is the command line and nothing else; everything it calls is a module or a package beside it.
"""
