"""A FreeSWITCH stand-in that speaks Event Socket bytes on a TCP port: for the demo, the tests and the benchmarks.

It shares no code with `dialer.esl`: two independent readings of the wire check each other. What it says is made from
recordings of a real FreeSWITCH; `tests/contract` runs on both. It dials nobody: callees are scripts (`callees`).
"""
