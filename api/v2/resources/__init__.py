"""The resources: one module each, with a list `ROUTES`."""
