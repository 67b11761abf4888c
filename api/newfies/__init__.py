"""The API of Newfies-Dialer as it was in 2011: its names, its sentences, its quirks. The use cases know their meaning."""
