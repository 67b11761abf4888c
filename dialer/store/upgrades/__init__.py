"""The numbered upgrades of the schema: `NNNN_what_it_does.<dialect>.sql`, hand-written DDL, one file for each dialect.

A published file never changes; a new state of the schema is a new number, present in every dialect.
"""
