#!/usr/bin/env python
"""Django's command line for MHDS."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run one command; a configuration that cannot work ends with its reason and no traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mhds.settings")
    from django.core.management import execute_from_command_line  # noqa: PLC0415  settings must be named first

    from mhds.errors import ConfigurationError  # noqa: PLC0415

    try:
        execute_from_command_line(sys.argv)
    except ConfigurationError as error:
        sys.stderr.write(f"mhds cannot start: {error.message}\n{error.hint}\n".rstrip() + "\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
