"""The page in the browser: another client of the use cases, with headers, sessions and errors of its own."""
