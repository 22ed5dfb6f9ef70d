"""The project's settings with a throwaway data directory; nothing else differs from the embedded default."""

import os  # the suite's settings come from the environment, like the product's
import tempfile

os.environ.setdefault("MHDS_DATA_DIR", tempfile.mkdtemp(prefix="mhds-tests-"))

from mhds.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # speed only; production keeps PBKDF2
