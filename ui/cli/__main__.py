"""`python -m ui.cli` is the `medmpt` command."""

import sys

from ui.cli import main

sys.exit(main())
