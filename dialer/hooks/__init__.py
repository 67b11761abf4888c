"""Reports of outcomes to other systems."""
