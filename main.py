"""Starts the program; nothing else."""

import sys

from rnnviz.command_line import main

if __name__ == "__main__":
    sys.exit(main())
