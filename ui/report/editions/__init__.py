"""A digest for each person: what concerns them, when it is due, what it says, and who has had which."""
