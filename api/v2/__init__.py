"""The modern API, `/api/v2/`: one table of routes, from which addresses, checks and the OpenAPI document come."""
