"""Voice applications that run on an answered call."""
