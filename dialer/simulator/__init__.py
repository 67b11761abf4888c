"""A FreeSWITCH stand-in that speaks Event Socket bytes on a TCP port."""
