"""Files as people have them: text of any usual encoding, tables of any usual make, and the contacts in them."""
