"""Python hooks in the dialer's own process: classes whose methods are marked by `switchio.marks`.

An app is loaded by `loading`, gets a thread of its own (`worker`), and in it sessions of the dialer's calls (`session`); the
hub on the reactor's thread (`hub`) hands events to the threads, and what the apps send to the switch.
"""
