"""`python -m adf_lab` is `adf-lab`."""

import sys

from adf_lab.cli import main

sys.exit(main())
