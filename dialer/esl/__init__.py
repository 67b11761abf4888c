"""FreeSWITCH's Event Socket: bytes to values and back, then the connections."""
