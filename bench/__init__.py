"""Benchmarks: figures and ratios, never tests. `python -m bench` runs all of them."""
