"""The pages of the board; each module shows one, through a `Reader`, and asks the desk for what changes."""
