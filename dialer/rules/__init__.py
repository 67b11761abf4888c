"""When and how often a contact may be called, by the rules of the place where it is."""
