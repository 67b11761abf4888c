"""Methods of the API v2. Each method gives a Deferred, or an iterator for `async for`."""
