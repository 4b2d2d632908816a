"""``python -m videohoi``: the command line."""

import sys

from videohoi.cli import main

if __name__ == "__main__":
    sys.exit(main())
