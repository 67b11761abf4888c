"""What the crash, chaos and real-switch suites share: the campaign that is called, dialers as processes, the judge."""
