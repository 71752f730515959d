"""`python -m hardwork demo`: the question's job in every way, with a table and a chart."""

from __future__ import annotations

import argparse
import sys

from hardwork import demo


def main() -> int:
    """Parses the command line and does what it says.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m hardwork", description="Process pools on one C++ engine.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    command = commands.add_parser("demo", help="the question's job in every way, with a table and a chart")
    handler = demo.add_arguments(command)
    return handler(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
