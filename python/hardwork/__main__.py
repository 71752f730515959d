"""`python -m hardwork demo`: the question's job in every way. `python -m hardwork run`: a program with our pools."""

from __future__ import annotations

import argparse
import sys

from hardwork import _run


def main() -> int:
    """Parses the command line and does what it says.

    Returns:
        The exit code.
    """
    if sys.argv[1:2] == ["run"]:
        return _run.run(sys.argv[2:])  # not through argparse: what follows is the program's
    from hardwork import demo

    parser = argparse.ArgumentParser(prog="python -m hardwork", description="Process pools on one C++ engine.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    command = commands.add_parser("demo", help="the question's job in every way, with a table and a chart")
    commands.add_parser("run", help="a program as it is, with hardwork's pools in the place of the standard ones")
    handler = demo.add_arguments(command)
    return handler(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
