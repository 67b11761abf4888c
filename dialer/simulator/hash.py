"""`hash`: the texts that mod_hash keeps by realm and key (hash_api_function of mod_hash.c). A realm and its key are joined
with an underscore, as there."""

from __future__ import annotations

from dialer.simulator.dialstring import separate

USAGE = "-ERR Usage: hash insert|insert_ifempty|select|delete|delete_ifmatch/realm/key[/value]\n"


def hash_command(kept: dict[str, str], text: str) -> str:
    """VERB/REALM/KEY[/VALUE]."""
    words = separate(text, "/", 4)
    if len(words) < 3:
        return USAGE
    verb, key = words[0].lower(), f"{words[1]}_{words[2]}"
    if verb == "select":
        return kept.get(key, "")
    if verb == "delete":
        return "-ERR Not found\n" if kept.pop(key, None) is None else "+OK\n"
    if len(words) < 4 or verb not in ("insert", "insert_ifempty", "delete_ifmatch"):
        return USAGE
    if verb == "insert_ifempty" and key in kept:
        return "-ERR key already exists\n"
    if verb == "delete_ifmatch":
        if key not in kept:
            return "-ERR Not found\n"
        if kept[key] != words[3]:
            return "-ERR Doesn't match\n"
        del kept[key]
        return "+OK\n"
    kept[key] = words[3]
    return "+OK\n"
