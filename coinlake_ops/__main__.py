"""`python -m coinlake_ops` is the command `coinlake`, for an environment whose programs are not on the path."""

import sys

from coinlake import process_environment


def main() -> int:
    """The command, with the packages that belong to it, whatever else PYTHONPATH names."""
    process_environment.import_own_packages()
    from coinlake_ops import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
