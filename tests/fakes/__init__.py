"""Doubles for the flow's interfaces. They are values in memory; nothing here is a mock with expectations."""
