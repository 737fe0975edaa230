"""Labels made by people: their server, their agreement, acceptance of a batch of theirs."""
