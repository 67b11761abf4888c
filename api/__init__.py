"""The HTTP API: Klein resources."""
