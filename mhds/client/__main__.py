"""``python -m mhds.client`` is ``mhds-smoke``; owns nothing else."""

from __future__ import annotations

import sys

from mhds.client.smoke import main

sys.exit(main())
