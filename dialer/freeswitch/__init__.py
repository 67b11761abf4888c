"""The files that live inside FreeSWITCH, filled in from the configuration, put into its folder and taken out."""
