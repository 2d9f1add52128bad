"""Trust: what people say a text is, how far they agree, and how often the machine is right about it."""
