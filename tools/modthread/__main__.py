"""Makes ``python -m modthread`` the same as the command ``modthread``."""

import sys

from modthread.cli import main

sys.exit(main())
