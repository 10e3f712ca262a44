"""`python -m coinlake_ops` is the command `coinlake`, for an environment whose programs are not on the path."""

import sys

from coinlake_ops.cli import main

sys.exit(main())
