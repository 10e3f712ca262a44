"""`python -m coinlake_ops.factory --help`."""

import os
import sys

from adf_lab.cli import INTERRUPTED
from coinlake_ops.factory.cli import main

if __name__ == "__main__":
    code = main()
    if code == INTERRUPTED:
        sys.stdout.flush()
        # Leaves at once: the kernels and the Spark server end with this process.
        os._exit(code)
    sys.exit(code)
