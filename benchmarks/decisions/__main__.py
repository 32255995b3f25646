"""`python -m benchmarks.decisions`: see `race`."""

import sys

from benchmarks.decisions.race import main

sys.exit(main())
