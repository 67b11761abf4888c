"""Methods of the API v2. Each method waits for its answer."""
