"""Real processes that are killed, frozen and cut off while they call; the called side is the judge."""
