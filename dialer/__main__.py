"""`python -m dialer`."""

import sys

from dialer.cli.main import main

sys.exit(main())
