"""`python -m rnnviz`: the same as the command `rnnviz`."""

import sys

from rnnviz.command_line import main

if __name__ == "__main__":
    sys.exit(main())
