"""The use cases, in domain words: the only way in for the APIs, the command line and the demo.

A use case is a plain function that takes a `Transaction` first. It runs on the database thread, whole or not at all, checks
first and writes afterwards, and says how it wants to be run: `reads`, `writes` or `verb`. `Management.ask` runs it.
"""

from dialer.management.management import Management, Transaction, reads, verb, writes

__all__ = ["Management", "Transaction", "reads", "verb", "writes"]
