"""Which contacts to call, how many, when."""
