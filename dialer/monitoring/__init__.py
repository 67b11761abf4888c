"""Metrics for Prometheus, and whether the dialer is alive and ready."""
