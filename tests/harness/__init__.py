"""Shared by the crash, chaos and real-switch suites: the campaign that is called, dialers as processes, the judge."""
