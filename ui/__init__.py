"""What people touch: the board, the digest, the command line."""
