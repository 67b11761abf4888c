"""What lives inside FreeSWITCH: the shipped files, filled in from the configuration, put into its folder and taken out."""
