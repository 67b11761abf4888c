"""The life of an attempt: states, dispositions, retries, and the flow itself."""
