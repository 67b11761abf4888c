"""Looks at an installation, from the file of the configuration to a call on the switch, and says what is wrong with it."""
