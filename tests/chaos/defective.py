"""`python -m tests.chaos.defective DEFECT run ...`: the dialer with a deliberate defect, to see that it does not go unseen."""

from __future__ import annotations

import sys

from dialer.cli.main import main
from tests.crash.defects import DEFECTS

if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    with DEFECTS[name].apply():
        sys.exit(main(arguments))
