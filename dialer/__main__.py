"""`python -m dialer`."""

import gc
import sys

# Nothing that is read while a command starts is garbage: to look through it again and again takes a fifth of the start.
# `main` has it looked through from then on.
gc.disable()

from dialer.cli.main import main  # noqa: E402

sys.exit(main())
